# SPDX-License-Identifier: MIT
"""The most stacks a second that a profiler can take, 30 calls deep.

Each is asked for a million a second; counted are the whole stacks in its output, over the
time from a short to a long run, so that starting does not count. Profilers take turns.
Also printed: failed samples by the profiler's own account.
"""

import sys
import tempfile
import time
from pathlib import Path

from measuring import Steps, chosen, interval, parser, table, write_json

DEPTH = 30


def run(profiler, interpreter, steps, seconds, folder):
    session = profiler.attach(interpreter, steps.pid, 1_000_000, folder)
    time.sleep(seconds)
    sampled = time.perf_counter() - session.start
    result = session.stop()
    stacks = profiler.stacks(result)
    whole = sum(count for stack, count in stacks.items() if len(stack) >= DEPTH - 6)
    return whole, sampled, profiler.failed(result)


def main():
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--short", type=float, default=0.5, metavar="SECONDS")
    options.add_argument("--long", type=float, default=2.5, metavar="SECONDS")
    options = options.parse_args()
    if options.quick:
        options.rounds, options.short, options.long = 2, 0.2, 1.2
    interpreter, profilers = chosen(options)
    rates = {profiler.name: [] for profiler in profilers}
    failed = {profiler.name: [] for profiler in profilers}
    with tempfile.TemporaryDirectory() as folder, Steps(interpreter, DEPTH) as steps:
        per_second = steps.units_for(1.0)
        steps.begin(int(per_second * options.rounds * len(profilers) * 120))
        for _ in range(options.rounds):
            for profiler in profilers:
                short, long = (
                    run(profiler, interpreter, steps, seconds, Path(folder))
                    for seconds in (options.short, options.long)
                )
                rates[profiler.name].append((long[0] - short[0]) / (long[1] - short[1]))
                if long[2] is not None:
                    failed[profiler.name].append(long[2] / max(1, long[0] + long[2]))
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    show(options, interpreter, rates, failed)


def show(options, interpreter, rates, failed):
    rows, summary = [], {}
    for name, values in rates.items():
        middle, low, high = interval(values)
        summary[name] = {
            "rates": values,
            "median": middle,
            "low": low,
            "high": high,
            "failed": failed[name],
        }
        ratio = ""
        if "hasten" in rates and name != "hasten":
            ratios = [ours / theirs for ours, theirs in zip(rates["hasten"], values)]
            times, least, most = interval(ratios)
            summary[name]["hasten_to_it"] = {"median": times, "low": least, "high": most}
            ratio = f"{times:.2f} ({least:.2f} .. {most:.2f})"
        lost = f"{100 * interval(failed[name])[0]:.3f} %" if failed[name] else "not told"
        rows.append([name, f"{middle:,.0f}", f"{low:,.0f} .. {high:,.0f}", lost, ratio])
    table(
        f"Stacks a second, {DEPTH} calls deep, Python {interpreter.version}",
        ["profiler", "a second", "95 %", "failed", "hasten : it"],
        rows,
    )
    write_json(options, "rate", interpreter, summary)


if __name__ == "__main__":
    main()
