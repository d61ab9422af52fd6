# SPDX-License-Identifier: MIT
"""hasten.slots.slotted: which attributes become slots."""

import functools
import json
import sys

import pytest
from hasten.slots import slotted


def make(text, **names):
    """The class C of some program text, and its other names."""
    namespace = {"slotted": slotted, "functools": functools, "__name__": __name__} | names
    exec(text, namespace)
    return namespace["C"]


def refused(cls, match, **options):
    with pytest.raises(TypeError, match=match):
        slotted(cls, **options)


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
    content = {"classes": [{"name": name, "names": {"a": 3, "z": 1}}]}
    file.write_text(json.dumps(content))
    assert slotted(C, slots=["x", "a"]).__slots__ == ("a", "x")
    assert slotted(C, slots="x").__slots__ == ("a", "x")
    assert slotted(C, seen={name: ["a", "y"]}).__slots__ == ("a", "y")
    assert slotted(C, seen={"another.Class": ["a", "y"]}).__slots__ == ("a",)
    assert slotted(C, seen=file).__slots__ == ("a", "z")
    refused(C, "'no name' can be no slot", slots=["no name"])
    file.write_text("[]")
    with pytest.raises(ValueError, match="is no survey"):
        slotted(C, seen=file)
