# SPDX-License-Identifier: MIT
"""hasten.slots.slotted: the class that it makes, and initial values."""

import copy
import functools
import gc
import sys
import typing
import weakref

import pytest
from hasten.slots import slotted


def make(text, **names):
    """The class C of some program text, and its other names."""
    namespace = {"slotted": slotted, "functools": functools, "__name__": __name__} | names
    exec(text, namespace)
    return namespace["C"]


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
            return next(__class__ for _ in (1,))

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


# -- calls of the class


def test_calls_are_those_of_a_plain_class():
    """Arguments, keywords, errors, to the letter."""

    def define():
        class C:
            def __init__(self, a, *more, b=2, **rest):
                self.seen = (a, more, b, rest)

        return C

    Plain, C = define(), slotted(define())
    many = tuple(range(20))
    for call in (
        lambda cls: cls(1),
        lambda cls: cls(1, 2, 3, b=4, c=5),
        lambda cls: cls(*many),
        lambda cls: cls(*many, **{f"k{i}": i for i in range(9)}),
        lambda cls: [*map(cls, "ab")][1],
        lambda cls: functools.partial(cls, 1, b=3)(4),
    ):
        assert call(C).seen == call(Plain).seen
    for call in (lambda cls: cls(), lambda cls: cls(b=1)):
        errors = []
        for cls in (Plain, C):
            with pytest.raises(TypeError) as caught:
                call(cls)
            errors.append(str(caught.value))
        assert errors[0] == errors[1]


def test_a_class_that_is_changed_later():
    @slotted
    class C:
        def __init__(self, a):
            self.a = a

    assert C(1).a == 1
    C.__init__ = lambda self, a: setattr(self, "a", a + 1)
    assert C(1).a == 2
    C.__init__ = functools.partialmethod(C.__init__, 5)
    assert C().a == 6
    C.__new__ = lambda cls, *args: "made"
    assert C(1) == "made"
    del C.__new__
    del C.__init__
    with pytest.raises(TypeError, match=r"takes no arguments|takes exactly one argument"):
        C(1)
    assert type(C()) is C
    C.__init__ = lambda self: 3
    with pytest.raises(TypeError, match="should return None, not 'int'"):
        C()


def test_a_base_that_is_changed_later():
    class Base:
        __slots__ = ()

        def __init__(self):
            self.a = 1

    class Between(Base):
        __slots__ = ()

    @slotted
    class C(Between):
        a: int

    assert C().a == C().a == 1
    Base.__init__ = lambda self: setattr(self, "a", 2)
    assert C().a == 2
    Between.__init__ = lambda self: setattr(self, "a", 3)
    assert C().a == 3
    del Between.__init__
    assert C().a == 2


def test_failing_init_lets_go():
    released = []

    class Value:
        def __del__(self):
            released.append(1)

    @slotted
    class C:
        def __init__(self, value):
            self.value = value
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        C(Value())
    gc.collect()
    assert released == [1]


def test_metaclass_that_is_called_instead():
    class Meta(type):
        def __call__(cls, *args):
            return ["called", *args]

    @slotted
    class C(metaclass=Meta):
        def __init__(self, a):
            self.a = a

    assert C(1) == ["called", 1]


def test_deep_recursion_in_init():
    @slotted
    class C:
        def __init__(self, depth):
            self.inner = C(depth - 1) if depth else None

    with pytest.raises(RecursionError):
        C(10**6)
    assert C(50).inner.inner is not None


def test_a_property_in_front_of_a_slot_with_an_initial_value():
    @slotted
    class Base:
        size: int = 1

    @slotted
    class Squared(Base):
        name: str = "square"

        @property
        def size(self):
            return self.side**2

        @size.setter
        def size(self, size):
            self.side = size

    one = Squared()
    one.size = 3
    assert (one.size, one.side, one.name, Base().size) == (9, 3, "square", 1)
