# SPDX-License-Identifier: MIT
"""Compiles, runs and frees code all the time, so that code addresses are used again.

Function `made_N` always has the file `<made N>` and starts on line 10 * (N + 1):
any other combination of name, file and line comes from a stale address, and so does a
`made_N` that is not below `fresh_N`. Truth: `shares` in the last line, of self time.
Usage: exec_heavy.py [SECONDS]
"""

from telling import Truth, seconds_asked

TRUTH = {"kind": "shares", "metric": "self", "made": 4}
SOURCE = """\
def made_{number}(units):
    total = 0
    for index in range(units):
        total += index * index % 7
    return total
"""


def make(number):
    lines = "\n" * (10 * (number + 1) - 1)
    space = {}
    exec(compile(lines + SOURCE.format(number=number), f"<made {number}>", "exec"), space)
    return space[f"made_{number}"]


FRESH = """\
def fresh_{number}(units, truth):
    truth.call("made_{number}", make({number}), units)
"""


def maker(number):
    """`fresh_N`, which makes a new `made_N`, runs it and drops it."""
    space = {"make": make}
    exec(compile(FRESH.format(number=number), f"<fresh {number}>", "exec"), space)
    return space[f"fresh_{number}"]


def main():
    truth = Truth()
    seconds = seconds_asked()
    makers = [maker(number) for number in range(TRUTH["made"])]
    round_number = 0
    while truth.seconds < seconds:
        round_number += 1
        for number, fresh in enumerate(makers):
            fresh(2_000 * (number + 1) + 37 * (round_number % 50), truth)
    truth.tell()


if __name__ == "__main__":
    main()
