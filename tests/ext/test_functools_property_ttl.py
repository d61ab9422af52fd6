# SPDX-License-Identifier: MIT
"""cached_property with ttl=: values that end."""

import asyncio
import copy
import gc
import pickle
import threading
import time
import weakref
from datetime import timedelta

import pytest
from hasten.functools import cached_property

NOW = [0.0]


def clock():
    return NOW[0]


@pytest.fixture(autouse=True)
def _begin():
    NOW[0] = 0.0


class Rates:
    def __init__(self):
        self.calls = 0

    @cached_property(ttl=10, clock=clock)
    def rate(self):
        "Its text."
        self.calls += 1
        return [self.calls]

    def compute(self):
        self.calls += 1
        time.sleep(0.01)
        return self.calls

    once = cached_property(compute, ttl=timedelta(seconds=10), clock=clock, once=True)

    @cached_property(ttl=10, clock=clock)
    async def awaited(self):
        self.calls += 1
        await asyncio.sleep(0.001)
        NOW[0] += 8
        return self.calls


class Slotted(Rates):
    __slots__ = ("_cached_rate", "calls")


class Bare:
    __slots__ = ("_cached_rate", "calls")
    __init__ = Rates.__init__
    rate = cached_property(Rates.rate.func, ttl=10, clock=clock)


@pytest.mark.parametrize("make", [Rates, Slotted, Bare])
def test_values_end(make):
    one, other = make(), make()
    first = one.rate
    assert one.rate is first is not other.rate
    NOW[0] = 9.9
    assert one.rate is first
    NOW[0] = 10.0
    assert one.rate == [2] and one.rate is not first
    NOW[0] = 19.9
    assert one.rate == [2]
    del one.rate
    assert one.rate == [3]
    one.rate = 5
    assert one.rate == 5
    NOW[0] = 30
    assert one.rate == [4]
    del one.rate
    with pytest.raises(AttributeError, match="rate"):
        del one.rate


def test_it_is_a_cached_property():
    found = Rates.rate
    assert isinstance(found, cached_property) and found.__doc__ == "Its text."
    assert found.attrname == "rate" and found.func(Rates()) == [1]
    assert type(cached_property(len)) is cached_property
    assert cached_property(once=True)(len).func is len


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_copies_begin_anew(duplicate):
    one = Rates()
    assert one.rate == [1]
    other = duplicate(one)
    assert other.rate == [2] and one.rate == [1]
    other.rate[0] = 7
    assert copy.copy(other).rate == [7]


def test_the_systems_clock():
    class Owner:
        calls = 0

        def compute(self):
            Owner.calls += 1
            return Owner.calls

        short = cached_property(compute, ttl=0.02)
        long = cached_property(compute, ttl=1e12)

    one = Owner()
    assert one.long == 1
    first = one.short
    time.sleep(0.03)
    assert one.short > first and one.long == 1


def test_once():
    for _ in range(3):
        one, seen = Rates(), []
        threads = [threading.Thread(target=lambda: seen.append(one.once)) for _ in range(5)]  # noqa: B023
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == [1] * 5
        NOW[0] += 10
        assert one.once == 2


def test_awaited():
    async def main():
        one = Rates()
        assert await asyncio.gather(waits(one), waits(one)) == [1, 1]
        # Its time began when it was there.
        NOW[0] += 9
        assert await one.awaited == 1
        NOW[0] += 1
        assert await one.awaited == 2

    async def waits(one):
        return await one.awaited

    asyncio.run(main())


def test_errors():
    for keywords, kind, text in (
        ({"ttl": 0}, ValueError, "ttl must be positive"),
        ({"ttl": float("nan")}, ValueError, "ttl must be positive"),
        ({"ttl": "3"}, TypeError, "ttl must be a number of seconds or a timedelta"),
        ({"ttl": 3, "clock": 3}, TypeError, "clock= must be callable"),
        ({"clock": clock}, TypeError, "clock= wants a ttl="),
        ({"nonsense": 3}, TypeError, "nonsense"),
    ):
        with pytest.raises(kind, match=text):
            cached_property(len, **keywords)

    class Sub(cached_property):
        pass

    with pytest.raises(TypeError, match="ttl= is for cached_property itself"):
        Sub(len, ttl=3)
    with pytest.raises(TypeError):
        cached_property()

    def broken():
        raise OSError

    class Owner:
        value = cached_property(lambda self: [], ttl=3, clock=lambda: ask())  # noqa: PLW0108 (it is another later)

    ask, one = clock, Owner()
    first = one.value
    ask = broken
    with pytest.raises(OSError):
        one.value  # noqa: B018
    ask = clock
    assert one.value is first


def test_garbage():
    class Owner:
        value = cached_property(lambda self: [self], ttl=3)

    one = Owner()
    assert one.value[0] is one
    gone = [weakref.ref(one), weakref.ref(Owner.value)]
    del one, Owner
    gc.collect()
    assert [each() for each in gone] == [None, None]
