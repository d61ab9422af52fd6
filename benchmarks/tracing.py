# SPDX-License-Identifier: MIT
"""What `hasten run --trace` adds to a call, against the standard cProfile.

    .venv/bin/python benchmarks/tracing.py [ROUNDS]

Programs time a loop of calls themselves; they run in turn plainly, under cProfile and
traced, and the best of each counts.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

CALLS = 300_000
PROGRAMS = {
    "Python to Python": "def f(): pass\ndef loop():\n    for _ in range({calls}): f()\n",
    "functions of C": "def loop():\n    text = 'abc'\n    for _ in range({calls}): len(text)\n",
    "methods of C": "def loop():\n    items = []\n    for _ in range({calls}): items.append(1)\n",
    "recursion": (
        "def f(n):\n    if n: f(n - 1)\ndef loop():\n    for _ in range({calls} // 50): f(49)\n"
    ),
}
TIMING = "import time\nstart = time.perf_counter()\nloop()\nprint(time.perf_counter() - start)\n"


def seconds(command: list[str]) -> float:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def measure(name: str, folder: Path, rounds: int) -> tuple[float, float, float]:
    script = folder / "program.py"
    script.write_text(PROGRAMS[name].format(calls=CALLS) + TIMING)
    python = sys.executable
    recording = str(folder / "program.hasten")
    hasten = [python, "-m", "hasten", "run", "--trace", "--no-report", "--python", python]
    ways = [
        [python, str(script)],
        [python, "-m", "cProfile", "-o", str(folder / "program.pstats"), str(script)],
        [*hasten, "-o", recording, str(script)],
    ]
    best = [float("inf")] * len(ways)
    for _ in range(rounds):
        for index, way in enumerate(ways):
            best[index] = min(best[index], seconds(way))
    return best[0], best[1], best[2]


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"Python {sys.version.split()[0]}, added to a call, best of {rounds}:")
    with tempfile.TemporaryDirectory() as folder:
        for name in PROGRAMS:
            plain, standard, traced = measure(name, Path(folder), rounds)
            added = [(time - plain) / CALLS * 1e9 for time in (standard, traced)]
            print(
                f"  {name:18} cProfile {added[0]:5.0f} ns, traced {added[1]:5.0f} ns, "
                f"{added[1] / added[0]:.2f} of it"
            )


if __name__ == "__main__":
    main()
