# SPDX-License-Identifier: MIT
"""What the programs in this folder share: measuring their own truth and telling it.

A program measures with its own clock how long each of its functions took and
prints, as its last line, one JSON object: `{"shares": {function: share}, ...}`.
The shares are of the time measured, so that starting up and ending do not count.
"""

import json
import os
import random
import sys
import time


class Truth:
    """Adds up wall time by name."""

    def __init__(self):
        self.nanoseconds = {}
        self.calls = 0

    def call(self, name, function, *arguments):
        start = time.perf_counter_ns()
        answer = function(*arguments)
        spent = time.perf_counter_ns() - start
        self.nanoseconds[name] = self.nanoseconds.get(name, 0) + spent
        self.calls += 1
        return answer

    @property
    def seconds(self):
        return sum(self.nanoseconds.values()) / 1e9

    def tell(self, **more):
        total = sum(self.nanoseconds.values()) or 1
        shares = {name: spent / total for name, spent in self.nanoseconds.items()}
        tell(shares=shares, seconds=total / 1e9, calls=self.calls, **more)


def tell(**facts):
    print(json.dumps(facts), flush=True)


def seconds_asked(default=2.0):
    """The first argument. With TARGET_GATE set, says so and waits for a line on standard input,
    so that a profiler can be attached before anything that counts has happened."""
    if os.environ.get("TARGET_GATE"):
        print("at the gate", flush=True)
        sys.stdin.readline()
    return float(sys.argv[1]) if len(sys.argv) > 1 else default


def mix(truth, seconds, plan, unit):
    """Calls the functions of `plan` ({function: weight}) in changing order with work
    that varies around `unit` times their weight, so that no sampling period fits."""
    rng = random.Random(20)
    order = list(plan.items())
    while truth.seconds < seconds:
        rng.shuffle(order)
        for function, weight in order:
            units = max(1, int(unit * weight * (0.5 + rng.random())))
            truth.call(function.__name__, function, units)
