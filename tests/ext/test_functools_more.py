# SPDX-License-Identifier: MIT
"""What lru_cache does beyond the standard module: time, threads, event loops, errors."""

import copy
import gc
import inspect
import itertools
import os
import pickle
import random
import sys
import threading
import time
import warnings
import weakref
from datetime import timedelta

import pytest
from hasten.functools import cache, lru_cache
from isolated import run_isolated


class Wrong(Exception):
    pass


def run_threads(count, target):
    threads = [threading.Thread(target=target) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


# Time.


def test_the_systems_clock():
    function = cache(lambda number: object(), ttl=timedelta(hours=1))
    assert function(1) is function(1)
    function = cache(lambda number: object(), ttl=timedelta(milliseconds=40))
    first = function(1)
    time.sleep(0.06)
    assert function(1) is not first
    assert function.cache_stats().expirations == 1
    assert cache(len, ttl=1e12)("abc") == 3


def test_very_short_and_very_long_times():
    now = [1e6]

    @cache(ttl=1e-12, exceptions=Wrong, exceptions_ttl=float("inf"), clock=lambda: now[0])
    def function(number):
        if number < 0:
            raise Wrong
        return object()

    first = function(1)
    with pytest.raises(Wrong):
        function(-1)
    for now[0] in (2e6, 2e9):
        assert function(1) is not first
        first = function(1)
        with pytest.raises(Wrong):
            function(-1)
    assert function.cache_stats().misses == 4


def test_jitter_spreads_ends():
    now = [0.0]
    function = cache(lambda number: number, ttl=100, jitter=0.5, clock=lambda: now[0])
    for number in range(200):
        function(number)
    left = []
    for now[0] in (49, 75, 100, 125, 151):
        left.append(function.cache_info().currsize)
    assert left[0] == 200 and left[-1] == 0
    assert 200 > left[1] > left[2] > left[3] > 0


def test_stale_while_one_computes():
    now, inside, go_on = [0.0], threading.Event(), threading.Event()
    calls = []

    @lru_cache(ttl=10, stale=5, clock=lambda: now[0])
    def function(number):
        calls.append(number)
        if len(calls) == 2:
            inside.set()
            go_on.wait(30)
        return len(calls)

    assert function(1) == 1
    now[0] = 12
    answers = []
    refresher = threading.Thread(target=lambda: answers.append(function(1)))
    refresher.start()
    assert inside.wait(30)
    assert [function(1), function(1)] == [1, 1]
    assert function.cache_stats().stale == 2
    go_on.set()
    refresher.join()
    assert answers == [2] and function(1) == 2
    now[0] = 40
    assert function(1) == 3


def test_stale_and_the_refresh_fails():
    now, broken = [0.0], [False]

    @lru_cache(ttl=10, stale=True, clock=lambda: now[0])
    def function():
        if broken[0]:
            raise Wrong
        return now[0]

    function()
    now[0], broken[0] = 1e6, True
    for _ in range(2):
        with pytest.raises(Wrong):
            function()
    broken[0] = False
    assert function() == 1e6


# One computation.


def test_single_flight():
    calls, answers = [], []

    @lru_cache(single_flight=True)
    def function(number):
        calls.append(number)
        time.sleep(0.05)
        return [number]

    run_threads(8, lambda: answers.append(function(1)))
    assert calls == [1]
    assert len(answers) == 8 and all(answer is answers[0] for answer in answers)
    stats = function.cache_stats()
    assert (stats.misses, stats.hits) == (1, 7)


def test_single_flight_after_a_failure_the_next_computes():
    calls = []

    @lru_cache(single_flight=True)
    def function():
        calls.append(None)
        time.sleep(0.01)
        if len(calls) < 3:
            raise Wrong
        return 5

    answers = []

    def work():
        try:
            answers.append(function())
        except Wrong:
            answers.append("wrong")

    run_threads(5, work)
    assert sorted(map(str, answers)) == ["5", "5", "5", "wrong", "wrong"]
    assert len(calls) == 3


def test_single_flight_shares_failures_that_are_kept():
    calls, seen = [], []

    @lru_cache(single_flight=True, exceptions=Wrong, exceptions_ttl=30)
    def function():
        calls.append(None)
        time.sleep(0.03)
        raise Wrong("once")

    def work():
        try:
            function()
        except Wrong as error:
            seen.append(error)

    run_threads(5, work)
    assert len(calls) == 1 and len(seen) == 5 and len(set(map(id, seen))) == 1


def test_single_flight_of_a_function_that_calls_itself():
    @lru_cache(single_flight=True)
    def fibonacci(number):
        return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)

    assert fibonacci(60) == 1548008755920

    depth = []

    @lru_cache(single_flight=True)
    def same(number):
        depth.append(None)
        return same(number) + 1 if len(depth) < 4 else 0

    assert same(1) == 3


def test_single_flight_of_two_that_call_each_other():
    barrier = threading.Barrier(2, timeout=30)
    met = threading.local()

    def meet():
        if not getattr(met, "once", False):
            met.once = True
            barrier.wait()

    @lru_cache(single_flight=True)
    def one(depth):
        meet()
        return 1 if depth == 0 else other(0) + 1

    @lru_cache(single_flight=True)
    def other(depth):
        meet()
        return 1 if depth == 0 else one(0) + 1

    answers = []
    threads = [
        threading.Thread(target=lambda f=f: answers.append(f(1)), daemon=True) for f in (one, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert answers == [2, 2]


def test_fork_while_another_thread_computes():
    inside, go_on, parent = threading.Event(), threading.Event(), os.getpid()

    @lru_cache(single_flight=True)
    def function():
        if os.getpid() == parent:
            inside.set()
            go_on.wait(30)
        return 7

    thread = threading.Thread(target=function)
    thread.start()
    inside.wait(30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        sys.stdout.flush()
        child = os.fork()
    if child == 0:
        os._exit(0 if function() == 7 else 1)
    go_on.set()
    thread.join()
    assert os.waitpid(child, 0)[1] == 0


# What the caller gives, and what goes wrong in it.


@pytest.mark.parametrize("what", ["key", "weigh", "copy", "clock", "on_evict", "function"])
def test_errors_of_callables_are_passed_on(what):
    broken = set()

    def part(name, function):
        def call(*arguments):
            if name in broken:
                raise Wrong(name)
            return function(*arguments)

        return call

    now = [0.0]

    @lru_cache(
        2,
        key=part("key", lambda argument: argument),
        maxbytes=100,
        weigh=part("weigh", lambda value: 10),
        copy=part("copy", list),
        clock=part("clock", lambda: now[0]),
        ttl=50,
        on_evict=part("on_evict", lambda key, value: None),
    )
    def function(argument):
        part("function", lambda: None)()
        return [argument]

    for number in range(4):
        function(number)
    broken.add(what)
    with pytest.raises(Wrong, match=what):
        for number in range(10, 14):
            function(number)
    broken.clear()
    for number in range(20):
        assert function(number % 7) == [number % 7]
    assert function.cache_info().currsize == 2
    assert function.cache_stats().size == 20


def test_every_eviction_is_told_though_one_raises(capsys):
    told = []

    def on_evict(key, value):
        told.append(key)
        if key == 0:
            raise Wrong

    function = lru_cache(maxbytes=30, weigh=lambda value: value, on_evict=on_evict)(
        lambda number, size: size
    )
    for number in range(3):
        function(number, 10)
    told.clear()

    def keyed(key, value):
        told.append(key)
        if len(told) == 1:
            raise Wrong

    other = lru_cache(maxbytes=30, weigh=lambda value: value, on_evict=keyed)(
        lambda number, size: size
    )
    for number in range(3):
        other(number, size=10)
    with pytest.raises(Wrong):
        other(9, size=30)
    assert told == [(0, ("size", 10)), (1, ("size", 10)), (2, ("size", 10))]
    assert other.cache_info().currsize == 1


def test_wrong_options():
    for keywords, kind, text in (
        ({"policy": "fifo"}, ValueError, "policy must be 'lru', 'sieve', 's3fifo' or 'tinylfu'"),
        ({"ttl": 0}, ValueError, "ttl must be positive"),
        ({"ttl": -1}, ValueError, "ttl must be positive"),
        ({"ttl": float("nan")}, ValueError, "ttl must be positive"),
        ({"ttl": 1, "jitter": 1.5}, ValueError, "jitter must be at least 0 and less than 1"),
        ({"maxbytes": 0}, ValueError, "maxbytes must be positive"),
        ({"maxbytes": "3"}, TypeError, "str"),
        ({"key": 3}, TypeError, "key= must be callable"),
        ({"stale": 3}, TypeError, "stale= wants a ttl="),
        ({"weigh": len}, TypeError, "weigh= wants maxbytes="),
        ({"exceptions": 3}, TypeError, "exceptions= wants a type of exceptions"),
        ({"nonsense": 3}, TypeError, "nonsense"),
    ):
        with pytest.raises(kind, match=text):
            lru_cache(**keywords)(len)
    with pytest.raises(TypeError, match=r"^unhashable type: 'list'$"):
        cache(len, ttl=1)([])
    with pytest.raises(ValueError, match="weigh must not answer a negative size"):
        lru_cache(maxbytes=10, weigh=lambda value: -1)(len)("abc")
    with pytest.raises(OverflowError, match="the clock's time is out of range"):
        cache(len, ttl=1, clock=lambda: float("inf"))("abc")


def test_failures_are_raised_again_without_growing():
    @lru_cache(exceptions=(KeyError, Wrong), exceptions_ttl=60)
    def function(number):
        raise Wrong(number) if number else OSError

    depths = []
    for _ in range(4):
        with pytest.raises(Wrong) as caught:
            function(1)
        depths.append(len(caught.traceback))
    assert function.cache_stats().misses == 1
    assert len(set(depths[1:])) == 1
    for _ in range(2):
        with pytest.raises(OSError):
            function(0)
    assert function.cache_stats().misses == 3


def test_introspection_and_copies():
    assert at_top(3) == at_top(3)
    assert at_top.__name__ == "at_top" and inspect.unwrap(at_top) is at_top.__wrapped__
    assert at_top.cache_parameters() == {"maxsize": 5, "typed": False, "policy": "sieve"}
    assert copy.deepcopy(at_top) is at_top and pickle.loads(pickle.dumps(at_top)) is at_top
    assert not inspect.signature(at_top.cache_stats).parameters
    assert list(inspect.signature(at_top.cache_discard).parameters) == ["args", "kwargs"]


@lru_cache(5, policy="sieve")
def at_top(number):
    return number


def test_methods_and_garbage():
    class Owner:
        @cache(ttl=60)
        def method(self, number):
            return [self, number]

    one, other = Owner(), Owner()
    assert one.method(1) is one.method(1) is not other.method(1)
    gone = weakref.ref(Owner.method)
    del Owner, one, other
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("policy", ["lru", "sieve", "s3fifo", "tinylfu"])
def test_comparisons_that_change_the_cache(policy):
    depth = [0]

    class Hostile:
        def __init__(self, number):
            self.number = number

        def act(self):
            if depth[0] < 3:
                depth[0] += 1
                function(Hostile(self.number + 1))
                if self.number % 11 == 3:
                    function.cache_clear()
                depth[0] -= 1

        def __hash__(self):
            return self.number % 3

        def __eq__(self, other):
            self.act()
            return self.number == other.number

    @lru_cache(6, policy=policy, ttl=100)
    def function(key):
        key.act()
        return [key]

    for step in range(300):
        assert type(function(Hostile(step * 7 % 10))) is list
        assert function.cache_info().currsize <= 6


def test_policies_that_learn_hit_more():
    """On keys of which few are asked for often, among many that are asked for once."""
    rng = random.Random(3)
    weights = list(itertools.accumulate(1 / rank**0.9 for rank in range(1, 3000)))
    trace = rng.choices(range(2999), cum_weights=weights, k=20_000)
    hits = {}
    for policy in ("lru", "sieve", "s3fifo", "tinylfu"):
        function = lru_cache(50, policy=policy)(lambda key: key)
        for number in trace:
            function(number)
        hits[policy] = function.cache_info().hits / len(trace)
    assert hits["sieve"] > hits["lru"] + 0.09
    assert hits["s3fifo"] > hits["lru"] + 0.09
    assert hits["tinylfu"] > hits["lru"] + 0.09
    loop = lru_cache(100, policy="tinylfu")(lambda key: key)
    for _ in range(50):
        for number in range(130):
            loop(number)
    assert loop.cache_info().hits > 0.6 * 50 * 130


def test_threads_under_every_policy():
    wrong = []
    functions = [
        lru_cache(20, policy=policy, ttl=0.001, single_flight=policy == "lru")(
            lambda number: number
        )
        for policy in ("lru", "sieve", "s3fifo", "tinylfu")
    ]

    def work():
        for step in range(1500):
            for function in functions:
                number = step * 31 % 47
                if function(number) != number:
                    wrong.append(number)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        run_threads(4, work)
    finally:
        sys.setswitchinterval(interval)
    assert not wrong


def test_isolated_interpreters():
    run_isolated(
        "from hasten.functools import lru_cache\n"
        "f = lru_cache(3, policy='tinylfu', ttl=60, single_flight=True)(lambda n: n)\n"
        "for n in range(50): assert f(n % 5) == n % 5\n"
        "assert f.cache_info().currsize == 3\n"
    )
