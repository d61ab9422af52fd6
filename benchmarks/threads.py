# SPDX-License-Identifier: MIT
"""A program with 200 threads sampled at 100 Hz: how much slower, and who keeps up.

Twenty threads share the work, the others wait. Groups as in overhead.py. "Missed" is the
share of the moments asked for in which the profiler did not look, by its own account.
"""

import re

from measuring import chosen, interval, parser, table, write_json
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


def account(profiler_name, result):
    return {"missed": missed(profiler_name, result), "cpu": result.cpu_s / result.wall_s}


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
    ratios, accounts = measure(
        options, interpreter, profilers, options.threads, rate=100, account=account
    )
    title = f"Slowdown, {options.threads} threads at 100 Hz, Python {interpreter.version}"
    summary = show(title, ratios)
    rows = []
    for name, runs in accounts.items():
        told = [run["missed"] for run in runs if run["missed"] is not None]
        lost = sum(lost for lost, _ in told) / sum(asked for _, asked in told) if told else None
        cpu, low, high = interval([run["cpu"] for run in runs])
        summary[name].update(missed=lost, profiler_cpu=[cpu, low, high])
        missed_text = "not told" if lost is None else f"{100 * lost:.2f} %"
        rows.append(
            [name, missed_text, f"{100 * cpu:.1f} %", f"{100 * low:.1f} .. {100 * high:.1f} %"]
        )
    table("Keeping up", ["sampled by", "missed", "CPU of profiler", "95 %"], rows)
    write_json(options, "threads", interpreter, summary)


if __name__ == "__main__":
    main()
