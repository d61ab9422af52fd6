# SPDX-License-Identifier: MIT
"""hasten.slots.slotted: pickles and copies; what is refused."""

import copy
import dataclasses
import enum
import functools
import pickle
import typing

import pytest
from hasten.slots import slotted
from isolated import run_isolated


def make(text, **names):
    """The class C of some program text, and its other names."""
    namespace = {"slotted": slotted, "functools": functools, "__name__": __name__} | names
    exec(text, namespace)
    return namespace["C"]


def refused(cls, match, **options):
    with pytest.raises(TypeError, match=match):
        slotted(cls, **options)


class Point:
    kind: str = "point"

    def __init__(self, x, y):
        self.x = x
        self.y = y
        self.__private = x + y

    def private(self):
        return self.__private

    @functools.cached_property
    def total(self):
        return self.x + self.y


class Stateful:
    def __init__(self):
        self.a = 1

    def __setstate__(self, state):
        self.a = state["a"] + 1


WITHOUT = Point, Stateful
BEFORE = {
    protocol: [pickle.dumps(Point(1, 2), protocol), pickle.dumps(Stateful(), protocol)]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
}
Point = slotted(Point)
Stateful = slotted(Stateful)


@slotted
class Frozen:
    a: int
    b: int = 2

    def __init__(self, a):
        object.__setattr__(self, "a", a)

    def __setattr__(self, name, value):
        raise AttributeError(f"cannot set {name}")

    def __getattr__(self, name):
        raise AttributeError(f"no {name} here")


@pytest.mark.parametrize("protocol", BEFORE)
def test_frozen_instances(protocol):
    frozen = Frozen(1)
    for again in (pickle.loads(pickle.dumps(frozen, protocol)), copy.deepcopy(frozen)):
        assert (again.a, again.b) == (1, 2)
        with pytest.raises(AttributeError, match="cannot set a"):
            again.a = 2
        with pytest.raises(AttributeError, match="no c here"):
            again.c  # noqa: B018


class Child(Point):
    """Without slots of its own, so that it has a __dict__ too."""

    def __init__(self):
        super().__init__(3, 4)
        self.more = 5


@pytest.mark.parametrize("protocol", BEFORE)
def test_pickles_of_a_subclass(protocol):
    again = pickle.loads(pickle.dumps(Child(), protocol))
    assert (again.x, again.y, again.kind, again.more, again.private()) == (3, 4, "point", 5, 7)
    assert vars(again) == {"more": 5}


@pytest.mark.parametrize("protocol", BEFORE)
def test_pickles(protocol, monkeypatch):
    point = Point(1, 2)
    assert point.total == 3
    text = pickle.dumps(point, protocol)
    for data in (text, BEFORE[protocol][0]):
        again = pickle.loads(data)
        assert type(again) is Point
        assert (again.x, again.y, again.kind, again.private(), again.total) == (1, 2, "point", 3, 3)
    assert pickle.loads(pickle.dumps(Stateful(), protocol)).a == 2
    assert pickle.loads(BEFORE[protocol][1]).a == 2
    monkeypatch.setitem(globals(), "Point", WITHOUT[0])
    older = pickle.loads(text)
    assert type(older) is WITHOUT[0]
    assert (older.x, older.private(), older.total) == (1, 3, 3)


def test_copies():
    point = Point(1, 2)
    point.x = [1]
    shallow, deep = copy.copy(point), copy.deepcopy(point)
    assert shallow.x is point.x
    assert deep.x == point.x
    assert deep.x is not point.x
    empty = copy.copy(Point.__new__(Point))
    assert not hasattr(empty, "x")
    assert point.__getstate__() == {"kind": "point", "x": [1], "y": 2, "_Point__private": 3}


def test_state_that_does_not_fit():
    point = Point.__new__(Point)
    with pytest.raises(AttributeError, match="no slot 'z'"):
        point.__setstate__({"z": 1})
    with pytest.raises(TypeError, match="should be a dict"):
        point.__setstate__([1])
    point.__setstate__((None, {"x": 5}))
    point.__setstate__(None)
    assert point.x == 5


def test_own_ways_of_pickling_are_kept():
    @slotted
    class C:
        def __init__(self, a):
            self.a = a

        def __reduce__(self):
            return (list, ((self.a,),))

    assert pickle.loads(pickle.dumps(C(3))) == [3]

    @slotted
    class D:
        def __init__(self, a):
            self.a = a

        def __getstate__(self):
            return {"a": self.a * 2}

    assert copy.copy(D(3)).a == 6


def test_refused_with_the_alternative():
    refused(5, "slotted takes a class, not int")
    refused(dataclasses.make_dataclass("C", ["a"]), r"use @dataclass\(slots=True\)")
    refused(enum.Enum("C", ["A"]), "is an enum")
    refused(typing.NamedTuple("C", [("a", int)]), "is a NamedTuple")
    refused(typing.TypedDict("C", {"a": int}), "is a TypedDict")
    refused(type("C", (typing.Protocol,), {}), "is a Protocol")
    refused(type("C", (), {"__slots__": ()}), "has __slots__ already")
    refused(type("C", (type,), {}), "is a metaclass")
    refused(type("C", (int,), {}), "derives from int")
    refused(type("C", (ValueError,), {}), "inherits a __dict__ from BaseException")
    Base = type("Base", (), {})
    refused(type("C", (Base,), {}), "inherits a __dict__ from Base: give that slots first")
    refused(Base, "has subclasses already")
    refused(type("C", (), {"__attrs_attrs__": ()}), "attrs")
    Meta = type("Meta", (type,), {"mro": lambda cls: [*type.mro(cls)]})
    refused(Meta("C", (), {}), r"mro\(\) of its own")


def test_refused_for_what_its_code_does():
    def of(text):
        return make(f"class C:\n{text}\n")

    place = r"C.m\(\), line 3"
    refused(of(" def m(self):\n  self.__dict__['a'] = 1"), f"{place} uses the instance's __dict__")
    refused(of(" def m(self):\n  self.__dict__ = {}"), f"{place} uses the instance's __dict__")
    refused(of(" def m(self):\n  vars(self)"), f"{place} uses the instance's __dict__")
    computed = of(" def m(self, n):\n  setattr(self, n, 1)")
    refused(computed, f"{place} sets attributes whose names are computed")
    slotted(computed, slots=["a"])().m("a")
    refused(of(" def m(self, n): pass\n def n(self):\n  self.m = 1"), "m is an attribute")
    read = r"limit is read of the class in C.m\(\)"
    for text in ("type(self)", "self.__class__", "C", "__class__"):
        if text != "__class__":
            refused(of(f" limit: int = 3\n def m(self):\n  return {text}.limit"), read)
    refused(of(" limit: int = 3\n @classmethod\n def m(cls):\n  return cls.limit"), read)
    refused(of(" def m(self):\n  self.__doc__ = 1"), "__doc__ .* can be no slot")
    passes_on = " def __setattr__(self, n, v):\n  super().__setattr__(n, v)"
    assert slotted(of(passes_on + "\n def m(self):\n  self.a = 1")).__slots__ == ("a",)


class Lazy(functools.cached_property):
    pass


def test_refused_cached_property_of_others():
    class C:
        @Lazy
        def a(self):
            return 1

    refused(C, "keeps its value in the __dict__")
    assert slotted(C, dict=True)().a == 1


def test_a_failed_hook_is_put_back():
    """The hook of the base works on, also where making the class failed."""
    calls = []

    class A:
        __slots__ = ("a",)

        def __init_subclass__(cls):
            calls.append(cls.__name__)

    class B:
        __slots__ = ()

    C = type("C", (A, B), {"x": 1, "m": lambda self: setattr(self, "y", 1)})
    hook = vars(A)["__init_subclass__"]
    import hasten._slots

    with pytest.raises(TypeError):
        hasten._slots.remake(C.__mro__[1:], (type, "C", (A, B), {"__slots__": 5}))
    assert vars(A)["__init_subclass__"] is hook
    slotted(C)
    assert calls == ["C"]
    type("D", (A,), {})
    assert calls == ["C", "D"]


def test_in_another_interpreter():
    run_isolated(
        "from hasten.slots import slotted, survey\n"
        "@slotted\n"
        "class C:\n"
        "    a: int = 1\n"
        "assert C().a == 1\n"
        "assert survey().objects > 0\n"
    )
