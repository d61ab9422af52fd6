# SPDX-License-Identifier: MIT
"""cached_method: the results of a method's calls live and die with the instance."""

import copy
import functools
import gc
import inspect
import pickle
import threading
import weakref
from dataclasses import dataclass

import hasten.functools as functools_ours
import pytest
from hasten.functools import cached_method


class Owner:
    def __init__(self):
        self.calls = 0

    @cached_method
    def method(self, number, other=1):
        "Its text."
        self.calls += 1
        return [number, self.calls]

    @cached_method(maxsize=2, ttl=60, single_flight=True)
    def managed(self, number):
        return [self, number]


class Sub(Owner):
    @cached_method(maxsize=3)
    def method(self, number):
        return ("sub", super().method(number))


class Slotted:
    __slots__ = ("_cached_method",)

    @cached_method
    def method(self, number):
        return [number]


@pytest.mark.parametrize("make", [Owner, Slotted])
def test_each_instance_has_its_own(make):
    one, other = make(), make()
    first = one.method(1)
    assert one.method(1) is first is make.method(one, 1)
    assert other.method(1) is not first
    assert one.method.cache_info() == (2, 1, 128, 1)
    assert other.method.cache_info() == (0, 1, 128, 1)
    one.method.cache_clear()
    assert one.method(1) is not first
    bound = one.method
    assert bound(1) is one.method(1) and bound.__self__ is one


def test_it_looks_like_the_method():
    for method in (Owner.method, Owner().method):
        assert method.__name__ == "method" and method.__doc__ == "Its text."
        assert method.__qualname__ == "Owner.method"
        assert method.cache_parameters() == {"maxsize": 128, "typed": False}
    assert str(inspect.signature(Owner.method)) == "(self, number, other=1)"
    assert Owner.managed.cache_parameters()["ttl"] == 60
    assert copy.deepcopy(Owner.method) is Owner.method
    assert pickle.loads(pickle.dumps(Owner.method)) is Owner.method


def test_keywords_and_errors():
    owner = Owner()
    assert owner.method(1, other=2) is owner.method(1, other=2)
    assert owner.method(1, other=2) is not owner.method(1)
    with pytest.raises(TypeError, match=r"^unhashable type: 'list'$"):
        owner.method([])
    with pytest.raises(TypeError, match="missing 2 required positional arguments"):
        Owner.method()
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        owner.method()


@pytest.mark.parametrize("name", ["method", "managed", "keyed"])
def test_the_function_of_one_on_another(name):
    class More(Owner):
        @cached_method(key=lambda number: number)
        def keyed(self, number):
            return [self, number]

    owner = More()
    bound = getattr(owner, name)
    bound(1)
    other = copy.deepcopy(bound)
    assert other.__self__ is not owner and other.__func__ is bound.__func__
    other.__self__.calls = 10
    assert other(1) == ([1, 11] if name == "method" else [other.__self__, 1])
    assert bound(1) is getattr(owner, name)(1)
    with pytest.raises(TypeError, match="missing 2 required positional arguments"):
        bound.__func__()


def test_threads_that_make_an_instances_function_at_the_same_time():
    barrier, calls = threading.Barrier(2, timeout=60), []

    def method(self):
        calls.append(self)
        return 5

    def make():
        barrier.wait()
        return functools_ours._managed(method, None, False, functools_ours._checked(**options))

    options = functools_ours._PLAIN | {"single_flight": True}

    class Met:
        cached = functools_ours._cached_method(method, make)

    owner = Met()
    threads = [threading.Thread(target=Met.cached, args=(owner,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [owner] and owner.cached() == 5
    assert owner.cached.cache_info()[:2] == (2, 1)


def test_a_method_of_the_class_above():
    sub = Sub()
    assert sub.method(1) is sub.method(1)
    assert sub.method(1)[1] is Owner.method(sub, 1)
    assert sub.method.cache_info().maxsize == 3 and sub.calls == 1


def test_a_class_of_the_same_name_above():
    class Sub(Owner):
        pass

    class Again(Sub):
        @cached_method
        def method(self, number):
            return ("again", super().method(number))

    Again.__name__ = Sub.__name__ = "Owner"

    class Owner2(Again):
        @cached_method
        def method(self, number):
            return ("deepest", super().method(number))

    instance = Owner2()
    assert instance.method(5) == ("deepest", ("again", [5, 1]))
    assert instance.method(5) is instance.method(5) and instance.calls == 1


class SlottedSub(Slotted):
    __slots__ = ("more",)

    @cached_method(maxsize=5)
    def method(self, number):
        return ("sub", super().method(number))


def test_methods_above_and_below_that_have_one_slot():
    one = SlottedSub()
    first = one.method(1)
    assert one.method(1) is first and first[1] is Slotted.method(one, 1)
    one.method(2)
    assert one.method(1) is first and first[1] is Slotted.method(one, 1)
    assert one.method.cache_info() == (2, 2, 5, 2)
    other = copy.copy(one)
    assert other.method(1) is not first
    assert one.method(1) is first and first[1] is Slotted.method(one, 1)


@pytest.mark.parametrize("name", ["method", "managed"])
def test_instances_are_not_kept_alive(name):
    owner = Owner()
    getattr(owner, name)(1)
    if name == "managed":
        owner.managed.cache_clear()
    gone = weakref.ref(owner)
    gc.disable()
    try:
        del owner
        assert gone() is None
    finally:
        gc.enable()
    # A result that holds the instance is a cycle, which the collector finds.
    owner = Owner()
    owner.managed(1)
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copy_has_results_of_its_own(duplicate):
    owner = Owner()
    owner.method(1), owner.managed(1)
    other = duplicate(owner)
    other.calls = 10
    assert other.method(1) == [1, 11]
    assert other.managed(1)[0] is other
    assert owner.method(1) == [1, 1]
    assert owner.managed(1)[0] is owner
    # The original is gone, and another may be where it was.
    copies = [copy.copy(owner) for _ in range(3)]
    del owner, other
    for one in copies:
        assert one.managed(1)[0] is one
        assert copy.copy(one).managed(1)[0] is not one


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickled_instances_begin_anew(protocol):
    for owner in (Owner(), Slotted()):
        owner.method(1)
        restored = pickle.loads(pickle.dumps(owner, protocol))
        assert restored.method(1)[0] == 1
        assert restored.method.cache_info()[1] == 1


def test_a_frozen_dataclass():
    @dataclass(frozen=True)
    class Point:
        x: int

        @cached_method
        def scaled(self, by):
            return [self.x * by]

    point = Point(3)
    assert point.scaled(2) is point.scaled(2)
    assert point.scaled(2) == [6] and point == Point(3)


def test_what_cannot_be():
    class Without:
        __slots__ = ()

        @cached_method
        def method(self):
            return 1

    with pytest.raises(TypeError, match="No '__dict__' attribute on 'Without' instance"):
        Without().method()
    late = cached_method(lambda self: 1)
    Owner.late = late
    try:
        with pytest.raises(TypeError, match="without calling __set_name__"):
            Owner().late()
    finally:
        del Owner.late
    for wrong in ({"policy": "fifo"}, {"nonsense": 1}, {"ttl": -1}):
        with pytest.raises((TypeError, ValueError)):
            cached_method(**wrong)(len)
    with pytest.raises(TypeError, match="Expected first argument"):
        cached_method("3")


def test_discard_and_key():
    class Keyed:
        @cached_method(key=lambda options: options["id"])
        def method(self, options):
            return [options["id"]]

    owner = Keyed()
    assert owner.method({"id": 1, "x": 1}) is owner.method({"id": 1})
    assert owner.method.cache_discard({"id": 1}) is True
    assert owner.method.cache_discard({"id": 1}) is False


def test_threads():
    owner, wrong = Owner(), []

    def work():
        for number in range(2000):
            if owner.method(number % 50)[0] != number % 50:
                wrong.append(number)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_standard_modules_update_wrapper():
    assert Owner.method.__wrapped__.__name__ == "method"
    assert functools.partial(Owner.method, Owner())(3) == [3, 1]
