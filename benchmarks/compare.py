# SPDX-License-Identifier: MIT
"""How often comparisons are wrong: equal sides, and slowdowns of known size.

Equal sides are five programs against themselves, 10 s a comparison: none should be called
different. Slowdowns are planted by counted work, 2 % within 10 s and 5 % within 3 s: all
should be found. The interval should have the true ratio in 93 to 97 % of cases. pyperf and
pytest-benchmark compare the same equal sides where they can be installed.

The full run takes hours: 300 comparisons of equal sides, 100 of each slowdown."""

import contextlib
import json
import random
import re
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


def hasten(options, budget_s, a, b):
    command = [HASTEN, "bench", "--json", "--margin", "0", "--budget", str(budget_s)]
    command += ["--python", options.interpreter, "-s", SETUP, a, "--vs", b]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(answer.stdout)
    return {key: found[key] for key in ("ratio", "interval", "verdict")}


def comparisons(options, count, budget_s, sides, truth):
    """`count` comparisons; what each found, and whether its interval has the truth."""
    for number in range(count):
        a, b = sides(number)
        found = hasten(options, budget_s, a, b)
        interval = found["interval"]
        found["covers"] = interval is None or interval[0] <= truth <= interval[1]
        found["truth"] = truth
        print(f"\r\x1b[K{truth} {number + 1} of {count}: {found}", end="", file=sys.stderr)
        yield found
    print("\r\x1b[K", end="", file=sys.stderr)


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


def peers(count):
    folder = make_peers()
    if folder is None:
        return {}
    answers = {}
    for peer in (pyperf, pytest_benchmark):
        with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
            try:
                names = random.Random(1).choices(PROGRAM_NAMES, k=count)
                answers[peer.__name__] = [peer(folder, name) for name in names]
            except (OSError, subprocess.CalledProcessError) as error:
                print(f"{peer.__name__}: {error}", file=sys.stderr)
    return answers


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
    options = options.parse_args()
    if options.quick:
        options.equal, options.planted, options.peers = 5, 3, 2
    options.interpreter = options.python
    equal = list(comparisons(options, options.equal, 10, equal_sides, 1.0))
    two = list(comparisons(options, options.planted, 10, slower_by(2), 1.02))
    five = list(comparisons(options, options.planted, 3, slower_by(5), 1.05))
    others = peers(options.peers) if options.peers else {}
    rows = rows_of(equal, two, five)
    for name, wrong in others.items():
        text = f"equal sides called different by {name}"
        rows.append([text, "", f"{100 * share(wrong, bool):.1f} %", len(wrong)])
    table("Comparisons", ["", "must reach", "reached", "of"], rows)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        numbers = {"equal": equal, "slower_2": two, "slower_5": five, "peers": others}
        options.json.write_text(json.dumps(numbers, indent=1))


if __name__ == "__main__":
    main()
