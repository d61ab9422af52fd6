# SPDX-License-Identifier: MIT
"""Four busy functions that take about 10, 20, 30 and 40 % of the time.

Truth: `shares` in the last line, for self and for total time alike.
Usage: shares.py [SECONDS]
"""

from telling import Truth, mix, seconds_asked

TRUTH = {"kind": "shares", "metric": "self"}


def ten(units):
    total = 0
    for index in range(units):
        total += index * index % 7
    return total


def twenty(units):
    total = 0
    for index in range(units):
        total += index * index % 7
    return total


def thirty(units):
    total = 0
    for index in range(units):
        total += index * index % 7
    return total


def forty(units):
    total = 0
    for index in range(units):
        total += index * index % 7
    return total


def main():
    truth = Truth()
    mix(truth, seconds_asked(), {ten: 1, twenty: 2, thirty: 3, forty: 4}, 12_000)
    truth.tell()


if __name__ == "__main__":
    main()
