# SPDX-License-Identifier: MIT
"""hasten.lazy.Proxy: as the object it stands for, which is made once."""

import asyncio
import copy
import math
import operator
import os
import pickle
from collections import UserList
from fractions import Fraction

import pytest
from hasten import lazy
from hasten.lazy import Proxy


class Sub(Proxy):
    """A subclass's own text."""


class Thing:
    """A thing's text."""

    def __init__(self, value=3):
        self.value = value

    def method(self, more=0):
        return self.value + more

    @property
    def half(self):
        return self.value / 2


KINDS = [pytest.param(Proxy, id="plain"), pytest.param(Sub, id="subclass")]

NUMBERS = [7, -2, True, 2.5, Fraction(3, 2), 3 + 1j]
BINARY = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.pow,
    operator.lshift,
    operator.rshift,
    operator.and_,
    operator.or_,
    operator.xor,
    operator.matmul,
    divmod,
    operator.eq,
    operator.ne,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
]
IN_PLACE = [
    operator.iadd,
    operator.isub,
    operator.imul,
    operator.itruediv,
    operator.ifloordiv,
    operator.imod,
    operator.ipow,
    operator.ilshift,
    operator.irshift,
    operator.iand,
    operator.ior,
    operator.ixor,
]
UNARY = [
    operator.neg,
    operator.pos,
    operator.abs,
    operator.invert,
    operator.index,
    operator.not_,
    int,
    float,
    complex,
    bool,
    hash,
    str,
    round,
    math.floor,
    math.ceil,
    math.trunc,
    len,
    iter,
    next,
    reversed,
    bytes,
    os.fspath,
    memoryview,
    dir,
]


def outcome(function, *arguments):
    """What it answers, or of which type its exception is."""
    try:
        return lazy.resolve(function(*arguments))
    except Exception as error:  # whatever it is, it is to be the same
        return type(error)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("function", BINARY, ids=lambda function: function.__name__)
def test_operators_with_two_operands(kind, function):
    for one in NUMBERS:
        for other in NUMBERS:
            expected = outcome(function, one, other)
            assert outcome(function, kind(lambda: one), other) == expected  # noqa: B023
            assert outcome(function, one, kind(lambda: other)) == expected  # noqa: B023
            assert (
                outcome(function, kind(lambda: one), kind(lambda: other)) == expected  # noqa: B023
            )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("function", UNARY, ids=lambda function: function.__name__)
def test_functions_of_one_object(kind, function):
    things = [*NUMBERS, "text", b"bytes", [1, 2], {3: 4}, None, range(3), UserList([1]), Thing]
    for thing in things:
        expected = outcome(function, thing)
        answer = outcome(function, kind(lambda: thing))  # noqa: B023
        if function in (iter, reversed) and not isinstance(expected, type):
            assert type(answer) is type(expected) and list(answer) == list(expected)
        elif function is os.fspath and expected is TypeError and isinstance(thing, int | float):
            assert answer is TypeError
        else:
            assert answer == expected, thing


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("function", IN_PLACE, ids=lambda function: function.__name__)
def test_in_place(kind, function):
    for other in (2, kind(lambda: 2)):
        proxy = before = kind(lambda: 12)
        expected = function(12, 2)
        proxy = function(proxy, other)
        assert type(proxy) is kind and proxy == expected and before == 12
    value = [1]
    proxy = before = kind(lambda: value)
    proxy += [2]
    proxy *= 2
    assert proxy is before and value == [1, 2, 1, 2]
    with pytest.raises(TypeError, match="unsupported operand"):
        proxy -= 1


def test_in_place_keeps_what_the_subclass_has():
    proxy = Sub(lambda: 1)
    Sub.note = None
    try:
        proxy.note = "mine"
        proxy += 1
        assert proxy == 2 and proxy.note == "mine"
    finally:
        del Sub.note


@pytest.mark.parametrize("kind", KINDS)
def test_power_of_three(kind):
    assert pow(kind(lambda: 3), kind(lambda: 4), kind(lambda: 5)) == 1
    assert pow(kind(lambda: 3), 4, 5) == pow(3, 4, 5)


@pytest.mark.parametrize("kind", KINDS)
def test_attributes(kind):
    thing = Thing()
    proxy = kind(lambda: thing)
    assert not lazy.is_resolved(proxy) and not proxy.__resolved__
    assert proxy.value == 3 and proxy.method() == 3 and proxy.method(more=2) == 5
    assert proxy.half == 1.5
    assert lazy.is_resolved(proxy) and proxy.__resolved__ and lazy.resolve(proxy) is thing
    proxy.value = 5
    proxy.new = 6
    assert thing.value == 5 and thing.new == 6
    del proxy.new
    assert not hasattr(thing, "new") and not hasattr(proxy, "new")
    with pytest.raises(AttributeError, match="'Thing' object has no attribute 'other'"):
        proxy.other  # noqa: B018
    assert proxy.__class__ is Thing and isinstance(proxy, Thing) and isinstance(proxy, Proxy)
    assert type(proxy) is kind
    assert proxy.__doc__ == "A thing's text." and proxy.__module__ == __name__
    assert vars(proxy) is vars(thing) and dir(proxy) == dir(thing)
    assert proxy.__eq__(thing) is True
    assert not hasattr(proxy, "__len__") and getattr(proxy, "__call__", 0) == 0  # noqa: B004
    name = "".join(["__", "wrapped", "__"])
    assert getattr(proxy, name) is thing
    assert getattr(kind(lambda: {"ä": 1}), "".join(["ke", "ys"]))() == {"ä"}
    with pytest.raises(AttributeError):
        proxy.ä__  # noqa: B018


@pytest.mark.parametrize("kind", KINDS)
def test_items_and_calls(kind):
    data = {"a": 1}
    proxy = kind(lambda: data)
    assert proxy["a"] == 1 and "a" in proxy and "b" not in proxy and len(proxy) == 1
    proxy["b"] = 2
    del proxy["a"]
    assert data == {"b": 2} and list(proxy) == ["b"] and proxy | {"c": 3} == {"b": 2, "c": 3}
    with pytest.raises(KeyError):
        proxy["a"]
    numbers = kind(lambda: [1, 2, 3])
    assert numbers[kind(lambda: 1)] == 2 and numbers[1:] == [2, 3] and numbers[-1] == 3
    with pytest.raises(IndexError):
        numbers[3]
    call = kind(lambda: lambda *args, **kwargs: (args, kwargs))
    assert call() == ((), {}) and call(1, b=2) == ((1,), {"b": 2})
    assert call(*[1, 2], **{"c": 3}) == ((1, 2), {"c": 3})
    with pytest.raises(TypeError, match="'int' object is not callable"):
        kind(lambda: 3)()
    assert [1] + numbers == [1, 1, 2, 3]  # noqa: RUF005
    assert "x" + kind(lambda: "y") == "xy"
    generator = kind(lambda: (n for n in (1, 2)))
    assert next(generator) == 1 and list(generator) == [2]
    assert operator.length_hint(kind(lambda: iter([1, 2]))) == 2
    assert f"{kind(lambda: 3.14159):.2f}" == "3.14" and f"{proxy}" == "{'b': 2}"
    assert {kind(lambda: "key"): 1}["key"] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_buffers(kind):
    data = bytearray(b"abc")
    with memoryview(kind(lambda: data)) as view:
        view[0] = ord("x")
        with pytest.raises(BufferError):
            data.append(1)
    data.append(ord("d"))
    assert data == b"xbcd" and bytes(kind(lambda: data)) == b"xbcd"
    with pytest.raises(TypeError):
        memoryview(kind(lambda: 3))


@pytest.mark.parametrize("kind", KINDS)
def test_classes(kind):
    proxy = kind(lambda: Thing)
    assert isinstance(Thing(), proxy) and issubclass(Thing, proxy) and not issubclass(int, proxy)
    assert isinstance(kind(Thing), proxy) and issubclass(kind(lambda: Thing), proxy)
    assert proxy(4).value == 4

    class Derived(proxy):
        pass

    assert Derived.__mro__[1] is Thing
    assert kind(lambda: list)[int] == list[int]
    match kind(Thing):
        case Thing(value=3):
            pass
        case other:
            raise AssertionError(other)


@pytest.mark.parametrize("kind", KINDS)
def test_copies_are_plain(kind):
    data = [[1], "a"]
    proxy = kind(lambda: data)
    shallow, deep = copy.copy(proxy), copy.deepcopy(proxy)
    assert type(shallow) is list and shallow == data and shallow[0] is data[0]
    assert type(deep) is list and deep == data and deep[0] is not data[0]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        dumped = pickle.dumps(proxy, protocol)
        assert pickle.loads(dumped) == data and type(pickle.loads(dumped)) is list
        assert b"hasten" not in dumped
    with pytest.raises(OSError, match=r"^no$"):
        pickle.dumps(kind(fails(OSError("no"))))


def fails(error):
    def factory():
        raise error

    return factory


def test_repr_does_not_make_the_object():
    proxy = Proxy(Thing)
    assert repr(proxy).startswith("<Proxy at 0x") and "Thing" in repr(proxy)
    assert not lazy.is_resolved(proxy)
    data = []
    proxy = Proxy(lambda: data)
    data.append(proxy)
    assert len(proxy) == 1 and repr(proxy).count("...") == 1


def test_context_managers():
    class Manager:
        def __enter__(self):
            return "inside"

        def __exit__(self, *error):
            return error[0] is OSError

    with Proxy(Manager) as inside:
        assert inside == "inside"
        raise OSError
    with pytest.raises(TypeError, match=r"'Thing' object does not support the context manager"):
        Proxy(Thing).__class__  # noqa: B018
        with Proxy(Thing):
            pass


def test_asynchronous_forms():
    class Manager:
        async def __aenter__(self):
            return 1

        async def __aexit__(self, *error):
            return None

    async def numbers():
        yield 1
        yield 2

    async def answer():
        return 42

    class Awaitable:
        def __await__(self):
            yield from asyncio.sleep(0).__await__()
            return 3

    async def main():
        async with Proxy(Manager) as inside:
            assert inside == 1
        assert [n async for n in Proxy(numbers)] == [1, 2]
        assert await Proxy(answer) == 42
        assert await Proxy(Awaitable) == 3
        for wrong in (Proxy(lambda: 3), Sub(lambda: 3)):
            with pytest.raises(TypeError, match=r"can't be (used in 'await' expression|awaited)"):
                await wrong
            with pytest.raises(TypeError, match=r"requires an object with __aiter__ method"):
                async for _ in wrong:
                    pass

    asyncio.run(main())


# Subclasses.


def test_subclass_with_attributes_of_its_own():
    class Named(Proxy):
        name = None
        __slots__ = ("slot",)

        def own(self):
            return ("own", self.name)

        @property
        def upper(self):
            return self.value * 100

        @property
        def __doc__(self):
            return "computed"

        def __len__(self):
            return 99

    proxy = Named(Thing)
    proxy.slot = 1
    assert proxy.slot == 1 and proxy.name is None and not lazy.is_resolved(proxy)
    with pytest.raises(AttributeError, match="read-only"):
        proxy.name = 2
    assert proxy.own() == ("own", None) and len(proxy) == 99 and proxy.__len__() == 99
    assert not lazy.is_resolved(proxy)
    assert proxy.value == 3 and proxy.upper == 300 and proxy.__doc__ == "computed"
    del proxy.slot
    assert not hasattr(proxy, "slot")


def test_subclass_with_getattr():
    asked = []

    class Asking(Proxy):
        def __getattr__(self, name):
            asked.append(name)
            return super().__getattr__(name)

    class Late(Proxy):
        pass

    assert Asking(Thing).value == 3 and asked == ["value"]
    late = Late(Thing)
    assert late.value == 3
    Late.__getattr__ = lambda self, name: "late " + name
    assert late.value == "late value"
    del Late.__getattr__
    assert late.value == 3
    Late.__getattribute__ = lambda self, name: "instead of " + name
    assert late.value == "instead of value"
    del Late.__getattribute__
    assert late.value == 3


def test_subclass_in_a_family():
    class Registry:
        seen = []  # noqa: RUF012

        def __init_subclass__(cls, key=None, **more):
            super().__init_subclass__(**more)
            Registry.seen.append((cls.__name__, key))

    class Member(Proxy, Registry, key="k"):
        pass

    assert Registry.seen == [("Member", "k")] and Member(Thing).value == 3
    with pytest.raises(TypeError):
        type("Wrong", (Proxy,), {}, key=1)
    with pytest.raises(TypeError):
        Proxy.note = 1
