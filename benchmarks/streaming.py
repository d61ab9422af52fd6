# SPDX-License-Identifier: MIT
"""How much faster hasten.stream reads logs than plain iteration over open() and the standard
modules do, and than grep -F; and how much memory it takes for a file that is much larger.

All that is compared reads the same file in turns, so that the page cache holds it; printed are
medians of the ratios of each turn with their 95 % intervals.

Usage: streaming.py [--python VERSION | --all] [--quick] [--megabytes N] [--json FILE]
"""

import argparse
import bz2
import gzip
import lzma
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from measuring import interval, table, write_json
from stats import in_other_interpreter

VERSIONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
WORD = "NEEDLE"
PATHS = ["GET /index", "GET /api/v1/items", "POST /form"]
WORDS = [*PATHS, "alpha", "beta", "request", "user", "session", "status 200", "latency ms"]
WORDS += ["connection closed", "from", "opened", "cache hit", "miss", "worker"]
COLUMNS = ["what", "theirs MB/s", "ours MB/s", "times", "95 %", "must be", ""]


def write_log(path, share, megabytes):
    """Lines of about 85 bytes, so many of which have the word."""
    source = random.Random(1)
    block = "".join(
        f"2026-11-23 03:{n // 60 % 60:02}:{n % 60:02},{source.randrange(1000):03} "
        f"{WORD if source.random() < share else 'INFO'} {' '.join(source.choices(WORDS, k=7))} "
        f"id={source.randrange(10**6)}\n"
        for n in range(100_000)
    ).encode()
    with path.open("wb") as file:
        while file.tell() < megabytes << 20:
            file.write(block)
    return path


def drain(lines):
    for _ in lines:
        pass


def search(lines, word):
    found = 0
    for line in lines:
        if word in line:
            found += 1
    return found


def count(lines):
    found = 0
    for _ in lines:
        found += 1
    return found


def grep(path):
    # Into a pipe: to /dev/null it stops at the first match.
    command = f"LC_ALL=C grep -F {WORD} {path} | cat >/dev/null"
    subprocess.run(command, shell=True, check=True)


def open_zstd():
    """What reads zstd here, the standard module or the package; None: nothing does."""
    if sys.version_info >= (3, 14):
        from compression import zstd

        return zstd.open
    try:
        import zstandard
    except ImportError:
        return None
    return zstandard.open


def packed(path, folder):
    """The log in each format that can be written here, with what opens it."""
    data = path.read_bytes()
    made = {"gzip": (gzip.compress(data, 6), gzip.open)}
    small = data[: len(data) // 8]
    made["bzip2"] = (bz2.compress(small), bz2.open)
    made["xz"] = (lzma.compress(small, preset=1), lzma.open)
    if open_zstd() is not None and shutil.which("zstd"):
        done = subprocess.run(["zstd", "-c"], input=data, capture_output=True, check=True)
        made["zstd"] = (done.stdout, open_zstd())
    for name, (content, opener) in made.items():
        target = folder / f"log.{name}"
        target.write_bytes(content)
        yield name, target, opener, len(small if name in {"bzip2", "xz"} else data)


def comparisons(folder, megabytes):
    """Title, bytes, theirs, ours, how many times faster it must be."""
    from hasten import stream

    for share, least in ((0.001, 12), (0.1, 6)):
        path = write_log(folder / f"log{share}", share, megabytes)
        size = path.stat().st_size
        title = f"{share:.1%} of the lines"
        assert search(path.open(), WORD) == count(stream.lines(path, contains=WORD))
        yield (
            f"{title}, `in`",
            size,
            lambda path=path: search(path.open(), WORD),
            lambda path=path: count(stream.lines(path, contains=WORD)),
            least,
        )
        yield (
            f"{title}, grep -F",
            size,
            lambda path=path: grep(path),
            lambda path=path: count(stream.lines(path, contains=WORD)),
            1.0,
        )
    path = folder / "log0.001"
    size = path.stat().st_size
    yield (
        "every line, bytes",
        size,
        lambda: drain(path.open("rb")),
        lambda: drain(stream.lines_bytes(path)),
        1.8,
    )
    yield (
        "every line, str",
        size,
        lambda: drain(path.open()),
        lambda: drain(stream.lines(path)),
        1.5,
    )
    for name, target, opener, size in packed(path, folder):
        yield (
            f"{name}, 0.1 % of the lines",
            size,
            lambda target=target, opener=opener: search(opener(target, "rt"), WORD),
            lambda target=target: count(stream.lines(target, contains=WORD)),
            2.5 if name in {"gzip", "zstd"} else 0,
        )


def compare(folder, megabytes, rounds):
    rows, results = [], {}
    for title, size, theirs, ours, least in comparisons(folder, megabytes):
        ratios, times = [], ([], [])
        for turn in range(rounds + 1):
            pair = []
            for work, kept in zip((theirs, ours), times):
                begin = perf_counter()
                work()
                pair.append(perf_counter() - begin)
                kept.append(pair[-1])
            if turn:  # the first one fills the page cache
                ratios.append(pair[0] / pair[1])
        middle, low, high = interval(ratios)
        speeds = [size / min(kept) / 1e6 for kept in times]
        verdict = "" if not least else "ok" if middle >= least else "MISSED"
        rows.append(
            [
                title,
                f"{speeds[0]:.0f}",
                f"{speeds[1]:.0f}",
                f"{middle:.2f}",
                f"{low:.2f} to {high:.2f}",
                f"{least:g}" if least else "",
                verdict,
            ]
        )
        results[title] = ratios
    table("Reading logs", COLUMNS, rows)
    return results


def memory(folder, gigabytes):
    """Peak of the resident memory that reading adds, of a process of its own."""
    code = f"""if True:
        import resource, sys
        from hasten import stream
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if sys.argv[1] == "lines":
            found = stream.count(0, contains="{WORD}")
            assert found, found
        else:
            try:
                list(stream.lines(sys.argv[1], limit=1 << 20))
            except stream.LineTooLongError:
                pass
            else:
                sys.exit("no error")
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
    """
    rows, results = [], {}
    sparse = folder / "line"
    with sparse.open("wb") as file:
        file.truncate(2 << 30)
    feed = f"for i in $(seq {gigabytes * 8}); do cat {folder / 'piece'}; done"
    write_log(folder / "piece", 0.001, 128)
    for title, argument, source in (
        (f"{gigabytes} GB through a pipe", "lines", feed),
        ("one line of 2 GB, with a limit", str(sparse), "true"),
    ):
        with subprocess.Popen(source, shell=True, stdout=subprocess.PIPE) as feeding:
            done = subprocess.run(
                [sys.executable, "-c", code, argument],
                stdin=feeding.stdout,
                capture_output=True,
                text=True,
                check=True,
            )
        added = float(done.stdout)
        rows.append([title, f"{added:.1f} MB", "16 MB", "ok" if added <= 16 else "MISSED"])
        results[title] = added
    table("Peak of the memory that is added", ["what", "hasten", "must be", ""], rows)
    return results


def main():
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--python", metavar="VERSION")
    arguments.add_argument("--all", action="store_true", help="every interpreter")
    arguments.add_argument("--json", type=Path, metavar="FILE")
    arguments.add_argument("--quick", action="store_true", help="a smaller log, fewer rounds")
    arguments.add_argument("--megabytes", type=int, help="of the log (1024; quick: 100)")
    given = arguments.parse_args()
    if given.all:
        words = [word for word in sys.argv[1:] if word != "--all"]
        command = [sys.executable, __file__, *words, "--python"]
        return max(subprocess.run([*command, one], check=False).returncode for one in VERSIONS)
    if given.python:
        return subprocess.run(in_other_interpreter(given.python), check=False).returncode
    megabytes = given.megabytes or (100 if given.quick else 1024)
    print(f"Python {'.'.join(map(str, sys.version_info[:3]))}, {os.cpu_count()} CPUs")
    with tempfile.TemporaryDirectory() as folder:
        results = {
            "times": compare(Path(folder), megabytes, 5 if given.quick else 11),
            "memory": memory(Path(folder), 1 if given.quick else 10),
        }
    write_json(given, "streaming", None, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
