# SPDX-License-Identifier: MIT
"""Two generators do the work, one beneath the other.

Truth: `shares` in the last line, of self time of the generator functions.
Usage: generators.py [SECONDS]
"""

import time

from telling import Truth, seconds_asked

TRUTH = {"kind": "shares", "metric": "self"}
UNIT = 3_000


def source(truth):
    while True:
        start = time.perf_counter_ns()
        total = 0
        for index in range(UNIT):
            total += index * index % 7
        truth["source"] = truth.get("source", 0) + time.perf_counter_ns() - start
        yield total


def refine(truth):
    for value in source(truth):
        start = time.perf_counter_ns()
        total = value
        for index in range(2 * UNIT):
            total += index * index % 7
        truth["refine"] = truth.get("refine", 0) + time.perf_counter_ns() - start
        yield total


def consume(stream):
    return sum(next(stream) for _ in range(5))


def main():
    truth = Truth()
    seconds = seconds_asked()
    stream = refine(truth.nanoseconds)
    while truth.seconds < seconds:
        consume(stream)
    truth.tell()


if __name__ == "__main__":
    main()
