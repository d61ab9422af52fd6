# SPDX-License-Identifier: MIT
"""The CPU that a profiler itself uses at 1 kHz for one busy thread, 30 calls deep.

From the kernel's account (rusage) of the profiler's process. A short and a long run are
paired, and the difference is what a second of sampling costs: starting up and writing the
output at the end do not count (column "whole run" has them). Profilers take turns.
"""

import sys
import tempfile
import time
from pathlib import Path

from measuring import Steps, chosen, interval, parser, table, write_json


def run(profiler, interpreter, steps, seconds, folder):
    session = profiler.attach(interpreter, steps.pid, 1000, folder, all_threads=True)
    time.sleep(seconds)
    return session.stop()


def main():
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--short", type=float, default=1.0, metavar="SECONDS")
    options.add_argument("--long", type=float, default=6.0, metavar="SECONDS")
    options = options.parse_args()
    if options.quick:
        options.rounds, options.short, options.long = 2, 0.5, 2.0
    interpreter, profilers = chosen(options)
    steady = {profiler.name: [] for profiler in profilers}
    whole = {profiler.name: [] for profiler in profilers}
    with tempfile.TemporaryDirectory() as folder, Steps(interpreter) as steps:
        per_second = steps.units_for(1.0)
        pair = options.rounds * len(profilers) * (options.short + options.long + 10)
        steps.begin(int(per_second * pair))  # busy until the end
        for _ in range(options.rounds):
            for profiler in profilers:
                runs = [
                    run(profiler, interpreter, steps, seconds, Path(folder))
                    for seconds in (options.short, options.long)
                ]
                cpu = runs[1].cpu_s - runs[0].cpu_s
                wall = runs[1].wall_s - runs[0].wall_s
                steady[profiler.name].append(cpu / wall)
                whole[profiler.name].append(runs[1].cpu_s / runs[1].wall_s)
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    rows, summary = [], {}
    first = interval(steady["hasten"])[0] if "hasten" in steady else None
    for name, values in steady.items():
        middle, low, high = interval(values)
        summary[name] = {
            "steady": values,
            "median": middle,
            "low": low,
            "high": high,
            "whole_run": whole[name],
        }
        ratio = f"{middle / first:.1f} x" if first else ""
        rows.append(
            [
                name,
                f"{100 * middle:.2f} %",
                f"{100 * low:.2f} .. {100 * high:.2f} %",
                f"{100 * interval(whole[name])[0]:.2f} %",
                ratio,
            ]
        )
    table(
        f"CPU of the profiler at 1 kHz, Python {interpreter.version}",
        ["profiler", "of a core", "95 %", "whole run", "to hasten"],
        rows,
    )
    write_json(options, "sampler_cpu", interpreter, summary)


if __name__ == "__main__":
    main()
