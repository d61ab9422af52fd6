# SPDX-License-Identifier: MIT
"""lru_cache with ttl=, stale= and clocks."""

import threading
import time
from datetime import timedelta

import pytest
from hasten.functools import cache, lru_cache


class Wrong(Exception):
    pass


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
