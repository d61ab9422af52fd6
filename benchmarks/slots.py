# SPDX-License-Identifier: MIT
"""What do slots made by hasten.slots.slotted cost and save, and how long does a survey take?

Classes of 3, 8 and 31 attributes, as written, with slots written by hand, and with `slotted`;
creation, reading and writing of attributes in turns, as ratios to the class as written; bytes an
instance as allocated. The survey is of 10 million objects (a million with --quick), two thirds of
them instances; it is compared with what the process has more in pymalloc's blocks since before
they were made. --python takes a version that `make test-all` has built the package for; without
it, this interpreter is used.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from measuring import interval, table, write_json
from stats import in_other_interpreter

ATTRIBUTES = (3, 8, 31)
KINDS = ("as written", "by hand", "slotted")

TIMES = """
import json, sys, time
from hasten import _slots
from hasten.slots import slotted

count, rounds = int(sys.argv[1]), int(sys.argv[2])
names = [f"n{i}" for i in range(count)]

def make(head="", decorator=""):
    text = f"{decorator}class C:\\n{head}"
    text += f" def __init__(self, {', '.join(names)}):\\n"
    text += "".join(f"  self.{name} = {name}\\n" for name in names)
    space = {"slotted": slotted}
    exec(text, space)
    return space["C"]

kinds = [make(), make(f" __slots__ = {names}\\n"), make(decorator="@slotted\\n")]
calls = ", ".join(names)

def loops(cls):
    space = {"C": cls, "perf_counter": time.perf_counter}
    exec(
        f"def create(n, {calls}):\\n"
        f" t = perf_counter()\\n"
        f" for _ in range(n):\\n"
        f"  C({calls})\\n"
        f" return perf_counter() - t\\n"
        f"def read(n, one):\\n"
        f" t = perf_counter()\\n"
        f" for _ in range(n):\\n"
        f"  one.n0; one.{names[-1]}; one.n1; one.n0; one.{names[-1]}; one.n1; one.n0; one.n1\\n"
        f" return perf_counter() - t\\n"
        f"def write(n, one):\\n"
        f" t = perf_counter()\\n"
        f" for _ in range(n):\\n"
        f"  one.n0 = one.{names[-1]} = one.n1 = one.n0 = one.{names[-1]} = one.n1 = n\\n"
        f" return perf_counter() - t\\n",
        space,
    )
    values = list(range(count))
    one = cls(*values)
    for _ in range(60):
        cls(*values)
    return (
        lambda: space["create"](60000 // (count + 3), *values),
        lambda: space["read"](8000, one),
        lambda: space["write"](8000, one),
    )

every = [loops(cls) for cls in kinds]
result = [[[] for _ in range(3)] for _ in kinds]
for r in range(rounds):
    for what in range(3):
        order = range(3) if r % 2 else range(2, -1, -1)
        for k in order:
            result[k][what].append(every[k][what]())
kept = [[cls(*range(count)) for _ in range(2000)] for cls in kinds]
rows = {id(row["type"]): row for row in _slots.survey()[1]}
each = [rows[id(cls)]["bytes"] / rows[id(cls)]["count"] for cls in kinds]
print(json.dumps([result, each]))
"""

SURVEY = """
import gc, json, os, re, sys, tempfile, time
from hasten.slots import survey

def allocated():
    with tempfile.TemporaryFile() as file:
        saved = os.dup(2)
        os.dup2(file.fileno(), 2)
        sys._debugmallocstats()
        os.dup2(saved, 2)
        file.seek(0)
        text = file.read().decode()
    rows = re.findall(r"^ +\\d+ +(\\d+) +\\d+ +(\\d+) +\\d+ *$", text, re.MULTILINE)
    return sum(int(size) * int(count) for size, count in rows)

class Plain:
    def __init__(self, a):
        self.a = a
        self.b = a
        self.c = a

class Touched(Plain):
    pass

gc.disable()
total = int(sys.argv[1])
names = {}
plain = [None] * (total * 6 // 10)
touched = [None] * (total // 30)
[Plain(1) for _ in range(100)], [Touched(1).__dict__ for _ in range(100)]
before = allocated()
for i in range(len(plain)):
    plain[i] = Plain(1)
for i in range(len(touched)):
    touched[i] = Touched(1)
    touched[i].__dict__
truth = allocated() - before
other = [[] for _ in range(total - len(plain) - 2 * len(touched))]
times = []
for _ in range(3):
    start = time.perf_counter()
    found = survey()
    times.append(time.perf_counter() - start)
start = time.perf_counter()
gc.collect()
collect = time.perf_counter() - start
rows = [found["__main__.Plain"], found["__main__.Touched"]]
assert [row.count for row in rows] == [len(plain), len(touched)]
print(json.dumps([found.objects, times, collect, sum(row.bytes for row in rows), truth]))
"""


def run(code, *arguments):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def times(quick):
    rows, results = [], {}
    for count in ATTRIBUTES:
        found, each = run(TIMES, count, 15 if quick else 60)
        results[count] = {"times": found, "bytes": each}
        for k, kind in enumerate(KINDS):
            cells = []
            for what in range(3):
                ratios = [a / b for a, b in zip(found[k][what], found[0][what])]
                middle, low, high = interval(ratios)
                cells.append(f"{middle:.2f} ({low:.2f} .. {high:.2f})")
            rows.append([f"{count}, {kind}", *cells, f"{each[k]:.0f}"])
    columns = ["attributes", "creation", "reading", "writing", "bytes"]
    table("slots, to the class as written", columns, rows)
    return results


def main():
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--python", help="3.11 to 3.15; default: this interpreter")
    options.add_argument("--json", type=Path)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--part", choices=["times", "survey"], help="only this")
    options = options.parse_args()
    if options.python:
        return subprocess.run(in_other_interpreter(options.python), check=False).returncode
    results = {}
    if options.part != "survey":
        results["times"] = times(options.quick)
    if options.part != "times":
        found = run(SURVEY, 1_000_000 if options.quick else 10_000_000)
        objects, seconds, collect, counted, truth = found
        row = [
            f"{objects:,}",
            f"{min(seconds):.2f} s",
            f"{min(seconds) / objects * 1e9:.0f} ns",
            f"{min(seconds) / collect:.2f} x",
            f"{100 * (counted / truth - 1):+.2f} %",
        ]
        columns = ["objects", "survey", "an object", "to gc.collect()", "bytes, to the allocator's"]
        table("survey", columns, [row])
        results["survey"] = found
    write_json(options, "slots", None, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
