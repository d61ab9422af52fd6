# SPDX-License-Identifier: MIT
"""Two functions that call each other 40 deep; `odd` works three times as much as `even`.

Truth: `shares` in the last line, of self time. A recursive function's total time
counts once, so `even`, `odd` and `main` all have a total share of about 100 %.
Usage: recursive.py [SECONDS]
"""

import time

from telling import Truth, seconds_asked

TRUTH = {"kind": "shares", "metric": "self"}
UNIT = 2_000


def even(depth, spent):
    start = time.perf_counter_ns()
    total = 0
    for index in range(UNIT):
        total += index * index % 7
    spent["even"] = spent.get("even", 0) + time.perf_counter_ns() - start
    if depth:
        odd(depth - 1, spent)
    return total


def odd(depth, spent):
    start = time.perf_counter_ns()
    total = 0
    for index in range(3 * UNIT):
        total += index * index % 7
    spent["odd"] = spent.get("odd", 0) + time.perf_counter_ns() - start
    if depth:
        even(depth - 1, spent)
    return total


def main():
    truth = Truth()
    seconds = seconds_asked()
    while truth.seconds < seconds:
        even(40, truth.nanoseconds)
    truth.tell()


if __name__ == "__main__":
    main()
