# SPDX-License-Identifier: MIT
"""What the caller gives lru_cache, and what goes wrong in it."""

import pytest
from hasten.functools import cache, lru_cache


class Wrong(Exception):
    pass


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


def test_no_room_and_yet_rules():
    @lru_cache(0, ttl=60, policy="tinylfu", maxbytes=10, weigh=lambda value: 0)
    def function(number):
        return [number]

    assert function(1) is not function(1)
    assert function.cache_info() == (0, 2, 0, 0) and function.cache_stats().misses == 2
    assert function.cache_parameters()["maxsize"] == 0
    for keywords in ({"policy": "fifo"}, {"nonsense": 1}, {"ttl": -1}):
        with pytest.raises((TypeError, ValueError)):
            lru_cache(-1, **keywords)(len)
    with pytest.raises(TypeError, match="exceptions_shared= wants single_flight=True"):
        lru_cache(exceptions_shared=True)(len)
