# SPDX-License-Identifier: MIT
"""hasten.slots.slotted: hooks, registries, and all kinds of classes."""

import abc
import functools
import sys
import typing
import weakref

import hasten.functools
import pytest
from hasten.slots import slotted


def make(text, **names):
    """The class C of some program text, and its other names."""
    namespace = {"slotted": slotted, "functools": functools, "__name__": __name__} | names
    exec(text, namespace)
    return namespace["C"]


REGISTRY = {}
ORDER = []


class Registering(type):
    def __new__(mcs, name, bases, namespace, *, key):
        made = super().__new__(mcs, name, bases, namespace)
        REGISTRY.setdefault("by key", {})[key] = made
        return made

    def __init__(cls, name, bases, namespace, *, key):
        super().__init__(name, bases, namespace)
        ORDER.append(cls)
        cls.key = key


def test_registries_have_the_new_class():
    @slotted
    class C(metaclass=Registering, key="c"):
        def __init__(self):
            self.a = 1

    assert REGISTRY == {"by key": {"c": C}}
    assert ORDER == [C]
    assert (type(C), C.key, C().a) == (Registering, "c", 1)


def test_hooks_run_once_and_keep_the_new_class():
    calls = []

    class Base:
        __slots__ = ()
        by_class: typing.ClassVar[dict] = {}
        live: typing.ClassVar = weakref.WeakSet()
        latest: typing.ClassVar = None

        def __init_subclass__(cls, *, required):
            calls.append((cls, required))
            Base.by_class[cls] = required
            Base.live.add(cls)
            Base.latest = cls
            cls.made = required

    @slotted
    class C(Base, required=3):
        pass

    assert calls == [(C, 3)]
    assert Base.by_class == {C: 3}
    assert list(Base.live) == [C]
    assert Base.latest is C
    assert C.made == 3


def test_set_name_knows_the_new_class():
    class Named:
        def __set_name__(self, owner, name):
            self.owner = owner
            self.name = name

    @slotted
    class C:
        field = Named()

    assert vars(C)["field"].owner is C
    assert vars(C)["field"].name == "field"


def test_failing_set_name():
    class Named:
        def __set_name__(self, owner, name):
            if "__slots__" in vars(owner):
                raise RuntimeError("no")

    C = type("C", (), {"field": Named()})
    with pytest.raises(RuntimeError):
        slotted(C)


def test_other_class_decorators():
    @functools.total_ordering
    @slotted
    @functools.total_ordering
    class C:  # noqa: PLW1641 (that it has none is the point)
        def __init__(self, a):
            self.a = a

        def __eq__(self, other):
            return self.a == other.a

        def __lt__(self, other):
            return self.a < other.a

    assert C(1) <= C(2)
    assert C.__hash__ is None


def test_abstract_classes():
    class Base(abc.ABC):
        __slots__ = ()

        @abc.abstractmethod
        def f(self): ...

    @slotted
    class C(Base):
        def __init__(self):
            self.a = 1

        def f(self):
            return super().f() or 4

    @slotted
    class D(Base):
        def __init__(self):
            self.a = 1

        @property
        @abc.abstractmethod
        def g(self): ...

    D.register(int)
    assert C().f() == 4
    assert isinstance(C(), Base)
    assert D.__abstractmethods__ == {"f", "g"}
    assert isinstance(3, D)
    with pytest.raises(TypeError, match="abstract"):
        D()
    assert Base.__subclasses__() == [C, D]


def test_generic():
    T = typing.TypeVar("T")

    @slotted
    class C(typing.Generic[T]):
        def __init__(self, a: T):
            self.a = a

    assert C[int](3).a == 3
    assert C.__parameters__ == (T,)
    assert C.__orig_bases__ == (typing.Generic[T],)
    assert slotted(type("D", (C,), {})).__slots__ == ()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="a statement of 3.12")
def test_type_parameters():
    C = make("@slotted\nclass C[T]:\n a: T\n def m[S](self, b: S) -> T: return __class__\n")
    assert C.__slots__ == ("a",)
    assert [str(one) for one in C.__type_params__] == ["T"]
    assert C[int]().m(1) is C


def test_multiple_inheritance():
    @slotted
    class A:
        def __init__(self):
            self.a = 1

    class Mixin:
        __slots__ = ()

        def remember(self):
            self.b = 2

    @slotted
    class C(Mixin, A):
        def __init__(self):
            super().__init__()
            self.c = 3

    c = C()
    c.remember()
    assert C.__slots__ == ("c", "b")
    assert (c.a, c.b, c.c) == (1, 2, 3)


def test_bases_that_cannot_be_together():
    class First:
        a: int

    class Second:
        def __init__(self):
            self.b = 1

    A, B = slotted(First), slotted(Second)
    with pytest.raises(TypeError):
        type("C", (A, B), {})


def test_cached_properties():
    calls = []

    @slotted
    class C:
        def __init__(self, a):
            self.a = a

        @functools.cached_property
        def standard(self):
            "Its text."
            calls.append("standard")
            return self.a

        @hasten.functools.cached_property
        def ours(self):
            calls.append("ours")
            return self.a

        @hasten.functools.cached_method
        def method(self, n):
            calls.append("method")
            return n

    c = C(3)
    for _ in range(2):
        assert (c.standard, c.ours, c.method(1)) == (3, 3, 1)
    assert calls == ["standard", "ours", "method"]
    assert C.standard.__doc__ == "Its text."
    assert not hasattr(c, "__dict__")
