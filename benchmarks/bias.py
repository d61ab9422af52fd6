# SPDX-License-Identifier: MIT
"""Whether very short calls are seen less than they should be.

A sampler that reads a running program and gives up stacks that move under it prefers
code that stands still. Here the shares of the innermost functions of tests/targets/
oracle.py (calls of some 50 ns) as each profiler sees the running program are compared to
those of a program that is stopped for every look (hasten --blocking), in turns. Printed
are the functions with the largest differences in points, and each profiler's largest; the
row "blocking again" compares two such runs and shows what chance alone does.
"""

import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from environment import TARGETS, hasten_command
from measuring import Gated, chosen, parser, table, write_json
from profilers import Hasten

sys.path.insert(0, str(TARGETS))
from oracle import LIBRARY


class Blocking(Hasten):
    def __init__(self, name):
        self.name = name

    def command(self, interpreter, pid, rate, path, all_threads):
        options = ["-o", str(path), "-r", str(rate), "--no-report", "--blocking"]
        return [hasten_command(), "attach", str(pid), *options]


def leaf_shares(profiler, interpreter, options, folder):
    """{function: share of the stacks that it is the leaf of}"""
    with Gated(interpreter, "oracle.py", options.seconds) as target:
        session = profiler.attach(interpreter, target.pid, options.rate, folder)
        target.run()
        result = session.finish()
    counts = Counter()
    for stack, amount in profiler.stacks(result).items():
        names = [name.rpartition(".")[2] for _, name, _ in stack]
        if "main" in names[:-1] and not LIBRARY.intersection(names):
            counts[names[-1]] += amount
    total = max(1, sum(counts.values()))
    return {name: amount / total for name, amount in counts.items()}, total


def main():
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=4)
    options.add_argument("--seconds", type=float, default=10.0)
    options.add_argument("--rate", type=int, default=2000)
    options.add_argument("--show", type=int, default=8, help="functions")
    options = options.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 4.0
    interpreter, profilers = chosen(options)
    reference = Blocking("blocking")
    profilers = [reference, Blocking("blocking again"), *profilers]
    runs = {profiler.name: [] for profiler in profilers}
    samples = Counter()
    rng = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            for profiler in rng.sample(profilers, len(profilers)):
                found, total = leaf_shares(profiler, interpreter, options, Path(folder))
                runs[profiler.name].append(found)
                samples[profiler.name] += total
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    show(options, interpreter, runs, samples)


def show(options, interpreter, runs, samples):
    names = {name for found in runs.values() for run in found for name in run}
    mean = {
        title: {name: sum(run.get(name, 0) for run in found) / len(found) for name in names}
        for title, found in runs.items()
    }
    others = [title for title in runs if title != "blocking"]
    points = {
        title: {name: 100 * (mean[title][name] - mean["blocking"][name]) for name in names}
        for title in others
    }
    rows = []
    worst = {title: max(errors.values(), key=abs) for title, errors in points.items()}
    first = "hasten" if "hasten" in points else others[-1]
    for name in sorted(names, key=lambda name: -abs(points[first][name]))[: options.show]:
        cells = [f"{points[title][name]:+.2f}" for title in others]
        rows.append([name, f"{100 * mean['blocking'][name]:.2f} %", *cells])
    rows.append(["largest", "", *(f"{worst[title]:+.2f}" for title in others)])
    rows.append(["samples", f"{samples['blocking']:,}", *(f"{samples[t]:,}" for t in others)])
    table(
        f"Shares of the innermost function: points more than of a stopped program, "
        f"Python {interpreter.version}",
        ["function", "blocking", *others],
        rows,
    )
    summary = {title: {"worst_points": worst[title], "points": points[title]} for title in others}
    write_json(options, "bias", interpreter, summary)


if __name__ == "__main__":
    main()
