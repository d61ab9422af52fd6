# SPDX-License-Identifier: MIT
"""A program with 200 threads sampled at 100 Hz: how much slower, and who keeps up.

Twenty threads share the work, the others wait. Groups as in overhead.py. "Missed" is the
share of the moments asked for in which the profiler did not look, by its own account.
"""

import re

from measuring import chosen, parser, percent, table, write_json
from overhead import measure, show
from profilers import Recording


def missed(profiler_name, result):
    """(missed, asked) moments; None where the profiler gives no account."""
    if profiler_name == "hasten":
        facts = Recording(result.path).facts
        lost, slots = int(facts["slots.missed"]), int(facts["slots"])
        return lost, lost + slots
    if profiler_name == "profiling.sampling":
        asked = re.search(r"missed (\d+) samples from the expected total of (\d+)", result.messages)
        return (int(asked[1]), int(asked[2])) if asked else (0, 1)
    if profiler_name.startswith("py-spy"):
        late = re.findall(r"([\d.]+)s behind", result.messages)
        return (max(map(float, late), default=0.0), result.wall_s)
    return None


def main():
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=12)
    options.add_argument(
        "--seconds", type=float, default=0.8, help="of work in a quarter of a group"
    )
    options.add_argument("--threads", type=int, default=200)
    options = options.parse_args()
    if options.quick:
        options.rounds, options.seconds = 3, 0.3
    interpreter, profilers = chosen(options)
    ratios, results = measure(options, interpreter, profilers, options.threads, rate=100)
    summary = show(
        f"Slowdown, {options.threads} threads at 100 Hz, Python {interpreter.version}", ratios
    )
    rows = []
    for name, runs in results.items():
        accounts = [account for account in (missed(name, run) for run in runs[-1:]) if account]
        lost = sum(account[0] for account in accounts)
        asked = sum(account[1] for account in accounts)
        summary[name]["missed"] = lost / asked if asked else None
        cpu = sorted(run.cpu_s / run.wall_s for run in runs)[len(runs) // 2]
        summary[name]["profiler_cpu"] = cpu
        rows.append([name, percent(lost / asked) if asked else "not told", percent(cpu, 1)])
    table("Keeping up", ["sampled by", "missed", "CPU of profiler"], rows)
    write_json(options, "threads", interpreter, summary)


if __name__ == "__main__":
    main()
