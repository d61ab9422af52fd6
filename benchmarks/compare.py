# SPDX-License-Identifier: MIT
"""How often comparisons are wrong: equal sides, and slowdowns of known size.

Equal sides are five programs against themselves, 10 s a comparison: none should be called
different. Slowdowns are planted by counted work, 2 % within 10 s and 5 % within 3 s: all
should be found. The interval should have the true ratio in 93 to 97 % of cases. pyperf,
pytest-benchmark and hyperfine compare the same equal sides where they can be installed.

The full run takes hours: 300 comparisons of equal sides, 100 of each slowdown. --json FILE is
written after each, and --resume goes on with it."""

import contextlib
import json
import math
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from environment import PROGRAMS, ROOT, make_peers
from measuring import parser, table

HASTEN = ROOT / ".venv" / "bin" / "hasten"
PROGRAM_NAMES = ("counting", "dictionaries", "parsing", "sorting", "objects")
NAMES = ", ".join((*PROGRAM_NAMES, "units"))
SETUP = f"import sys; sys.path.insert(0, {str(PROGRAMS)!r}); from compared import {NAMES}"
# Steps of counted work on side A; side B has 2 or 5 % more.
UNITS = 10_000
# Seconds for a comparison, and the true ratio.
PLANNED = {"equal": (10, 1.0), "slower_2": (10, 1.02), "slower_5": (3, 1.05)}


def hasten(options, budget_s, a, b):
    command = [HASTEN, "bench", "--json", "--margin", "0", "--budget", str(budget_s)]
    command += ["--python", options.interpreter, "-s", SETUP, a, "--vs", b]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(answer.stdout)
    return {key: found[key] for key in ("ratio", "interval", "verdict")}


class Results:
    """What was found so far, in a file that is whole after every comparison: the full run
    takes hours, and --resume goes on where it was interrupted."""

    def __init__(self, path, resumes):
        self.path = path
        self.found = {"equal": [], "slower_2": [], "slower_5": [], "peers": {}}
        if resumes and path is not None and path.exists():
            self.found |= json.loads(path.read_text())

    def write(self):
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            partial = self.path.with_name(f"{self.path.name}.new")
            partial.write_text(json.dumps(self.found, indent=1))
            partial.replace(self.path)


def comparisons(options, results, key, count, sides):
    """Up to `count` comparisons; what each found, and whether its interval has the truth."""
    rows = results.found[key]
    budget_s, truth = PLANNED[key]
    while len(rows) < count:
        a, b = sides(len(rows))
        found = hasten(options, budget_s, a, b)
        interval = found["interval"]
        found["covers"] = interval is None or interval[0] <= truth <= interval[1]
        found["truth"] = truth
        rows.append(found)
        results.write()
        print(f"\r\x1b[K{truth} {len(rows)} of {count}: {found}", end="", file=sys.stderr)
    print("\r\x1b[K", end="", file=sys.stderr)
    return rows


def equal_sides(number):
    name = PROGRAM_NAMES[number % len(PROGRAM_NAMES)]
    return f"{name}()", f"{name}()"


def slower_by(percent):
    def sides(number):
        return f"units({UNITS})", f"units({UNITS + UNITS * percent // 100})"

    return sides


def share(rows, is_it):
    return sum(map(is_it, rows)) / len(rows)


def pyperf(folder, name):
    """Whether pyperf calls a program different from itself."""
    for side in "ab":
        Path(f"{side}.json").unlink(missing_ok=True)
        command = [folder / "python", "-m", "pyperf", "timeit", "--quiet", "--fast"]
        command += ["-o", f"{side}.json", "-s", SETUP, f"{name}()"]
        subprocess.run(command, check=True, capture_output=True)
    command = [folder / "python", "-m", "pyperf", "compare_to", "a.json", "b.json"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return "not significant" not in answer.lower()


def pytest_benchmark(folder, name):
    """Whether its gate, 5 % on the least time, calls a program slower than itself."""
    Path("test_it.py").write_text(f"{SETUP}\ndef test_it(benchmark): benchmark({name})\n")
    command = [folder / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"]
    subprocess.run([*command, "--benchmark-save=a"], check=True, capture_output=True)
    command += ["--benchmark-compare", "--benchmark-compare-fail=min:5%"]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    return bool(re.search("Performance has regressed", answer.stdout + answer.stderr))


def hyperfine(folder, name):
    """Whether its summary calls a program faster than itself: by more than its own ±."""
    work = f"import sys\n{SETUP}\nfor _ in range(20): {name}()\n"
    Path("work.py").write_text(work)
    command = ["hyperfine", "--style", "none", "--export-json", "h.json"]
    command += [f"{folder / 'python'} work.py", f"{folder / 'python'} ./work.py"]
    subprocess.run(command, check=True, capture_output=True)
    fast, slow = sorted(json.loads(Path("h.json").read_text())["results"], key=lambda r: r["mean"])
    ratio = slow["mean"] / fast["mean"]
    spread = ratio * math.hypot(slow["stddev"] / slow["mean"], fast["stddev"] / fast["mean"])
    return ratio - spread > 1


def peers(results, count):
    folder = make_peers()
    chosen = [pyperf, pytest_benchmark] if folder is not None else []
    if folder is not None and shutil.which("hyperfine") is not None:
        chosen.append(hyperfine)
    elif folder is not None:
        print("hyperfine: not here (Debian: apt install hyperfine)", file=sys.stderr)
    names = random.Random(1).choices(PROGRAM_NAMES, k=max(count, 1))
    for peer in chosen:
        answers = results.found["peers"].setdefault(peer.__name__, [])
        with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
            try:
                while len(answers) < count:
                    answers.append(peer(folder, names[len(answers)]))
                    results.write()
            except (OSError, subprocess.CalledProcessError) as error:
                print(f"{peer.__name__}: {error}", file=sys.stderr)
    return {name: answers for name, answers in results.found["peers"].items() if answers}


def rows_of(equal, two, five):
    def wrong(found):
        return found["verdict"] in ("faster", "slower")

    def right(found):
        return found["verdict"] == "slower"

    measured = [found for found in [*equal, *two, *five] if found["interval"]]
    rows = [("equal sides called different", "5 % at most", equal, wrong)]
    rows += [("2 % slower, found within 10 s", "90 %", two, right)]
    rows += [("5 % slower, found within 3 s", "95 %", five, right)]
    rows += [("intervals with the true ratio", "93 to 97 %", measured, lambda f: f["covers"])]
    return [
        [text, must, f"{100 * share(found, is_it):.1f} %", len(found)]
        for text, must, found, is_it in rows
        if found
    ]


def main():
    options = parser(__doc__)
    options.set_defaults(python=sys.executable)
    options.add_argument("--equal", type=int, default=300, help="comparisons of equal sides")
    options.add_argument("--planted", type=int, default=100, help="of each slowdown")
    options.add_argument("--peers", type=int, default=30, help="comparisons by each peer")
    options.add_argument(
        "--resume", action="store_true", help="go on with what --json FILE has already"
    )
    options = options.parse_args()
    if options.resume and options.json is None:
        sys.exit("--resume goes on with a file: --json FILE")
    if options.quick:
        options.equal, options.planted, options.peers = 5, 3, 2
    options.interpreter = options.python
    results = Results(options.json and options.json.absolute(), options.resume)
    equal = comparisons(options, results, "equal", options.equal, equal_sides)
    two = comparisons(options, results, "slower_2", options.planted, slower_by(2))
    five = comparisons(options, results, "slower_5", options.planted, slower_by(5))
    others = peers(results, options.peers) if options.peers else {}
    rows = rows_of(equal, two, five)
    for name, wrong in others.items():
        text = f"equal sides called different by {name}"
        rows.append([text, "", f"{100 * share(wrong, bool):.1f} %", len(wrong)])
    table("Comparisons", ["", "must reach", "reached", "of"], rows)


if __name__ == "__main__":
    main()
