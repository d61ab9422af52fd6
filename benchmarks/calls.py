# SPDX-License-Identifier: MIT
"""How much hasten.cProfile adds to a call, as a share of what the standard cProfile adds.

Both profile the same work in one process, in turns with no profiler: calls of one kind, and
twelve programs of pyperformance. For each round, what hasten added is divided by what the
standard module added. Printed is the median ratio with its 95 % bootstrap interval, and the
median nanoseconds that a call takes more. Memory is that of a million distinct pairs of caller
and callee, each profiler in a process of its own.
"""

import json
import statistics
import subprocess
import sys

from environment import PROGRAMS, known, of_command, pyperformance_programs, with_package
from measuring import interval, parser, table, write_json

PROFILERS = ("standard", "hasten")


def run(python, *arguments):
    command = [*python, str(PROGRAMS / "calls.py"), *map(str, arguments)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(answer.stdout)


def ratios(times):
    """One a round; a round in which the standard profiler added nothing says nothing."""
    rounds = zip(times["none"], times["standard"], times["hasten"])
    return [(ours - none) / (theirs - none) for none, theirs, ours in rounds if theirs > none]


def added_ns(times, name, count):
    pairs = zip(times["none"], times[name])
    return statistics.median(1e9 * (with_it - none) / count for none, with_it in pairs)


def show_ratio(values):
    middle, low, high = interval(values)
    return f"{middle:.2f}", f"{low:.2f} .. {high:.2f}"


def show_calls(version, calls):
    rows = []
    for name, work in calls.items():
        added = [f"{added_ns(work['times'], who, work['count']):.1f}" for who in PROFILERS]
        rows.append([name, *show_ratio(ratios(work["times"])), *added])
    title = f"Added to a call, Python {version}"
    table(title, ["calls of", "ratio", "95 %", "standard, ns", "hasten, ns"], rows)


def show_programs(version, programs):
    rows = []
    middles = []
    for name, work in programs.items():
        times = work["times"]
        plain, theirs, ours = (statistics.median(times[who]) for who in ("none", *PROFILERS))
        values = ratios(times)
        middles.append(statistics.median(values))
        slower = [f"{theirs / plain:.2f} x", f"{ours / plain:.2f} x"]
        rows.append([name, *show_ratio(values), *slower])
    mean = statistics.geometric_mean(max(value, 1e-3) for value in middles)
    rows.append(["geometric mean", f"{mean:.2f}", "", "", ""])
    title = f"Added to a program, Python {version}"
    table(title, ["program", "ratio", "95 %", "with standard", "with hasten"], rows)
    return mean


def measure(interpreter, rounds, programs):
    python = with_package(interpreter)
    if python is None:
        print(f"calls: no package for Python {interpreter.version}", file=sys.stderr)
        return None
    results = run(python, rounds, programs)
    results["edge_bytes"] = {who: run(python, 1, "edges", who) for who in PROFILERS}
    show_calls(interpreter.version, results["calls"])
    results["geometric_mean"] = show_programs(interpreter.version, results["programs"])
    rows = [[who, f"{results['edge_bytes'][who]:.1f}"] for who in PROFILERS]
    table(f"Memory, Python {interpreter.version}", ["profiler", "bytes an edge"], rows)
    return results


def main():
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--all", action="store_true", help="every interpreter there is")
    options = options.parse_args()
    rounds = 3 if options.quick else options.rounds
    programs = pyperformance_programs()
    if programs is None:
        return 1
    interpreters = known() if options.all else [of_command(options.python)]
    results = {one.version: measure(one, rounds, programs) for one in interpreters}
    write_json(options, "calls", None if options.all else interpreters[0], results)
    return 0 if all(results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
