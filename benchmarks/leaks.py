# SPDX-License-Identifier: MIT
"""Does hasten.leaks find what leaks and only that, and how long does it stop the program?

Planted leaks and decoys are those of tests/targets/, each in a process of its own, watched for
several numbers of iterations. The pause is that of a mark in a program of a million objects,
in turns with a full collection (gc.collect()) of the same heap; the memory is what the process
has more after a mark than before the first. --python takes a version that `make test-all` has
built the package for; without it, this interpreter is used.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import interval, table, write_json

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ITERATIONS = (8, 16, 32)

WATCH = """
import json, sys
sys.path.insert(0, sys.argv[1])
import app
import hasten.leaks
with hasten.leaks.watch() as found:
    for i in range(int(sys.argv[2])):
        app.step(i)
        found.mark()
print(json.dumps([leak.chain for leak in found.leaks]))
"""

PAUSE = """
import gc, json, sys, time
import hasten.leaks

class Node:
    def __init__(self, i):
        self.i = i
        self.name = f"node {i}"
        self.edges = [i]

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

kept = [Node(i) for i in range(250_000)]
gc.collect()
before = resident()
watch = hasten.leaks.Watch()
watch.mark()
bytes_an_object = (resident() - before) / watch._watcher.objects
rows = []
for _ in range(int(sys.argv[1])):
    times = []
    for look in (watch.mark, watch.report, gc.collect):
        start = time.perf_counter()
        look()
        times.append(time.perf_counter() - start)
    rows.append(times)
print(json.dumps([watch._watcher.objects, bytes_an_object, rows]))
"""


def run(python, code, *arguments):
    command = [*python, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def found(python, iterations):
    """Leaks found with the right chain, other chains named, decoys named."""
    sys.path.insert(0, str(ROOT / "tests" / "targets"))
    from growing_programs import DECOYS
    from leaking_programs import LEAKS

    right = other = decoys = 0
    texts = {name: (text, chain) for name, (text, chain, _) in LEAKS.items()}
    texts |= {name: (text, None) for name, text in DECOYS.items()}
    for text, chain in texts.values():
        with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
            (Path(folder) / "app.py").write_text(text)
            chains = run(python, WATCH, folder, iterations)
        matches = [bool(chain and re.fullmatch(chain, one)) for one in chains]
        right += any(matches)
        other += matches.count(False) if chain else 0
        decoys += len(chains) if not chain else 0
    return [right, len(LEAKS), other, decoys, len(DECOYS)]


def main():
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--python", help="3.11 to 3.15; default: this interpreter")
    options.add_argument("--json", type=Path)
    options.add_argument("--quick", action="store_true")
    options = options.parse_args()
    python = [sys.executable]
    if options.python:
        python = [str(ROOT / ".cache" / "venv" / options.python / "bin" / "python")]
    rows, results = [], {}
    for iterations in ITERATIONS[:1] if options.quick else ITERATIONS:
        right, leaks, other, named, decoys = found(python, iterations)
        results[iterations] = [right, leaks, other, named, decoys]
        rows.append([str(iterations), f"{right} of {leaks}", other, f"{named} of {decoys}"])
    columns = ["iterations", "leaks found", "other chains", "decoys named"]
    table("planted leaks and decoys", columns, rows)
    objects, kept, times = run(python, PAUSE, 3 if options.quick else 15)
    rows = []
    for i, name in enumerate(("mark", "report", "gc.collect()")):
        middle, low, high = interval([row[i] for row in times])
        ratio = interval([row[i] / row[2] for row in times])[0]
        span = f"{low:.2f} .. {high:.2f} s"
        rows.append([name, f"{middle:.2f} s", span, f"{ratio:.1f} x"])
    columns = ["look", "time", "95 %", "to gc.collect()"]
    table(f"pause, {objects:,} objects; {kept:.0f} bytes an object are kept", columns, rows)
    write_json(options, "leaks", None, {"found": results, "objects": objects, "times": times})


if __name__ == "__main__":
    main()
