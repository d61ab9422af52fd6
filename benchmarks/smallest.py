# SPDX-License-Identifier: MIT
"""How near the smallest times are to the truth, and how steady counts are.

The truth of a statement of a few nanoseconds is found in another way than hasten does: by
the processor's counter around calls of functions that hold it 1000 and 2000 times, without
a loop. `hasten bench --unroll` must come within 1 ns. Instructions of the same benchmark,
counted ten times, must agree to 0.01 %."""

import json
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from environment import ROOT
from measuring import parser, table

HASTEN = ROOT / ".venv" / "bin" / "hasten"
SETUP = "class A: pass\na = A(); a.b = x = 1"
STATEMENTS = ("pass", "x + 1", "a.b")
COPIES = 1000
COUNTED = "sum(range(100))"


def bench(options, *arguments):
    command = [HASTEN, "bench", "--json", "--no-memory", "--python", options.python, *arguments]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(answer.stdout)["benchmarks"][0]["a"]


def compile_oracle(folder):
    command = ["cc", "-O2", "-shared", "-fPIC", f"-I{sysconfig.get_paths()['include']}"]
    source = Path(__file__).with_name("cycles.c")
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    subprocess.run([*command, source, "-o", f"{folder}/cycles{suffix}"], check=True)
    sys.path.insert(0, folder)
    import cycles

    return cycles


def repeated(statement, copies):
    # The class is made once: another one each time would never be specialised for.
    names = {}
    lines = "\n    ".join([statement] * copies)
    exec(f"{SETUP}\ndef f(a=a, x=x):\n    {lines}\n", names)
    return names["f"]


def truth_ns(cycles, statement, repeats):
    start_ns, start = time.perf_counter_ns(), cycles.ticks()
    short, long = repeated(statement, COPIES), repeated(statement, 2 * COPIES)
    for _ in range(200):  # specialised by then
        short(), long()
    found = cycles.cycles(short, long, repeats) / COPIES
    per_ns = (cycles.ticks() - start) / (time.perf_counter_ns() - start_ns)
    return found / per_ns


def main():
    options = parser(__doc__)
    options.set_defaults(python=sys.executable)
    options.add_argument("--budget", default="10", help="seconds a statement")
    options.add_argument("--counts", type=int, default=10, help="counts of instructions")
    options = options.parse_args()
    if options.quick:
        options.budget, options.counts = "3", 3
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        cycles = compile_oracle(folder)
        for statement in STATEMENTS:
            before = truth_ns(cycles, statement, 5000)
            found = bench(
                options, "--unroll", "--budget", options.budget, "-s", SETUP, statement
            )["median_s"] * 1e9  # fmt: skip
            true = statistics.mean([before, truth_ns(cycles, statement, 5000)])
            rows.append([statement, f"{true:.2f} ns", f"{found:.2f} ns", f"{found - true:+.2f} ns"])
    table("Smallest times", ["statement", "counter", "hasten", "must be within 1 ns"], rows)
    numbers = {"times": rows}
    if shutil.which("valgrind"):
        counts = [
            bench(options, "--budget", "0.1", "--count", "instructions", COUNTED)["instructions"]
            for _ in range(options.counts)
        ]
        spread = (max(counts) - min(counts)) / statistics.mean(counts)
        row = [COUNTED, f"{statistics.median(counts):.1f}", f"{100 * spread:.5f} %", len(counts)]
        table("Instructions", ["statement", "median", "spread, 0.01 % at most", "of"], [row])
        numbers["instructions"] = counts
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(numbers, indent=1))


if __name__ == "__main__":
    main()
