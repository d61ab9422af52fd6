# SPDX-License-Identifier: MIT
"""One program of pyperformance, for heap_sampled.py.

Usage: heap_sampled.py PYPERFORMANCE_FOLDER NAME ROUNDS. Prints one JSON line: the seconds of
CPU time of each round, after one that does not count.
"""

import gc
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
# A round is repeated until it is as long as this.
LEAST_S = 0.15


def seconds(work, turns):
    gc.collect()
    start = time.process_time()
    for _ in range(turns):
        work()
    return time.process_time() - start


def main():
    folder, name, rounds = sys.argv[1:]
    from pyperformance_program import load

    work = load(folder, name)
    turns = 1
    while seconds(work, turns) < LEAST_S:
        turns *= 2
    print(json.dumps([seconds(work, turns) / turns for _ in range(int(rounds))]))


if __name__ == "__main__":
    main()
