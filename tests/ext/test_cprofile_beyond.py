"""hasten.cProfile beyond the standard module."""

import asyncio
import itertools
import math
import sys
import threading
import time
import types

import pytest
from hasten import cProfile
from profiles import Ticker, by_name, callees, nothing


def test_threads_all_sees_existing_and_new_ones():
    go, done = threading.Event(), threading.Event()

    def work():
        nothing()

    def existing():
        go.wait()
        work()
        done.set()

    thread = threading.Thread(target=existing)
    thread.start()
    profiler = cProfile.Profile(threads="all")
    profiler.enable()
    go.set()
    done.wait()
    thread.join()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    profiler.disable()
    assert by_name(profiler)["work"][0] == 2
    assert by_name(profiler)["nothing"][0] == 2
    assert threading.getprofile() is None
    assert sys.getprofile() is None


def test_threads_all_recursion_is_of_one_thread():
    """Two threads in one function at once are no recursion."""
    inside = threading.Barrier(2)

    def together():
        inside.wait()
        inside.wait()

    profiler = cProfile.Profile(threads="all")
    profiler.enable()
    threads = [threading.Thread(target=together) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    profiler.disable()
    calls, recursive, total, _ = by_name(profiler)["together"]
    assert (calls, recursive) == (2, 0)
    assert total > 0


def test_tasks_last_while_they_wait():
    ticker = Ticker()
    profiler = cProfile.Profile(ticker, tasks=True)

    async def inner():
        ticker.advance(1)
        await asyncio.sleep(0)
        ticker.advance(2)

    async def outer():
        ticker.advance(10)
        await inner()
        ticker.advance(20)
        await asyncio.sleep(0)

    async def main():
        await asyncio.gather(outer(), outer())

    loop = asyncio.new_event_loop()
    profiler.enable()
    loop.run_until_complete(main())
    profiler.disable()
    loop.close()
    found = by_name(profiler)
    # Each is one call, though it was suspended. Both run in turns, to inner's sleep (11
    # seconds each), to outer's (22 seconds each), to the end. Waiting is sleep's time.
    assert found["inner"][:2] == (2, 0)
    assert found["outer"][:2] == (2, 0)
    assert found["main"][:2] == (1, 0)
    assert found["outer"][2:] == pytest.approx((66 + 55, 0))
    assert found["inner"][2:] == pytest.approx((14 + 25, 0))
    assert found["sleep"][0] == 4
    assert found["sleep"][2:] == pytest.approx((11 + 22 + 22 + 0, 11 + 22 + 22 + 0))
    assert found["advance"][3] == 66
    assert callees(profiler, "outer")["inner"] == 2
    assert all(inline >= 0 for _, _, _, inline in found.values())


def test_tasks_that_never_end():
    profiler = cProfile.Profile(tasks=True)

    @types.coroutine
    def suspend():
        yield

    async def dropped():
        await suspend()

    async def endless():
        while True:
            await suspend()

    profiler.enable()
    first = dropped()
    first.send(None)
    del first
    second = endless()
    for _ in range(5):
        second.send(None)
    profiler.disable()
    second.close()
    found = by_name(profiler)
    assert found["dropped"][0] == 1
    assert found["endless"][0] == 1
    assert all(total >= 0 and inline >= 0 for _, _, total, inline in found.values())


def test_greenlets_have_stacks_of_their_own():
    greenlet = pytest.importorskip("greenlet")
    ticker = Ticker()
    profiler = cProfile.Profile(ticker, greenlets=True)

    def first():
        ticker.advance(1)
        second_greenlet.switch()
        ticker.advance(2)

    def second():
        ticker.advance(10)
        first_greenlet.switch()

    first_greenlet = greenlet.greenlet(first)
    second_greenlet = greenlet.greenlet(second)
    profiler.enable()
    first_greenlet.switch()
    profiler.disable()
    found = by_name(profiler)
    assert found["first"][0] == 1
    assert found["first"][2] == 13
    assert found["second"][0] == 1
    assert greenlet.gettrace() is None


def test_cpu_clock_does_not_count_sleep():
    def sleeps():
        time.sleep(0.2)

    def works():
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass

    profiler = cProfile.Profile(clock="cpu")
    profiler.enable()
    sleeps()
    works()
    profiler.disable()
    found = by_name(profiler)
    assert found["sleeps"][2] < found["works"][2]
    assert found["works"][2] >= 0.05


def test_wall_clock_is_the_monotonic_one():
    def sleeps():
        time.sleep(0.1)

    profiler = cProfile.Profile()
    start = time.perf_counter()
    profiler.runcall(sleeps)
    outside = time.perf_counter() - start
    inside = by_name(profiler)["sleeps"][2]
    assert inside * 1.001 + 1e-6 >= 0.1
    assert inside <= outside * 1.001 + 1e-6


def test_durations():
    ticker = Ticker()
    profiler = cProfile.Profile(ticker, histogram=True)

    def takes(seconds):
        ticker.advance(seconds)

    profiler.enable()
    for i in range(1, 101):
        takes(i)
    profiler.disable()
    (row,) = (row for row in profiler.durations() if row.code is takes.__code__)
    assert row.count == 100
    assert (row.shortest, row.longest) == (1, 100)
    assert row.median == pytest.approx(50, rel=0.07)
    assert row.p90 == pytest.approx(90, rel=0.07)
    assert row.p99 == pytest.approx(99, rel=0.07)
    assert cProfile.Profile().durations() == []


def module(name, source):
    made = types.ModuleType(name)
    exec(source, made.__dict__)
    return made


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"run", "helper", "deep"}),
        ({"include": ["app"]}, {"run", "deep"}),
        ({"include": "app"}, {"run", "deep"}),
        ({"include": ["app"], "exclude": ["app.inner"]}, {"run"}),
        ({"exclude": ["helpers"]}, {"run", "deep"}),
        ({"include": ["ap"]}, set()),
    ],
    ids=str,
)
def test_modules_of_interest(options, expected):
    inner = module("app.inner", "def deep(): return len('abc')")
    helpers = module("helpers", "def helper(f): return [f() for _ in range(3)]")
    app = module("app", "def run(): helper(deep); abs(1)")
    app.helper, app.deep = helpers.helper, inner.deep
    profiler = cProfile.Profile(**options)
    for _ in range(2):
        profiler.enable()
        app.run()
        app.run()
        profiler.disable()
    found = by_name(profiler)
    assert {name for name in found if name in ("run", "helper", "deep")} == expected
    if "deep" in expected:
        assert found["deep"][0] == 12
        assert callees(profiler, "deep") == {"<built-in method builtins.len>": 12}
    if expected == {"run", "deep"}:
        # What is left out is part of who called it.
        assert callees(profiler, "run") == {"deep": 12, "<built-in method builtins.abs>": 4}
    # The next one sees all again.
    everything = cProfile.Profile()
    everything.runcall(app.run)
    assert {"run", "helper", "deep"} <= set(by_name(everything))


def test_overhead_can_be_subtracted():
    def calls():
        for _ in range(2000):
            nothing()

    def total(**options):
        best = math.inf
        for _ in range(5):
            profiler = cProfile.Profile(**options)
            profiler.runcall(calls)
            best = min(best, by_name(profiler)["calls"][2])
        return best

    # By how much depends on the machine; that it is less does not.
    assert total(subtract_overhead=True) < total(histogram=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threads": "some"}, "threads must be 'all' or None, not 'some'"),
        ({"clock": "solar"}, "clock must be 'wall' or 'cpu', not 'solar'"),
        ({"include": [1]}, "include must be module names, not int"),
        ({"subtract_overhead": True, "timer": int}, "subtract_overhead needs the built-in timer"),
    ],
    ids=str,
)
def test_bad_options(options, message):
    with pytest.raises((ValueError, TypeError)) as error:
        cProfile.Profile(**options)
    assert str(error.value) == message


def test_options_of_a_used_profiler_stay():
    profiler = cProfile.Profile(histogram=True)
    profiler.runcall(nothing)
    with pytest.raises(RuntimeError):
        profiler.__init__(threads="all")


def test_counting_timer_is_called_twice_a_call():
    counter = itertools.count()
    profiler = cProfile.Profile(counter.__next__)
    profiler.enable(builtins=False)
    for _ in range(10):
        nothing()
    profiler.disable()
    assert next(counter) == 20
    assert by_name(profiler)["nothing"][2:] == (10, 10)
