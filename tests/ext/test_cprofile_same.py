"""hasten.cProfile counts what the standard cProfile counts: same entries, same numbers.

Time is a number that grows by one at each look, so that times are equal exactly when
the profilers look at the same events in the same order.
"""

import cProfile as standard
import gc
import itertools
import sys

import pytest
from hasten import cProfile
from profiled_globals import PROGRAMS

SETTINGS = {
    "defaults": {},
    "no builtins": {"builtins": False},
    "no subcalls": {"subcalls": False},
    "neither": {"subcalls": False, "builtins": False},
}


def row(entry):
    return (entry.callcount, entry.reccallcount, entry.totaltime, entry.inlinetime)


def results(profiler):
    """What was counted, by code object or by name; the order says nothing. Code objects
    that are made again at each run are equal, so there may be several rows to a name."""
    found = {}
    for entry in profiler.getstats():
        callees = entry.calls and sorted(
            (repr_of(callee.code), row(callee)) for callee in entry.calls
        )
        found.setdefault(repr_of(entry.code), []).append((row(entry), callees or []))
    return {name: sorted(rows) for name, rows in found.items()}


def repr_of(code):
    """Without the address."""
    return code if isinstance(code, str) else str(cProfile.label(code))


def counts(found):
    """The same without times."""
    return {
        name: sorted(
            (numbers[:2], sorted((callee, n[:2]) for callee, n in callees))
            for numbers, callees in rows
        )
        for name, rows in found.items()
    }


def run(module, program, timed, **settings):
    profiler = module.Profile(itertools.count().__next__) if timed else module.Profile()
    gc.collect()
    profiler.enable(**settings)
    try:
        program(profiler)
    finally:
        profiler.disable()
    return results(profiler)


@pytest.fixture(autouse=True)
def one_thread_at_a_time():
    """Threads take turns only where one waits for another."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(100)
    gc.disable()
    yield
    gc.enable()
    sys.setswitchinterval(before)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_same_numbers(program, settings):
    run(standard, program, True)  # what a first run fills: caches, imports
    expected = run(standard, program, True, **settings)
    assert run(cProfile, program, True, **settings) == expected
    assert expected


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_same_counts_by_the_clock(program, settings):
    run(standard, program, False)
    expected = counts(run(standard, program, False, **settings))
    found = run(cProfile, program, False, **settings)
    assert counts(found) == expected
    for rows in found.values():
        for numbers, callees in rows:
            for _, _, total, inline in [numbers, *(n for _, n in callees)]:
                assert total >= 0
                assert inline >= 0
