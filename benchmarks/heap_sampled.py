# SPDX-License-Identifier: MIT
"""How much slower programs get while `hasten run` samples their memory.

Programs of pyperformance run in processes of their own, in turns: under plain python, under
`hasten run --memory=off` and under `hasten run` (memory sampled, native allocations
included). Of each process the fastest round counts, in CPU time of the program. For each
turn the time with memory sampled is divided by that with memory off, and by that of plain
python. Printed is the median ratio with its 95 % bootstrap interval, the ratio of the fastest
rounds of all turns, which a busy machine disturbs least, and the geometric mean and the worst
of each; "off again" is the noise: a second run without memory.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from environment import PROGRAMS, hasten_command, of_command, pyperformance_programs
from measuring import interval, parser, percent, table, write_json

MODES = ("plain", "off", "sampled", "off again")
# sqlite_synth allocates natively, by SQLite; json and deepcopy make small objects.
NAMES = (
    "async_generators",
    "chaos",
    "deepcopy",
    "deltablue",
    "float",
    "go",
    "hexiom",
    "json_dumps",
    "json_loads",
    "logging",
    "pyflate",
    "raytrace",
    "richards",
    "spectral_norm",
    "sqlite_synth",
    "unpack_sequence",
)


def run(interpreter, mode, folder, name, rounds, place):
    words = [str(PROGRAMS / "heap_sampled.py"), str(folder), name, str(rounds)]
    command = [interpreter.command, *words]
    if mode != "plain":
        memory = "sampled" if mode == "sampled" else "off"
        start = [hasten_command(), "run", "--no-report", f"--memory={memory}"]
        recording = ["-o", str(Path(place) / "heap.hasten"), "--python", interpreter.command]
        command = [*start, *recording, *words]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return min(json.loads(answer.stdout))


def measure(interpreter, names, folder, rounds, inner_rounds):
    times = {name: {mode: [] for mode in MODES} for name in names}
    with tempfile.TemporaryDirectory() as place:
        for i in range(rounds):
            for name in names:
                for mode in MODES[i % 4 :] + MODES[: i % 4]:
                    seconds = run(interpreter, mode, folder, name, inner_rounds, place)
                    times[name][mode].append(seconds)
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return times


def ratios(times, mode, base):
    return [with_it / without for with_it, without in zip(times[mode], times[base])]


def show(version, times):
    compared = (("sampled", "off"), ("sampled", "plain"), ("off again", "off"))
    rows = []
    middles = {pair: [] for pair in compared}
    least = {pair: [] for pair in compared}
    for name, kinds in times.items():
        cells = []
        for pair in compared:
            middle, low, high = interval(ratios(kinds, *pair))
            middles[pair].append(middle)
            fastest = min(kinds[pair[0]]) / min(kinds[pair[1]])
            least[pair].append(fastest)
            span = f"{percent(low - 1)} .. {percent(high - 1)}"
            cells += [percent(middle - 1), span, percent(fastest - 1)]
        rows.append([name, *cells])
    summary = {}
    for label, of_all in (("geometric mean", statistics.geometric_mean), ("worst", max)):
        values = [(of_all(middles[pair]), of_all(least[pair])) for pair in compared]
        summary[label] = values
        cells = [(percent(middle - 1), "", percent(fastest - 1)) for middle, fastest in values]
        rows.append([label, *(cell for three in cells for cell in three)])
    heads = ["sampled : off", "95 %", "least", "sampled : plain", "95 %", "least"]
    heads += ["off : off", "95 %", "least"]
    table(f"Slowdown by sampled memory, Python {version}", ["program", *heads], rows)
    return summary


def main():
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=10)
    options.add_argument("--inner", type=int, default=5, help="rounds within a process")
    options.add_argument("--program", action="append", help="only this one (can be repeated)")
    options = options.parse_args()
    if options.quick:
        options.rounds, options.inner = 3, 3
    folder = pyperformance_programs()
    if folder is None:
        return 1
    interpreter = of_command(options.python)
    names = options.program or NAMES
    times = measure(interpreter, names, folder, options.rounds, options.inner)
    summary = show(interpreter.version, times)
    write_json(options, "heap_sampled", interpreter, {"times": times, "summary": summary})
    return 0


if __name__ == "__main__":
    sys.exit(main())
