# SPDX-License-Identifier: MIT
"""hasten.slots.slotted: what becomes a slot, and everything that must go on as without."""

import abc
import copy
import dataclasses
import enum
import functools
import gc
import pickle
import sys
import typing
import weakref

import hasten.functools
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


# -- names


ASSIGNMENTS = {
    "self.a = 1": ["a"],
    "self.a = self.b = 1": ["a", "b"],
    "self.a, (self.b, *self.c) = 1, (2, 3)": ["a", "b", "c"],
    "self.a: int = 1": ["a"],
    "for self.a in (1,): pass": ["a"],
    "with open('/dev/null') as self.a: pass": ["a"],
    "if self:\n   if self: self.a = 1\n  else: self.b = 1": ["a", "b"],
    "try: self.a = 1\n  finally: self.b = 2": ["a", "b"],
    "self.a = [x for x in (1, 2) if x] or self": ["a"],
    "def inner(): self.a = 1\n  inner()": ["a"],
    "def inner():\n   def more(): self.a = 1\n   more()\n  inner()": ["a"],
    "f = lambda: setattr(self, 'a', 1)\n  f()": ["a"],
    "setattr(self, 'a', 1)": ["a"],
    "object.__setattr__(self, 'a', 1)": ["a"],
    "super().__setattr__('a', 1)": ["a"],
    "self.__setattr__('a', 1)": ["a"],
    "self.__a = 1": ["_C__a"],
    "other = C.__new__(C); other.a = 1": [],
    "x = self; del x": [],
    "self.a if self else 1": None,  # not run: nothing assigns
}


@pytest.mark.parametrize("text", [text for text, names in ASSIGNMENTS.items() if names])
def test_assigned_names(text):
    C = make(f"@slotted\nclass C:\n def __init__(self):\n  {text}\n")
    assert C.__slots__ == tuple(ASSIGNMENTS[text])
    C()


@pytest.mark.parametrize("text", [text for text, names in ASSIGNMENTS.items() if not names])
def test_what_assigns_nothing(text):
    C = make(f"@slotted\nclass C:\n def __init__(self):\n  {text}\n")
    assert C.__slots__ == ()


def test_augmented_assignment_makes_an_attribute():
    C = make("@slotted\nclass C:\n count = 0\n def hit(self, n):\n  self.count += n if n else 1\n")
    c = C()
    c.hit(3)
    assert C.__slots__ == ("count",)
    assert (c.count, C().count) == (3, 0)


def test_every_method_counts():
    @slotted
    class C:
        def m(self):
            self.a = 1

        @property
        def p(self):
            return self.b

        @p.setter
        def p(self, value):
            self.b = value

        @functools.singledispatchmethod
        def s(self, value):
            self.c = value

        @s.register
        def _(self, value: int):
            self.d = value

        def _part(self, value):
            self.e = value

        part = functools.partialmethod(_part, 5)

        @functools.lru_cache  # noqa: B019
        def cached(self):
            self.f = 1

    assert set(C.__slots__) == set("abcdef")
    c = C()
    c.p = 3
    c.s(4)
    c.s("x")
    c.part()
    assert (c.p, c.d, c.c, c.e) == (3, 4, "x", 5)


def test_new_assigns_to_what_it_returns():
    @slotted
    class C:
        def __new__(cls, a):
            made = super().__new__(cls)
            made.a = a
            return made

    assert C.__slots__ == ("a",)
    assert C(3).a == 3


def test_decorated_methods():
    def plain(function):
        def wrapper(*args):
            return function(*args)

        return wrapper

    def wrapping(function):
        @functools.wraps(function)
        def wrapper(*args):
            return function(*args)

        return wrapper

    class Hidden:
        def __init__(self, function):
            self.function = function

        def __get__(self, instance, owner):
            return functools.partial(self.function, instance)

    @slotted
    class C:
        @plain
        def __init__(self):
            super().__init__()
            self.a = 1

        @wrapping
        def b(self):
            self.c = super().__repr__()
            return __class__

        @Hidden
        def d(self):
            return __class__

    assert C.__slots__ == ("a", "c")
    c = C()
    assert c.b() is c.d() is C


ANNOTATIONS = """
from typing import ClassVar, Final, Any
import typing as t
import typing
@slotted
class C:
    a: int
    b: ClassVar[int] = 1
    c: "ClassVar[int]" = 1
    d: t.ClassVar[int] = 1
    e: "t.ClassVar" = 1
    f: "typing.Optional[C]"
    g: Final = 3
    h: Final[int]
    i: list["Unknown"]
    def m(self):
        self.h = 1
"""


@pytest.mark.parametrize("future", [False, True])
def test_annotations(future):
    first = "from __future__ import annotations\n" if future else ""
    C = make(first + ANNOTATIONS)
    assert C.__slots__ == ("a", "f", "h", "i")
    assert (C.b, C.c, C.d, C.e, C.g) == (1, 1, 1, 1, 3)


@pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations are evaluated at once")
def test_annotations_of_what_comes_later():
    namespace = {"slotted": slotted}
    exec("@slotted\nclass C:\n class Inner: pass\n a: Later\n b: Inner\n", namespace)
    C = namespace["C"]
    assert C.__slots__ == ("a", "b")
    with pytest.raises(NameError):
        C.__annotations__  # noqa: B018
    namespace["Later"] = int
    assert C.__annotations__ == {"a": int, "b": C.Inner}


def test_named_and_seen(tmp_path):
    class C:
        def __init__(self, a):
            self.a = a

    name = f"{C.__module__}.{C.__qualname__}"
    file = tmp_path / "seen.json"
    file.write_text('{"classes": [{"name": "%s", "names": {"a": 3, "z": 1}}]}' % name)
    assert slotted(C, slots=["x", "a"]).__slots__ == ("a", "x")
    assert slotted(C, slots="x").__slots__ == ("a", "x")
    assert slotted(C, seen={name: ["a", "y"]}).__slots__ == ("a", "y")
    assert slotted(C, seen={"another.Class": ["a", "y"]}).__slots__ == ("a",)
    assert slotted(C, seen=file).__slots__ == ("a", "z")
    refused(C, "'no name' can be no slot", slots=["no name"])
    file.write_text("[]")
    with pytest.raises(ValueError, match="is no survey"):
        slotted(C, seen=file)


# -- what a class is


def test_layout_is_the_interpreters():
    @slotted
    class C:
        def __init__(self, a, b, c):
            self.a, self.b, self.c = a, b, c

    class Hand:
        __slots__ = ("a", "b", "c")

    c = C(1, 2, 3)
    assert C.__basicsize__ == Hand.__basicsize__
    assert sys.getsizeof(c) == sys.getsizeof(Hand())
    assert not hasattr(c, "__dict__")
    assert type(vars(C)["a"]) is type(vars(Hand)["a"])
    with pytest.raises(AttributeError):
        c.d = 1
    with pytest.raises(TypeError, match="weak reference"):
        weakref.ref(c)


def test_names_documentation_and_order():
    class Outer:
        @slotted
        class C:
            """What it is."""

            b: int
            a = 3

            def m(self):
                pass

            @property
            def p(self):
                return 1

    C = Outer.C
    assert C.__doc__ == "What it is."
    assert C.__module__ == __name__
    assert C.__qualname__ == f"{test_names_documentation_and_order.__name__}.<locals>.Outer.C"
    names = [name for name in vars(C) if not name.startswith("_")]
    assert [name for name in names if name != "b"] == ["a", "m", "p"]


def test_this_class_in_every_function():
    @slotted
    class C:
        def method(self):
            return __class__

        @classmethod
        def of_class(cls):
            return super().__new__(cls), __class__

        @staticmethod
        def static():
            def inner():
                return lambda: __class__

            return inner()()

        @property
        def value(self):
            return super().__hash__() and __class__

        @functools.cached_property
        def cached(self):
            return [__class__ for _ in (1,)][0]

        partial = functools.partialmethod(lambda self, _: __class__, 1)

        def generator(self):
            yield __class__

    c = C()
    found = [c.method(), c.of_class()[1], c.static(), c.value, c.cached, c.partial()]
    assert [*found, next(c.generator())] == [C] * 7
    assert type(C.of_class()[0]) is C


def test_nothing_is_left_of_the_class_before():
    class Base:
        __slots__ = ()

    before = []

    def remember(cls):
        before.append(weakref.ref(cls))
        return cls

    gc.disable()
    try:

        @slotted
        @remember
        class C(Base):
            a: int = 1

            def m(self):
                return super().__repr__(), self.z

            @functools.cached_property
            def z(self):
                return 1

        assert before[0]() is None
        assert Base.__subclasses__() == [C]
    finally:
        gc.enable()
    assert C().m()[1] == 1


def test_class_that_somebody_keeps_is_left_alone():
    class C:
        def __init__(self):
            self.a = 1

        def m(self):
            return self.a

    made = slotted(C)
    assert made is not C
    assert C().m() == made().m() == 1
    C().other = 2


def test_classes_are_collected():
    value = type("Value", (), {})()
    reference = weakref.ref(value)
    C = make("@slotted\nclass C:\n a: int = value\n def m(self): return super()\n", value=value)
    D = type("D", (C,), {})
    made = D()
    assert made.a is value
    gone = [weakref.ref(C), weakref.ref(D)]
    del C, D, made, value
    gc.collect()
    assert [one() for one in gone] == [None, None]
    assert reference() is None


def test_bare_and_called():
    class C:
        def __init__(self):
            self.a = 1

    assert slotted(C).__slots__ == slotted()(C).__slots__ == ("a",)
    assert slotted(weakref=True)(C).__slots__ == ("a", "__weakref__")


def test_weak_references():
    C = slotted(type("C", (), {}), weakref=True)
    c = C()
    assert weakref.ref(c)() is c
    D = slotted(type("D", (C,), {"__init__": lambda self: setattr(self, "a", 1)}), weakref=True)
    assert D.__slots__ == ("a",)
    d = D()
    assert weakref.ref(d)() is d


def test_dict_as_well():
    @slotted(dict=True)
    class C:
        limit = 3

        def __init__(self, **more):
            self.a = 1
            self.limit = 4
            self.__dict__.update(more)

    assert C.__slots__ == ("a", "__dict__")
    c = C(b=2)
    assert (c.a, c.b, c.limit, C.limit) == (1, 2, 4, 3)
    assert vars(c) == {"b": 2, "limit": 4}
    assert copy.copy(c).b == 2
    assert slotted(type("D", (), {}), slots=["__dict__"]).__slots__ == ("__dict__",)


# -- defaults


def test_defaults_are_initial_values():
    shared = []

    class Plain:
        a: int = 5
        b: list = shared
        c = None

        def __init__(self, c=None):
            self.first = (self.a, self.b)
            if c is not None:
                self.c = c

    C = slotted(Plain)
    c = C()
    assert c.first == (5, shared)
    assert (c.a, c.b, c.c, C(4).c) == (5, shared, None, 4)
    assert c.b is shared
    c.a = 6
    assert (c.a, C().a) == (6, 5)
    assert dict(C.__slot_defaults__) == {"a": 5, "b": shared, "c": None}
    assert object.__new__(C).a == copy.copy(C()).a == 5


def test_defaults_in_subclasses():
    class Base:
        __slots__ = ()
        seen: typing.ClassVar[list] = []

        def __init_subclass__(cls, *, tag="none", **more):
            super().__init_subclass__(**more)
            cls.seen.append((cls, tag))

    @slotted
    class C(Base, tag="c"):
        a: int = 1

    class D(C, tag="d"):
        pass

    class E(D):
        a = 7

    @slotted
    class F(C, tag="f"):
        a: int = 3
        b: int = 2

    assert [D().a, E().a, F().a, F().b, C().a] == [1, 7, 3, 2, 1]
    assert F.__slots__ == ("b",)
    assert Base.seen == [(C, "c"), (D, "d"), (E, "none"), (F, "f")]


def test_init_subclass_of_its_own_runs_for_subclasses():
    @slotted
    class C:
        a: int = 1

        def __init_subclass__(cls, **more):
            cls.said = more

    class D(C, word=1):
        pass

    assert D.said == {"word": 1}
    assert D().a == 1
    assert not hasattr(C, "said")


def test_default_with_its_own_new():
    @slotted
    class C:
        a: int = 1

        def __new__(cls, *args):
            made = super().__new__(cls)
            made.b = made.a + 1
            return made

        def __init__(self, c):
            self.c = c

    c = C(9)
    assert (c.a, c.b, c.c) == (1, 2, 9)


def test_builtin_base():
    def define():
        class C(list):
            count: int = 0

            def append(self, item):
                self.count += 1
                super().append(item)

        return C

    made = []
    for kind in (define(), slotted(define())):
        c = kind([1])
        c.append(2)
        copied = copy.copy(c)
        made.append((list(c), c.count, kind().count, list(copied), copied.count))
    assert made[0] == made[1]
    assert not hasattr(c, "__dict__")


# -- hooks and registries

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
    class C:
        def __init__(self, a):
            self.a = a

        def __eq__(self, other):
            return self.a == other.a

        def __lt__(self, other):
            return self.a < other.a

    assert C(1) <= C(2)
    assert C.__hash__ is None


# -- kinds of classes


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


# -- pickling


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


# -- what is refused


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
    Meta = type("Meta", (type,), {"mro": lambda cls: type.mro(cls)})
    refused(Meta("C", (), {}), r"mro\(\) of its own")


def test_refused_for_what_its_code_does():
    def of(text):
        return make(f"class C:\n{text}\n")

    place = r"C.m\(\), line 3"
    refused(of(" def m(self):\n  self.__dict__['a'] = 1"), f"{place} uses the instance's __dict__")
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
