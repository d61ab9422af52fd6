# SPDX-License-Identifier: MIT
"""Collects garbage with a large heap, explicitly, beside work without any.

Truth: `shares` in the last line; the samples of `collecting` are marked as garbage
collection. Usage: gc_heavy.py [SECONDS]
"""

import gc

from telling import Truth, mix, seconds_asked

TRUTH = {"kind": "shares", "metric": "total", "gc_function": "collecting"}
HEAP = [[index, {"index": index}] for index in range(60_000)]


def collecting(units):
    for _ in range(units):
        gc.collect()


def computing(units):
    total = 0
    for index in range(200_000 * units):
        total += index * index % 7
    return total


def main():
    gc.disable()
    truth = Truth()
    mix(truth, seconds_asked(), {collecting: 1, computing: 1}, 2)
    truth.tell()


if __name__ == "__main__":
    main()
