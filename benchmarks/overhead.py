# SPDX-License-Identifier: MIT
"""How much slower a program gets while it is sampled at 1 kHz, 30 calls deep.

One target does the same work again and again: without, with, with, without a profiler.
Each such group of four gives one ratio; groups of the profilers take turns, and "nothing"
is a group without any profiler, which shows the noise of the machine. Printed is the
median ratio and its 95 % bootstrap interval.
"""

import sys
import tempfile
import time
from pathlib import Path

from measuring import Steps, chosen, interval, parser, percent, table, write_json


def group(steps, units, profiler, interpreter, rate, folder):
    """One without-with-with-without group: the ratio with : without, wall and CPU."""
    outer = [steps.work_in_slices(units)]
    session = None
    if profiler is not None:
        session = profiler.attach(interpreter, steps.pid, rate, folder, all_threads=True)
        if session.ended():
            raise RuntimeError(f"{profiler.name} ended: {session.wait().messages[-300:]}")
    else:
        time.sleep(0.8)
    inner = [steps.work_in_slices(units), steps.work_in_slices(units)]
    result = session.stop() if session else None
    if session is None:
        time.sleep(0.2)
    outer.append(steps.work_in_slices(units))
    ratios = [sum(part[i] for part in inner) / sum(part[i] for part in outer) for i in range(2)]
    return ratios, result


def measure(options, interpreter, profilers, threads=1, rate=1000, account=None):
    """Ratios of each profiler's groups, and `account(name, result)` of each of its runs."""
    ratios = {name: {"wall": [], "cpu": []} for name in ["nothing", *(p.name for p in profilers)]}
    accounts = {}
    with tempfile.TemporaryDirectory() as folder, Steps(interpreter, 30, threads) as steps:
        units = steps.units_for(options.seconds)
        for _ in range(options.rounds):
            for profiler in [None, *profilers]:
                name = profiler.name if profiler else "nothing"
                (wall, cpu), result = group(steps, units, profiler, interpreter, rate, Path(folder))
                ratios[name]["wall"].append(wall)
                ratios[name]["cpu"].append(cpu)
                if result is not None and account is not None:
                    accounts.setdefault(name, []).append(account(name, result))
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return ratios, accounts


def show(title, ratios):
    rows = []
    summary = {}
    for name, kinds in ratios.items():
        cells = []
        summary[name] = {"ratios": kinds}
        for kind, values in kinds.items():
            middle, low, high = (value - 1 for value in interval(values))
            summary[name][kind] = {"slowdown": middle, "low": low, "high": high}
            cells += [percent(middle), f"{percent(low)} .. {percent(high)}"]
        rows.append([name, *cells, str(len(kinds["wall"]))])
    table(title, ["sampled by", "wall", "95 %", "CPU of target", "95 %", "groups"], rows)
    return summary


def main():
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=25)
    options.add_argument(
        "--seconds", type=float, default=0.5, help="of work in a quarter of a group"
    )
    options = options.parse_args()
    if options.quick:
        options.rounds, options.seconds = 4, 0.2
    interpreter, profilers = chosen(options)
    ratios, _ = measure(options, interpreter, profilers)
    summary = show(f"Slowdown at 1 kHz, 30 calls deep, Python {interpreter.version}", ratios)
    write_json(options, "overhead", interpreter, summary)


if __name__ == "__main__":
    main()
