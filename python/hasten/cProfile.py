# SPDX-License-Identifier: MIT
"""Deterministic profiling, as the standard module of that name, at less cost.

    from hasten import cProfile

    cProfile.run("main()")

or `python -m hasten.cProfile program.py`. `Profile` takes what the standard one takes.
"""

import importlib.machinery
import importlib.util
import io
import marshal
import os
import runpy
import sys
from optparse import OptionParser

from hasten._cprofile import Profiler

__all__ = ["Profile", "run", "runctx"]


def _print(profile, sort):
    import pstats

    if not isinstance(sort, tuple):
        sort = (sort,)
    pstats.Stats(profile).strip_dirs().sort_stats(*sort).print_stats()


def _show(profile, filename, sort):
    if filename is not None:
        profile.dump_stats(filename)
    else:
        profile.print_stats(sort)


def run(statement, filename=None, sort=-1):
    """Execute statement in __main__ and print its profile, or write it to filename.

    sort is what pstats.Stats.sort_stats takes, one or a tuple of several.
    """
    profile = Profile()
    try:
        profile.run(statement)
    except SystemExit:
        pass
    finally:
        _show(profile, filename, sort)


def runctx(statement, globals, locals, filename=None, sort=-1):
    """Like run(), in the given globals and locals."""
    profile = Profile()
    try:
        profile.runctx(statement, globals, locals)
    except SystemExit:
        pass
    finally:
        _show(profile, filename, sort)


class Profile(Profiler):
    """Profile(timer=None, timeunit=0.0, subcalls=True, builtins=True)

    Counts and times calls. timer is a function that answers seconds, or integers that
    timeunit says the length of in seconds; without it, a fast clock of real time is used.
    """

    def print_stats(self, sort=-1):
        _print(self, sort)

    def dump_stats(self, file):
        with open(file, "wb") as f:
            self.create_stats()
            marshal.dump(self.stats, f)

    def create_stats(self):
        self.disable()
        self.snapshot_stats()

    def snapshot_stats(self):
        entries = self.getstats()
        self.stats = {}
        callers_of = {}
        for entry in entries:
            callers = {}
            callers_of[id(entry.code)] = callers
            calls = entry.callcount
            self.stats[label(entry.code)] = (
                calls - entry.reccallcount,
                calls,
                entry.inlinetime,
                entry.totaltime,
                callers,
            )
        for entry in entries:
            if not entry.calls:
                continue
            function = label(entry.code)
            for subentry in entry.calls:
                callers = callers_of.get(id(subentry.code))
                if callers is None:
                    continue
                calls = subentry.callcount
                row = (
                    calls,
                    calls - subentry.reccallcount,
                    subentry.inlinetime,
                    subentry.totaltime,
                )
                # Functions of one name and place are one.
                if function in callers:
                    row = tuple(map(sum, zip(row, callers[function])))
                callers[function] = row

    def run(self, cmd):
        import __main__

        dict = __main__.__dict__
        return self.runctx(cmd, dict, dict)

    def runctx(self, cmd, globals, locals):
        self.enable()
        try:
            exec(cmd, globals, locals)
        finally:
            self.disable()
        return self

    def runcall(self, func, /, *args, **kw):
        self.enable()
        try:
            return func(*args, **kw)
        finally:
            self.disable()

    def __enter__(self):
        self.enable()
        return self

    def __exit__(self, *exc_info):
        self.disable()


def label(code):
    if isinstance(code, str):
        return ("~", 0, code)
    return (code.co_filename, code.co_firstlineno, code.co_name)
