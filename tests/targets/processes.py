# SPDX-License-Identifier: MIT
"""Two worker processes of multiprocessing, started by METHOD: fork, spawn, forkserver.

Truth: the workers run `crunch`, the parent waits in `main`; the last line has the
workers' process identifiers. Usage: processes.py [SECONDS] [METHOD]
"""

import multiprocessing
import os
import sys
import time

from telling import seconds_asked, tell

TRUTH = {"kind": "processes", "function": "crunch", "workers": 2}


def crunch(seconds, results):
    end = time.perf_counter() + seconds
    total = 0
    while time.perf_counter() < end:
        for index in range(1_000):
            total += index * index % 7
    results.put((os.getpid(), total > 0))


def main():
    method = sys.argv[2] if len(sys.argv) > 2 else "fork"
    context = multiprocessing.get_context(method)
    results = context.Queue()
    workers = [
        context.Process(target=crunch, args=(seconds_asked(), results), name=f"crunch-{n}")
        for n in range(TRUTH["workers"])
    ]
    for worker in workers:
        worker.start()
    answers = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    tell(pid=os.getpid(), workers=sorted(pid for pid, _ in answers), method=method)


if __name__ == "__main__":
    main()
