# SPDX-License-Identifier: MIT
"""Attributes that are read again and again through a lazy object, while object and class change."""

import gc
import random

import pytest
from hasten.lazy import Proxy
from isolated import run_isolated

# More than make a place worth to be remembered.
READS = 40


class Base:
    pass


def read(thing, name="value"):
    try:
        return getattr(thing, name)
    except AttributeError as error:
        return str(error)


def same(thing, proxy, name="value"):
    expected = read(thing, name)
    for _ in range(READS):
        assert read(proxy, name) == expected
    return expected


def changes(thing):
    """What may be done to an object and its class, each undone before the next."""
    kind = type(thing)

    def set_on(owner, name, value):
        return lambda: setattr(owner, name, value), lambda: delattr(owner, name)

    first = thing.value
    yield lambda: setattr(thing, "value", 9), lambda: setattr(thing, "value", first)
    yield lambda: delattr(thing, "value"), lambda: setattr(thing, "value", first)
    yield set_on(thing, "more", 1)
    yield set_on(kind, "value", property(lambda self: "of the class"))
    yield set_on(kind, "value", "hidden")
    yield set_on(Base, "value", property(lambda self: "of the base"))
    yield set_on(kind, "__getattribute__", lambda self, name: "asked for " + name)
    yield set_on(kind, "__getattr__", lambda self, name: "missed " + name)
    yield lambda: vars(thing).update(extra=1), lambda: vars(thing).pop("extra")
    before = vars(thing)
    yield (
        lambda: setattr(thing, "__dict__", {"other": 1, "value": "of another dict"}),
        lambda: setattr(thing, "__dict__", before),
    )
    yield lambda: vars(thing).clear(), lambda: setattr(thing, "value", first)
    yield (
        lambda: setattr(thing, "__class__", type("Other", (Base,), {"value": 1})),
        lambda: setattr(thing, "__class__", kind),
    )


def test_an_object_that_changes():
    class Thing(Base):
        def __init__(self):
            self.one, self.value, self.two = 1, ["value"], 2

        def method(self):
            return self.value

    thing = Thing()
    proxy = Proxy(lambda: thing)
    for change, undo in list(changes(thing)):
        assert same(thing, proxy) == ["value"]
        change()
        for name in ("value", "method", "more", "extra", "other"):
            expected = read(thing, name)
            for _ in range(READS):
                found = read(proxy, name)
                assert found == expected
        undo()
        assert same(thing, proxy) == ["value"]


def test_objects_of_one_class_that_keep_it_elsewhere():
    class Thing:
        pass

    names = [f"name{number}" for number in range(100)]
    rng = random.Random(1)
    things = []
    for number in range(50):
        thing = Thing()
        for name in rng.sample(names, 1 + number):
            setattr(thing, name, (name, number))
        things.append((thing, Proxy(lambda one=thing: one)))
    for _ in range(20):
        for thing, proxy in things:
            for name in rng.sample(names, 5):
                assert read(proxy, name) == read(thing, name)


def test_classes_that_come_and_go():
    for number in range(300):
        kind = type("Kind", (), {} if number % 3 else {"value": property(lambda self: "class")})
        thing = kind()
        if number % 3:
            thing.value = number
        assert same(thing, Proxy(lambda one=thing: one)) == (number if number % 3 else "class")
        if number % 50 == 0:
            gc.collect()


def test_objects_without_a_dict_of_the_usual_kind():
    class Slotted:
        __slots__ = ("value",)

    class Own(dict):
        def __init__(self):
            self.value = 3

    slotted = Slotted()
    slotted.value = 3
    for thing in (slotted, Own(), pytest):
        proxy = Proxy(lambda one=thing: one)
        same(thing, proxy)
        assert same(thing, proxy, "__doc__") == thing.__doc__
        same(thing, proxy, "raises")


def test_another_interpreter_has_no_part_in_it():
    run_isolated(
        "from hasten.lazy import Proxy\n"
        "class Thing:\n"
        "    def __init__(self): self.value = 1\n"
        "thing = Thing()\n"
        "proxy = Proxy(lambda: thing)\n"
        "assert sum(proxy.value for _ in range(100)) == 100\n"
        "Thing.value = property(lambda self: 2)\n"
        "assert sum(proxy.value for _ in range(100)) == 200\n"
    )
    thing = Base()
    thing.value = 5
    assert same(thing, Proxy(lambda: thing)) == 5
