# SPDX-License-Identifier: MIT
"""What pytest's fixture `benchmark` measured, as files: reports, saved runs, comparisons.

Names of files, fields and options are those of pytest-benchmark, so that its files and ours can be
compared with each other. A run of another day is another machine: where it matters,
--hasten-against compares.
"""

import argparse
import contextlib
import datetime
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCHEME = "file://"
FORBIDDEN = "/:*?<>|\\"
FIELDS = ("min", "max", "mean", "median", "stddev", "iqr")
COLUMNS = ("name", "was", "is", "change", "least was", "is", "change")
LATEST = ""


def name_of_run(text):
    """The value of --benchmark-save."""
    if not text:
        raise argparse.ArgumentTypeError("Can't be empty.")
    bad = "".join(c for c in text if c in FORBIDDEN)
    if bad:
        raise argparse.ArgumentTypeError(
            f"Must not contain any of these characters: {FORBIDDEN} (it has {bad!r})"
        )
    return text


def expression(text):
    """ "min:5%" and "mean:0.001" as (field, limit, whether it is a share)."""
    match = re.fullmatch(r"(\w+):(\d+(?:\.\d*)?|\.\d+)(%?)", text)
    if match is None or match[1] not in FIELDS:
        raise argparse.ArgumentTypeError(f"Could not parse value: {text!r}.")
    return match[1], float(match[2]) / (100 if match[3] else 1), bool(match[3])


def _say(text):
    print(text, file=sys.stderr)


def _git(*words):
    with contextlib.suppress(OSError):
        found = subprocess.run(
            ["git", *words], check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        if found.returncode == 0:
            return found.stdout.strip()
    return None


def commit_info():
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return {"id": "unversioned", "dirty": False}
    status = _git("status", "--porcelain", "--untracked-files=no")
    return {
        "id": commit,
        "dirty": bool(status),
        "branch": _git("rev-parse", "--abbrev-ref", "HEAD"),
    }


def report_of(rows, compared, has_data):
    from hasten import __version__

    def fields_of(row):
        fields = row.as_dict()
        if row.fullname in compared:
            fields["against"] = compared[row.fullname].as_dict()
        if has_data:
            fields["stats"]["data"] = row.stats.data
        return fields

    return {
        "machine_info": {
            "node": platform.node(),
            "machine": platform.machine(),
            "system": platform.system(),
            "release": platform.release(),
            "python_implementation": platform.python_implementation(),
            "python_version": platform.python_version(),
        },
        "commit_info": commit_info(),
        "benchmarks": [fields_of(row) for row in rows],
        "datetime": datetime.datetime.now(datetime.UTC).isoformat(),
        "version": f"hasten {__version__}",
    }


def write_json(path, rows, compared, has_data=True):
    """Whole, or not at all; False after saying why not."""
    path = Path(os.path.realpath(path))
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    text = json.dumps(report_of(rows, compared, has_data), indent=4, default=repr) + "\n"
    try:
        if path.exists() and not path.is_file():
            path.write_text(text)  # a device, a pipe
        else:
            partial.write_text(text)
            partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        _say(f"hasten: benchmarks cannot be written: {error}")
        return False
    return True


class Storage:
    """A folder of saved runs, in one for each kind of machine and interpreter."""

    def __init__(self, location, root):
        if "://" in location and not location.startswith(SCHEME):
            raise pytest.UsageError(f"--benchmark-storage takes file://FOLDER, not {location}")
        self.folder = Path(root, location.removeprefix(SCHEME)).expanduser()
        version = ".".join(platform.python_version_tuple()[:2])
        bits = platform.architecture()[0]
        kind = f"{platform.system()}-{platform.python_implementation()}-{version}-{bits}"
        self.own = self.folder / kind

    def runs(self):
        """Files by number, those of this machine."""
        found = {}
        for path in sorted(self.own.glob("[0-9][0-9][0-9][0-9]_*.json")):
            found[path] = int(path.name[:4])
        return found

    def save(self, name, rows, has_data):
        try:
            self.own.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            _say(f"hasten: benchmarks cannot be saved: {error}")
            return
        number = max(self.runs().values(), default=0) + 1
        path = self.own / f"{number:04d}_{name}.json"
        if write_json(path, rows, {}, has_data):
            _say(f"Saved benchmark data in: {path}")

    def find(self, wanted):
        """The run that is meant; None after a warning."""
        runs = self.runs()
        if not runs:
            where = os.path.relpath(self.folder)
            match = f" match {wanted!r}." if wanted else ". Can't load the previous benchmark."
            return self.none(f"No benchmark files in {where!r}{match}")
        if wanted == LATEST:
            return max(runs, key=lambda path: (runs[path], path.name))
        matches = [
            path
            for path, number in runs.items()
            if (wanted.isdecimal() and number == int(wanted)) or path.name.startswith(wanted)
        ]
        return matches[-1] if matches else self.none(f"No benchmark files match {wanted!r}.")

    @staticmethod
    def none(reason):
        _say(f" WARNING: Can't compare. {reason}")

    @staticmethod
    def load(path):
        """What was measured, by the test's full name."""
        try:
            benchmarks = json.loads(path.read_text(encoding="utf-8"))["benchmarks"]
            return {
                row["fullname"]: {field: float(row["stats"][field]) for field in FIELDS}
                for row in benchmarks
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise pytest.UsageError(f"{path} is no saved run: {error!r}") from None


def autosave_name():
    commit, now = commit_info(), datetime.datetime.now(datetime.UTC)
    dirty = "_uncommitted-changes" if commit["dirty"] else ""
    return f"{commit['id']}_{now:%Y%m%d_%H%M%S}{dirty}"


class Saved:
    """Of one run of pytest: what it is compared with, and where it is saved."""

    def __init__(self, option, root):
        self.option = option
        self.storage = Storage(option("hasten_benchmark_storage"), root)
        self.before = {}
        self.path = None
        wanted = option("hasten_benchmark_compare")
        if wanted is not None:
            self.path = self.storage.find(wanted)
        if self.path is not None:
            self.before = self.storage.load(self.path)
            _say(f"Comparing against benchmarks from: {os.path.relpath(self.path)}")

    def pairs(self, rows):
        for row in rows:
            if row.fullname in self.before:
                yield row, self.before[row.fullname]

    def save(self, rows):
        name = self.option("hasten_benchmark_save")
        if name is None and self.option("hasten_benchmark_autosave"):
            name = autosave_name()
        if name is not None and rows:
            self.storage.save(name, rows, self.option("hasten_benchmark_save_data"))

    def table(self, rows, time_text):
        """Lines of cells: medians, and the least."""
        lines = [COLUMNS]
        for row, before in self.pairs(rows):
            cells = [row.name]
            for field in ("median", "min"):
                was, now = before[field], getattr(row.stats, field)
                change = f"{100 * (now / was - 1):+.1f} %" if was > 0 else ""
                cells += [time_text(was), time_text(now), change]
            lines.append(tuple(cells))
        return lines

    def regressions(self, rows):
        """What --benchmark-compare-fail does not allow, in sentences."""
        for row, before in self.pairs(rows):
            for field, limit, is_share in self.option("hasten_benchmark_compare_fail") or ():
                was, now = before[field], getattr(row.stats, field)
                if is_share:
                    is_over, by = was > 0 and now / was - 1 > limit, f"{100 * limit:g} %"
                else:
                    is_over, by = now - was > limit, f"{limit:g} s"
                if is_over:
                    yield (
                        f"{row.fullname}: {field} was {was:.9g} s and is {now:.9g} s;"
                        f" {by} more is allowed"
                    )
