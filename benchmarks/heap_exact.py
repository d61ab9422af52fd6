# SPDX-License-Identifier: MIT
"""What exact tracing of allocations costs: hasten.tracemalloc against the standard module.

Work runs in processes of its own, in turns without tracing, under the standard module and
under hasten's; of each process the fastest round counts. For each turn, what hasten added is
divided by what the standard module added. Printed is the median ratio with its 95 %
bootstrap interval, and how much slower the work was under either. Memory is what a million
blocks of 20 to 416 bytes, and 200 thousand of 600 to 1392, take more when they are traced.
"""

import json
import statistics
import subprocess
import sys

from environment import PROGRAMS, known, of_command, pyperformance_programs, with_package
from measuring import interval, parser, table, write_json
from programs.heap_exact import SIZES, WORK

MODES = ("none", "standard", "hasten")
# Frames of a path, and how deep the work is called.
DEPTHS = ((1, 1), (25, 40))
PYPERFORMANCE = (
    "chaos",
    "deepcopy",
    "deltablue",
    "float",
    "generators",
    "go",
    "json_dumps",
    "logging",
    "nbody",
    "pyflate",
    "raytrace",
    "richards",
    "spectral_norm",
)
INNER_ROUNDS = 3


def run(python, *arguments):
    command = [*python, str(PROGRAMS / "heap_exact.py"), *map(str, arguments)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(answer.stdout)


def turns(python, rounds, frames, depth, work, folder):
    times = {mode: [] for mode in MODES}
    for i in range(rounds):
        for mode in MODES[i % 3 :] + MODES[: i % 3]:
            arguments = (mode, "time", frames, depth, work, INNER_ROUNDS, folder)
            times[mode].append(min(run(python, *arguments)))
    return times


def ratios(times):
    """One a turn; a turn in which the standard module added nothing says nothing."""
    rounds = zip(times["none"], times["standard"], times["hasten"])
    return [(ours - none) / (theirs - none) for none, theirs, ours in rounds if theirs > none]


def slower(times, mode):
    return min(times[mode]) / min(times["none"])


def show_times(title, results):
    rows = []
    for name, times in results.items():
        middle, low, high = interval(ratios(times) or [0.0])
        ways = [f"{slower(times, mode):.2f} x" for mode in MODES[1:]]
        rows.append([name, f"{middle:.3f}", f"{low:.3f} .. {high:.3f}", *ways])
    means = [
        statistics.geometric_mean(slower(times, mode) for times in results.values())
        for mode in MODES[1:]
    ]
    rows.append(["geometric mean", "", "", *(f"{mean:.2f} x" for mean in means)])
    table(title, ["work", "added, ratio", "95 %", "standard", "hasten"], rows)


def measure_memory(python, version, rounds):
    results = {}
    rows = []
    for sizes in SIZES:
        results[sizes] = {
            mode: [run(python, mode, "live", sizes) for _ in range(rounds)] for mode in MODES
        }
        found = {mode: statistics.median(results[sizes][mode]) for mode in MODES}
        more = [f"{found[mode] - found['none']:.1f}" for mode in MODES[1:]]
        rows.append([sizes, *more])
    table(f"Resident bytes a live block, Python {version}", ["blocks", "standard", "hasten"], rows)
    return results


def measure_snapshots(python, version, rounds):
    seconds = {mode: [run(python, mode, "snapshots") for _ in range(rounds)] for mode in MODES[1:]}
    rows = []
    for i, name in enumerate(("take_snapshot", "statistics('lineno')", "compare_to")):
        theirs, ours = (statistics.median(one[i] for one in seconds[mode]) for mode in MODES[1:])
        rows.append([name, f"{theirs:.3f}", f"{ours:.3f}", f"{theirs / ours:.0f} x"])
    title = f"A million live blocks, seconds, Python {version}"
    table(title, ["step", "standard", "hasten", "faster"], rows)
    return seconds


def measure(interpreter, rounds, folder, only):
    python = with_package(interpreter)
    if python is None:
        print(f"heap_exact: no package for Python {interpreter.version}", file=sys.stderr)
        return None
    version = interpreter.version
    results = {}
    for frames, depth in DEPTHS:
        if f"frames{frames}" in only:
            key = f"{frames} frames, {depth} deep"
            results[key] = {
                work: turns(python, rounds, frames, depth, work, folder) for work in WORK
            }
            show_times(f"{key}, Python {version}", results[key])
    if "programs" in only:
        results["programs"] = {
            name: turns(python, rounds, 1, 1, name, folder) for name in PYPERFORMANCE
        }
        show_times(f"Programs of pyperformance, 1 frame, Python {version}", results["programs"])
    if "memory" in only:
        results["memory"] = measure_memory(python, version, min(rounds, 3))
    if "snapshots" in only:
        results["snapshots"] = measure_snapshots(python, version, min(rounds, 3))
    return results


def main():
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--all", action="store_true", help="every interpreter there is")
    parts = ["frames1", "frames25", "programs", "memory", "snapshots"]
    options.add_argument("--part", action="append", choices=parts, help="these only")
    options = options.parse_args()
    rounds = 2 if options.quick else options.rounds
    folder = pyperformance_programs()
    if folder is None:
        return 1
    interpreters = known() if options.all else [of_command(options.python)]
    only = options.part or parts
    results = {one.version: measure(one, rounds, folder, only) for one in interpreters}
    write_json(options, "heap_exact", None if options.all else interpreters[0], results)
    return 0 if all(results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
