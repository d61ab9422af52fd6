# SPDX-License-Identifier: MIT
"""A timer's signal handler interrupts the work a thousand times a second.

Truth: `handler` is only ever called from `interrupted`, or from code that main runs;
`signals` in the last line counts its calls. Prints the signals it is sent by others:
`usr1` on SIGUSR1, `term` on SIGTERM, after which it ends with 9.
Usage: signals.py [SECONDS]
"""

import os
import signal
import sys
import time

from telling import seconds_asked, tell

TRUTH = {"kind": "functions", "functions": ["interrupted", "handler"]}
COUNTS = {"alarm": 0}


def handler(number, frame):
    COUNTS["alarm"] += 1
    total = 0
    for index in range(2_000):
        total += index


def say(number, frame):
    os.write(1, b"usr1\n" if number == signal.SIGUSR1 else b"term\n")
    if number == signal.SIGTERM:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.exit(9)


def interrupted(end):
    total = 0
    while time.perf_counter() < end:
        total += 1
    return total


def main():
    signal.signal(signal.SIGALRM, handler)
    signal.signal(signal.SIGUSR1, say)
    signal.signal(signal.SIGTERM, say)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    print("ready", flush=True)
    interrupted(time.perf_counter() + seconds_asked())
    signal.setitimer(signal.ITIMER_REAL, 0)
    tell(signals=COUNTS["alarm"], pid=os.getpid())


if __name__ == "__main__":
    main()
