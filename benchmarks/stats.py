# SPDX-License-Identifier: MIT
"""How much faster hasten.pstats loads, adds and prints statistics than the standard module.

Both work on the same files in turns, in one interpreter; printed are medians, and the
ratio of the times of each turn with its 95 % interval. The files are dumps that cProfile
wrote of a program with a random part of its work. --python takes a version that
`make test-all` has built the package for; without it, this interpreter is used.
"""

import argparse
import cProfile
import io
import json
import marshal
import os
import pstats
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import interval, table, write_json

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
# Of a large program: what is measured once everything is added.
LARGE_FUNCTIONS = 20_000
LARGE_CALLERS = 5
MILLION = 1_000_000


def tasks():
    import argparse
    import decimal
    import difflib
    import email.message
    import statistics
    import textwrap

    def numbers(rng, count):
        return [rng.random() for _ in range(count)]

    return [
        lambda rng: json.loads(json.dumps({str(i): [i] * 5 for i in range(rng.randrange(50))})),
        lambda rng: textwrap.fill("some words " * rng.randrange(100)),
        lambda rng: list(
            difflib.unified_diff(
                [str(n) for n in numbers(rng, 9)], [str(n) for n in numbers(rng, 9)]
            )
        ),
        lambda rng: statistics.stdev(numbers(rng, 30)),
        lambda rng: argparse.ArgumentParser().format_help(),
        lambda rng: email.message.EmailMessage().as_string(),
        lambda rng: decimal.Decimal(rng.random()).sqrt(),
        lambda rng: sorted(map(str, numbers(rng, 50)), key=len),
    ]


def write_dumps(folder, count, most):
    """Dumps of a random choice of at most so many tasks each; the paths."""
    work = tasks()
    paths = []
    for number in range(count):
        rng = random.Random(number)
        profile = cProfile.Profile()
        profile.enable()
        for task in rng.sample(work, rng.randint(1, most)):
            task(rng)
        profile.disable()
        paths.append(str(folder / f"{most}-{number}.prof"))
        profile.dump_stats(paths[-1])
    return paths


def write_large(path):
    rng = random.Random(1)
    names = [
        (f"/srv/app/part{n % 300}/module{n % 900}.py", n, f"function_{n}")
        for n in range(LARGE_FUNCTIONS)
    ]
    stats = {}
    for name in names:
        callers = {
            rng.choice(names): (3, 2, rng.random(), rng.random()) for _ in range(LARGE_CALLERS)
        }
        stats[name] = (2, 3, rng.random(), rng.random(), callers)
    path.write_bytes(marshal.dumps(stats))
    return str(path)


def in_turns(rounds, action):
    """Seconds that the action took with each module: [(standard, ours)]."""
    from hasten import pstats as ours

    times = []
    for turn in range(rounds):
        taken = {}
        for module in (pstats, ours) if turn % 2 else (ours, pstats):
            prepared = action(module)
            start = time.perf_counter()
            next(prepared, None)
            taken[module] = time.perf_counter() - start
        times.append((taken[pstats], taken[ours]))
    return times


def adding(paths):
    def action(module):
        module.Stats(paths[0])
        return (module.Stats(*paths) for _ in range(1))

    return action


def doing(path, method, *arguments):
    def action(module):
        stats = module.Stats(path, stream=io.StringIO())
        return (getattr(stats, method)(*arguments) for _ in range(1))

    return action


def rows_of(folder, rounds, count):
    small = write_dumps(folder, count, 1)
    middle = write_dumps(folder, count, 8)
    large = write_large(folder / "large.prof")
    dump = str(folder / "dump")
    yield f"Stats of {count:,} dumps, small", in_turns(rounds, adding(small))
    yield f"Stats of {count:,} dumps, larger", in_turns(rounds, adding(middle))
    for text, method, *arguments in (
        ("strip_dirs", "strip_dirs"),
        ("sort_stats('cumulative')", "sort_stats", "cumulative"),
        ("sort_stats('nfl')", "sort_stats", "nfl"),
        ("print_stats()", "print_stats"),
        ("print_callers()", "print_callers"),
        ("print_callees()", "print_callees"),
        ("dump_stats()", "dump_stats", dump),
    ):
        title = f"{text}, {LARGE_FUNCTIONS:,} functions"
        yield title, in_turns(rounds, doing(large, method, *arguments))


MEMORY = """\
import gc, marshal, sys
functions = [("f.py", n, "f") for n in range(1000)]
edges = {f: (1, 1, 0.5, 0.5) for f in functions}
data = marshal.dumps({f: (1, 1, 0.5, 0.5, edges | {}) for f in functions})
del edges
from hasten._pstats import Table
def kept():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
before = kept()
table = Table()
table.load(data, False, True)
print(kept() - before)
"""


def bytes_an_edge():
    """What the process keeps of a table of a million edges, each."""
    answer = subprocess.run([sys.executable, "-c", MEMORY], check=True, capture_output=True)
    return int(answer.stdout) / MILLION


def in_other_interpreter(version):
    """The command that runs this driver there."""
    sys.path.insert(0, str(ROOT / "tools"))
    import interpreters

    for found in interpreters.find_all():
        python = ROOT / ".cache" / "venv" / found.version / "bin" / "python"
        if found.version == version and (python.parent / "hasten").exists():
            words = [word for word in sys.argv[1:] if word not in ("--python", version)]
            return [*found.enter, str(python), str(Path(sys.argv[0]).resolve()), *words]
    sys.exit(f"stats: no package was built for {version}: run make test-all")


def main():
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--python", metavar="VERSION")
    options.add_argument("--json", type=Path, metavar="FILE")
    options.add_argument("--quick", action="store_true", help="fewer files and rounds")
    options.add_argument("--rounds", type=int, default=7)
    options = options.parse_args()
    if options.python:
        return subprocess.run(in_other_interpreter(options.python), check=False).returncode
    rounds, count = (3, 200) if options.quick else (options.rounds, 2_000)
    rows, summary = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for title, times in rows_of(Path(folder), rounds, count):
            theirs = interval([one for one, _ in times])[0]
            ours = interval([other for _, other in times])[0]
            ratio, low, high = interval([one / other for one, other in times])
            rows.append(
                [
                    title,
                    f"{theirs:.3f} s",
                    f"{ours:.4f} s",
                    f"{ratio:.1f}",
                    f"{low:.1f} .. {high:.1f}",
                ]
            )
            summary[title] = {"times_s": times, "ratio": ratio, "low": low, "high": high}
    title = f"Statistics, Python {'.'.join(map(str, sys.version_info[:3]))}, {os.cpu_count()} CPUs"
    table(title, ["what", "pstats", "hasten.pstats", "times", "95 %"], rows)
    summary["bytes_an_edge"] = bytes_an_edge()
    print(f"\n  {MILLION:,} edges: {summary['bytes_an_edge']:.0f} bytes each")
    write_json(options, "stats", None, summary)
    return 0


if __name__ == "__main__":
    sys.exit(main())
