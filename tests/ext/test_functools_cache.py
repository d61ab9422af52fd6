# SPDX-License-Identifier: MIT
"""hasten.functools.Cache: a mapping, whatever its rules, and what its rules say."""

import gc
import random
import sys
import threading
import weakref
from collections.abc import MutableMapping

import pytest
from cache_model import FOREVER, Model
from hasten.functools import Cache


@pytest.mark.parametrize("policy", ["lru", "sieve", "s3fifo", "tinylfu"])
def test_a_mapping(policy):
    cache, plain = Cache(policy=policy), {}
    rng = random.Random(policy)
    values = [0, 1, True, 1.0, "a", b"a", (1, 2), None, 2**70, -1, "\u20ac"]
    for _ in range(3000):
        key, action = rng.choice(values), rng.randrange(6)
        if action < 2:
            cache[key] = plain[key] = rng.random()
        elif action == 2:
            assert cache.get(key, "none") == plain.get(key, "none")
        elif action == 3:
            assert cache.pop(key, None) == plain.pop(key, None)
        elif action == 4:
            assert cache.setdefault(key, 5) == plain.setdefault(key, 5)
        else:
            assert (key in cache) == (key in plain)
        assert len(cache) == len(plain)
    assert dict(cache) == plain and cache == plain
    assert isinstance(cache, MutableMapping)
    cache.clear()
    assert not cache and list(cache) == []
    with pytest.raises(KeyError, match=r"^'it is not there'$"):
        cache["it is not there"]
    with pytest.raises(KeyError):
        del cache["it is not there"]
    with pytest.raises(KeyError):
        cache.pop("it is not there")
    with pytest.raises(KeyError):
        cache.popitem()
    with pytest.raises(TypeError, match=r"^unhashable type: 'list'$"):
        cache[[]] = 1
    with pytest.raises(TypeError):
        hash(cache)
    with pytest.raises(TypeError):
        cache.pop()


@pytest.mark.parametrize("policy", ["lru", "sieve", "s3fifo"])
@pytest.mark.parametrize("by_weight", [False, True])
def test_against_the_model(policy, by_weight):
    now, evicted = [0.0], []
    keywords = {"policy": policy, "ttl": 50, "clock": lambda: now[0]}
    if by_weight:
        cache = Cache(maxbytes=60, weigh=lambda value: value[0] % 17, **keywords)
        model = Model(policy, FOREVER, 60, ttl=50)
    else:
        cache = Cache(10, on_evict=lambda *entry: evicted.append(entry), **keywords)
        model = Model(policy, 10, 10, ttl=50)
    rng = random.Random(7)
    for step in range(4000):
        now[0] += rng.random()
        number = rng.randrange(1 + rng.randrange(40))
        entry = model.find(number, now[0])
        if entry is not None:
            model.hit(number)
            model.hits += 1
            assert cache[number] == entry.value
        else:
            assert number not in cache
            value = [number, step]
            cache[number] = value
            model.keep(number, value, number % 17 if by_weight else 1, now[0])
        if not by_weight:
            assert evicted == model.evicted
    stats = cache.stats()
    model.sweep(now[0])
    assert (stats.hits, stats.evictions, stats.size) == (
        model.hits,
        model.evictions,
        model.size(),
    )
    assert list(cache) == model.queues[0] + model.queues[1]


def test_order_and_popitem():
    cache = Cache(3)
    cache.update(a=1, b=2, c=3)
    assert cache["a"] == 1
    assert repr(cache) == "Cache({'b': 2, 'c': 3, 'a': 1})"
    assert list(cache) == ["b", "c", "a"]
    assert cache.popitem() == ("b", 2)
    cache["d"] = cache["e"] = 4
    assert list(cache) == ["a", "d", "e"]
    assert [key for key in cache if cache.pop(key)] == ["a", "d", "e"]


def test_time():
    now = [0.0]
    cache = Cache(ttl=10, clock=lambda: now[0])
    cache["a"] = 1
    now[0] = 9
    cache["b"] = 2
    assert dict(cache) == {"a": 1, "b": 2}
    now[0] = 10
    assert "a" not in cache and len(cache) == 1
    cache["b"] = 3
    now[0] = 19.5
    assert cache["b"] == 3 and cache.stats().expirations == 1


def test_missing():
    class Doubling(Cache):
        def __missing__(self, key):
            self[key] = value = key * 2
            return value

    cache = Doubling(2)
    assert (cache[1], cache[2], cache[3], cache[3]) == (2, 4, 6, 6)
    assert list(cache) == [2, 3] and cache.stats().hits == 1
    assert cache.get(7) is None and cache.get(7, default=1) == 1 and cache.get(key=3) == 6
    assert (7, 14) not in cache.items() and (3, 6) in cache.items()
    assert cache.setdefault(7) is None and cache.setdefault(7, 1) is None
    assert list(cache) == [3, 7]


def test_iterating_is_no_use_and_needs_nothing_to_stay():
    now = [0.0]
    cache = Cache(3, ttl=10, clock=lambda: now[0])
    cache.update(a=1, b=2, c=3)
    assert list(cache.items()) == [("a", 1), ("b", 2), ("c", 3)]
    assert list(cache.values()) == [1, 2, 3] and 3 in cache.values() and 4 not in cache.values()
    assert cache == {"a": 1, "b": 2, "c": 3}
    assert list(cache) == ["a", "b", "c"] and cache.stats().hits == 0
    items, values = iter(cache.items()), iter(cache.values())
    assert next(items) == ("a", 1) and next(values) == 1
    now[0] = 10
    cache.clear()
    assert list(items) == [("b", 2), ("c", 3)] and list(values) == [2, 3]


def test_wrong_arguments():
    for keywords in (
        {"maxsize": 0},
        {"maxbytes": -1},
        {"policy": "x"},
        {"ttl": -1},
        {"weigh": len},
        {"nonsense": 1},
        {"maxsize": "x"},
    ):
        with pytest.raises((TypeError, ValueError)):
            Cache(**keywords)
    cache = Cache(maxbytes=100)
    with pytest.raises(ValueError, match=r"^value too large$"):
        cache["a"] = "x" * 100
    cache["a"] = None
    assert cache.stats().size == sys.getsizeof(None)


def test_garbage():
    class Thing:
        pass

    cache, thing = Cache(ttl=100), Thing()
    cache["self"], cache["thing"] = cache, thing
    gone = [weakref.ref(cache), weakref.ref(thing)]
    del cache, thing
    gc.collect()
    assert [one() for one in gone] == [None, None]


def test_threads():
    cache, wrong = Cache(20, policy="s3fifo"), []

    def work(seed):
        rng = random.Random(seed)
        for _ in range(3000):
            number = rng.randrange(50)
            if cache.get(number, number) != number:
                wrong.append(number)
            cache[number] = number
            cache.pop(rng.randrange(50), None)
            list(cache)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and len(cache) <= 20
