# SPDX-License-Identifier: MIT
"""What lru_cache does beyond the standard module: policies, garbage, threads."""

import copy
import gc
import inspect
import itertools
import pickle
import random
import sys
import weakref

import pytest
from hasten.functools import cache, lru_cache
from isolated import run_isolated
from threads import run_threads


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
