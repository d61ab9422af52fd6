# SPDX-License-Identifier: MIT
"""How far the shares that a profiler reports are from those that a program measured.

The programs of tests/targets clock their own functions. Each is sampled from its start
to its end, long enough for 10 000 samples at 1 kHz. Printed is, for each program, the
largest error of any of its functions in percentage points.
"""

import sys
import tempfile
from pathlib import Path

from measuring import Gated, chosen, interval, parser, table, write_json

# program and arguments, and whether its shares are of self or of total time
PROGRAMS = {
    "shares": (("shares.py",), "self"),
    "30 deep": (("deep.py", "30"), "self"),
    "200 deep": (("deep.py", "200"), "self"),
    "recursive": (("recursive.py",), "self"),
    "short leaves": (("short_leaves.py",), "total"),
    "generators": (("generators.py",), "self"),
    "C-heavy": (("c_heavy.py",), "total"),
    "exec-heavy": (("exec_heavy.py",), "self"),
    "garbage": (("gc_heavy.py",), "total"),
    "coroutines": (("asyncio_tasks.py",), "total"),
}


def shares(stacks, names, metric):
    """The share of each name of what the stacks with any of them count; and that sum."""
    counts = dict.fromkeys(names, 0)
    for stack, amount in stacks.items():
        functions = [name.rpartition(".")[2] for _, name, _ in stack]
        if metric == "self":
            # the innermost function of the program: what it calls in a library is its own
            found = {functions[-1]} if functions else set()
        else:
            found = set(functions)
        for name in found & counts.keys():
            counts[name] += amount
    total = sum(counts.values())
    return {name: count / max(1, total) for name, count in counts.items()}, total


def measure(profiler, interpreter, program, metric, options, folder):
    file, *rest = program
    with Gated(interpreter, file, options.seconds, *rest) as target:
        session = profiler.attach(interpreter, target.pid, options.rate, folder)
        truth = target.run()
        result = session.finish()
    names = list(truth["shares"])
    seen, _ = shares(profiler.times(result), names, metric)
    _, total = shares(profiler.stacks(result), names, metric)
    errors = {name: seen[name] - share for name, share in truth["shares"].items()}
    return max(errors.values(), key=abs), total, errors


def main():
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=10.5)
    options.add_argument("--rate", type=int, default=1000)
    options.add_argument("--program", action="append", choices=list(PROGRAMS))
    options = options.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 2.0
    interpreter, profilers = chosen(options)
    rows, summary = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for title in options.program or PROGRAMS:
            program, metric = PROGRAMS[title]
            worst = {profiler.name: [] for profiler in profilers}
            samples = {profiler.name: 0 for profiler in profilers}
            for _ in range(options.rounds):
                for profiler in profilers:
                    error, total, _ = measure(
                        profiler, interpreter, program, metric, options, Path(folder)
                    )
                    worst[profiler.name].append(100 * error)
                    samples[profiler.name] += total
                print(".", end="", file=sys.stderr, flush=True)
            summary[title] = {
                name: {"worst_error_points": values, "samples": samples[name]}
                for name, values in worst.items()
            }
            cells = []
            for values in worst.values():
                middle, _, _ = interval(values)
                cells.append(f"{middle:+.2f} (to {max(values, key=abs):+.2f})")
            rows.append([title, *cells])
    print(file=sys.stderr)
    table(
        f"Largest error of a share in points: median and worst of {options.rounds} runs of "
        f"{options.seconds:g} s at {options.rate} Hz, Python {interpreter.version}",
        ["program", *(profiler.name for profiler in profilers)],
        rows,
    )
    write_json(options, "accuracy", interpreter, summary)


if __name__ == "__main__":
    main()
