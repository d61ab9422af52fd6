# SPDX-License-Identifier: MIT
"""Generators that run for some ten nanoseconds at a time, and their callers.

Truth: none is told; what is seen of the running program must be what is seen of the same
program when it is stopped for every look.
Usage: short_generators.py [SECONDS]
"""

import time

from telling import seconds_asked, tell

TRUTH = {"kind": "compared"}


def squares(values):
    for value in values:
        yield value * value


def resumed(values):
    total = 0
    for square in squares(values):
        total += square
    return total


def driven(values):
    return sum(value * value for value in values)


def main():
    values = list(range(1000))
    end = seconds_asked() + time.perf_counter()
    rounds = 0
    while time.perf_counter() < end:
        resumed(values)
        driven(values)
        rounds += 1
    tell(rounds=rounds)


if __name__ == "__main__":
    main()
