# SPDX-License-Identifier: MIT
"""Phases of very short calls beside phases without any call.

A sampler that drops stacks which move while it reads them sees too little of
`calling` and `calling_two`. Truth: `shares` in the last line, of total time, and
`leaf_bounds`: the share of `calling`'s time that is surely inside `tiny` (its body,
by the difference to calls of an empty function) and the most it can be (body and
call). Usage: short_leaves.py [SECONDS]
"""

import time

from telling import Truth, mix, seconds_asked

TRUTH = {"kind": "shares", "metric": "total"}


def tiny(value):
    value = value * value % 7
    return value * value % 7


def nothing(value):
    return value


def inner(value):
    return value + 1


def outer(value):
    return inner(value) + inner(value)


def calling(units):
    for index in range(units):
        tiny(index)


def calling_two(units):
    for index in range(units):
        outer(index)


def steady(units):
    total = 0
    for index in range(units):
        total += index * index % 7
    return total


def best_of(function, *arguments):
    best = None
    for _ in range(7):
        start = time.perf_counter_ns()
        function(*arguments)
        spent = time.perf_counter_ns() - start
        best = spent if best is None or spent < best else best
    return best


def call_nothing(units):
    for index in range(units):
        nothing(index)


def loop_only(units):
    for _ in range(units):
        pass


def leaf_bounds():
    units = 20_000
    whole, empty, loop = (best_of(f, units) for f in (calling, call_nothing, loop_only))
    return [max(0.0, (whole - empty) / whole), min(1.0, (whole - loop) / whole)]


def main():
    truth = Truth()
    mix(truth, seconds_asked(), {calling: 3, calling_two: 2, steady: 8}, 8_000)
    truth.tell(leaf_bounds=leaf_bounds())


if __name__ == "__main__":
    main()
