# SPDX-License-Identifier: MIT
"""Stacks that cannot have been, in a million samples of a program whose every stack is known.

tests/targets/oracle.py makes very short calls of many kinds; tests/targets/oracle_judge.py
says of each stack in the output whether it is possible, names and lines. Several rates,
because who looks rarely errs elsewhere than who looks all the time. Profilers take turns.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from environment import TARGETS
from measuring import Gated, chosen, parser, table, write_json

sys.path.insert(0, str(TARGETS))
from oracle_judge import Judge

RATES = (1_000, 10_000, 100_000, 1_000_000)


def measure(profiler, interpreter, rate, seconds, folder, judge):
    """(samples, impossible ones, failed ones, reasons)"""
    with Gated(interpreter, "oracle.py", seconds) as target:
        session = profiler.attach(interpreter, target.pid, rate, folder)
        target.run()
        result = session.finish(600)
    samples, impossible, reasons = 0, 0, Counter()
    for stack, amount in profiler.stacks(result).items():
        samples += amount
        reason = judge.judge(stack)
        if reason:
            impossible += amount
            reasons[reason] += amount
    return samples, impossible, profiler.failed(result), reasons


def main():
    options = parser(__doc__)
    options.add_argument(
        "--samples", type=int, default=1_000_000, help="of each profiler, at least"
    )
    options.add_argument("--seconds", type=float, default=10.0, help="of one run")
    options.add_argument("--most-runs", type=int, default=40, help="of each profiler")
    options.add_argument("--reasons", type=int, default=3, help="show so many of each profiler")
    options = options.parse_args()
    if options.quick:
        options.samples, options.seconds, options.most_runs = 20_000, 2.0, 4
    interpreter, profilers = chosen(options)
    judge = Judge()
    totals = {profiler.name: [0, 0, 0, Counter()] for profiler in profilers}
    told = dict.fromkeys(totals, False)
    rates_done = {}
    with tempfile.TemporaryDirectory() as folder:
        for run in range(options.most_runs):
            # The slow rates once each; then the fast ones until there are samples enough.
            rate = RATES[run] if run < len(RATES) else RATES[2 + run % 2]
            for profiler in profilers:
                total = totals[profiler.name]
                if total[0] >= options.samples and run >= len(RATES):
                    continue
                answer = measure(profiler, interpreter, rate, options.seconds, Path(folder), judge)
                samples, impossible, failed, reasons = answer
                total[0] += samples
                total[1] += impossible
                total[2] += failed or 0
                total[3] += reasons
                told[profiler.name] |= failed is not None
                rates_done.setdefault(profiler.name, []).append([rate, samples, impossible, failed])
            print(".", end="", file=sys.stderr, flush=True)
            if all(total[0] >= options.samples for total in totals.values()):
                break
    print(file=sys.stderr)
    show(options, interpreter, totals, told, rates_done)


def show(options, interpreter, totals, told, rates_done):
    rows, summary = [], {}
    for name, (samples, impossible, failed, reasons) in totals.items():
        share = f"{1e6 * impossible / max(1, samples):,.1f}"
        rows.append(
            [
                name,
                f"{samples:,}",
                f"{impossible:,}",
                share,
                f"{100 * failed / max(1, samples + failed):.3f} %" if told[name] else "not told",
            ]
        )
        summary[name] = {
            "samples": samples,
            "impossible": impossible,
            "failed": failed,
            "runs": rates_done.get(name, []),
            "reasons": reasons.most_common(20),
        }
    table(
        f"Impossible stacks, Python {interpreter.version}",
        ["profiler", "samples", "impossible", "in a million", "failed"],
        rows,
    )
    for name, (_, _, _, reasons) in totals.items():
        for reason, count in reasons.most_common(options.reasons):
            print(f"    {name}: {count:,} x {reason}")
    write_json(options, "torn", interpreter, summary)


if __name__ == "__main__":
    main()
