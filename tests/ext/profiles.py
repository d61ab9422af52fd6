"""What the tests of hasten.cProfile share."""

import sys

HAS_MONITORING = hasattr(sys, "monitoring")


def nothing():
    pass


def by_name(profiler):
    """(calls, recursive, total, inline) by the name of the function."""
    return {
        getattr(entry.code, "co_name", entry.code): (
            entry.callcount,
            entry.reccallcount,
            entry.totaltime,
            entry.inlinetime,
        )
        for entry in profiler.getstats()
    }


def callees(profiler, name):
    for entry in profiler.getstats():
        if getattr(entry.code, "co_name", entry.code) == name:
            return {getattr(c.code, "co_name", c.code): c.callcount for c in entry.calls or ()}
    return None


class Ticker:
    """A timer that only moves when told to."""

    def __init__(self):
        self.now = 0

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += seconds
