# SPDX-License-Identifier: MIT
"""hasten.functools.cached_property: as the standard module's, and once, and in slots."""

import asyncio
import copy
import functools
import gc
import os
import pickle
import sys
import threading
import time
import types
import weakref

import hasten.functools as ours
import pytest
from isolated import run_isolated

BOTH = [pytest.param(functools, id="standard"), pytest.param(ours, id="hasten")]


def make(module, base=object, **keywords):
    class Owner(base):
        calls = 0

        def cost(self):
            "Its text."
            Owner.calls += 1
            return [self, Owner.calls]

        cost = module.cached_property(cost, **keywords)

    return Owner


class Picky:
    """An attribute protocol of its own."""

    def __getattr__(self, name):
        if name.startswith("made_up"):
            return name
        raise AttributeError(name)

    def __setattr__(self, name, value):
        raise AttributeError(f"{name} may not be set")


class Everything:
    def __getattribute__(self, name):
        return object.__getattribute__(self, name)


class Text(str):
    pass


class Mapping(dict):
    def get(self, name, default=None):
        return super().get("stored " + name, default)

    def __setitem__(self, name, value):
        super().__setitem__("stored " + name, value)


@pytest.mark.parametrize("module", BOTH)
@pytest.mark.parametrize("base", [object, Picky, Everything, Text, list, Exception, type])
def test_is_an_attribute_once_computed(module, base):
    Owner = make(module, base)
    if base is type:
        instance = Owner("name", (), {})
        with pytest.raises(TypeError, match=r"does not support item assignment for caching 'cost'"):
            instance.cost  # noqa: B018 (that is the call)
        return
    instance, other = Owner(), Owner()
    first = instance.cost
    assert instance.cost is first and first[1] == 1
    assert other.cost[1] == 2
    assert vars(instance)["cost"] is first
    assert vars(instance) == {"cost": first}
    vars(instance)["cost"] = 5
    assert instance.cost == 5
    del vars(instance)["cost"]
    assert instance.cost[1] == 3
    if base is not Picky:
        instance.cost = "set"
        assert instance.cost == "set"
        del instance.cost
        assert instance.cost[1] == 4
        with pytest.raises(AttributeError):
            del instance.other
    descriptor = Owner.cost
    assert descriptor is Owner.__dict__["cost"]
    assert not hasattr(type(descriptor), "__set__")
    assert descriptor.__doc__ == "Its text." and descriptor.attrname == "cost"


@pytest.mark.parametrize("module", BOTH)
def test_asked_directly(module):
    Owner = make(module)

    class Sub(Owner):
        @property
        def cost(self):
            return ("sub", super().cost)

    instance = Sub()
    name, first = instance.cost
    assert name == "sub" and instance.cost[1] is first
    assert vars(instance)["cost"] is first
    assert Owner.__dict__["cost"].__get__(instance, Sub) is first
    assert Owner.__dict__["cost"].__get__(None, Sub) is Owner.__dict__["cost"]


@pytest.mark.parametrize("module", BOTH)
def test_a_mapping_of_the_program(module):
    Owner = make(module)
    instance = Owner()
    instance.__dict__ = Mapping()
    first = instance.cost
    assert dict.get(vars(instance), "stored cost") is first
    assert instance.cost is first


@pytest.mark.parametrize("module", BOTH)
def test_many_attributes(module):
    Owner = make(module)
    instance = Owner()
    for number in range(100):
        setattr(instance, f"name{number}", number)
    first = instance.cost
    assert instance.cost is first and Owner.__dict__["cost"].__get__(instance) is first
    del instance.cost
    assert instance.cost[1] == 2
    plain = Owner()
    vars(plain)["".join(["co", "st"])] = 7
    assert Owner.__dict__["cost"].__get__(plain) == 7
    vars(plain)[3] = 4
    assert Owner.__dict__["cost"].__get__(plain) == 7


@pytest.mark.parametrize("module", BOTH)
def test_errors(module):
    class Owner:
        broken = True

        @module.cached_property
        def cost(self):
            if self.broken:
                raise OSError("no")
            return 3

    instance = Owner()
    for _ in range(2):
        with pytest.raises(OSError, match=r"^no$"):
            instance.cost  # noqa: B018
    instance.broken = False
    assert instance.cost == 3
    alone = module.cached_property(lambda self: 1)
    Owner.late = alone
    with pytest.raises(
        TypeError,
        match=r"^Cannot use cached_property instance without calling __set_name__ on it\.$",
    ):
        instance.late  # noqa: B018
    alone.__set_name__(Owner, "late")
    alone.__set_name__(Owner, "late")
    assert instance.late == 1
    with pytest.raises(
        TypeError,
        match=r"^Cannot assign the same cached_property to two different names "
        r"\('late' and 'other'\)\.$",
    ):
        alone.__set_name__(Owner, "other")


@pytest.mark.parametrize("module", BOTH)
def test_subclass_with_a_setter(module):
    class ReadOnly(module.cached_property):
        def __set__(self, instance, value):
            raise AttributeError("read only")

    class Owner:
        calls = 0

        @ReadOnly
        def cost(self):
            self.calls += 1
            return self.calls

    instance = Owner()
    assert (instance.cost, instance.cost) == (1, 1)
    with pytest.raises(AttributeError, match=r"^read only$"):
        instance.cost = 3


@pytest.mark.parametrize("module", BOTH)
def test_other_things_that_programs_do(module):
    Owner = make(module)
    assert module.cached_property[int] == types.GenericAlias(module.cached_property, (int,))
    descriptor = Owner.__dict__["cost"]
    assert descriptor.func.__name__ == "cost"
    descriptor.note = 1
    assert descriptor.note == 1 and weakref.ref(descriptor)() is descriptor
    instance = Owner()
    first = instance.cost
    assert copy.copy(instance).cost is first
    instance = weakref.ref(Owner())
    gc.collect()
    assert instance() is None


class Pickled:
    @ours.cached_property
    def cost(self):
        return [1]


def test_pickling_an_instance():
    instance = Pickled()
    instance.cost.append(2)
    assert pickle.loads(pickle.dumps(instance)).cost == [1, 2]


def test_a_descriptor_without_its_function():
    Owner = make(ours)
    del Owner.__dict__["cost"].func
    with pytest.raises((AttributeError, TypeError)):
        Owner().cost  # noqa: B018
    empty = ours.cached_property.__new__(ours.cached_property)
    empty.__set_name__(Owner, "empty")
    with pytest.raises((AttributeError, TypeError)):
        empty.__get__(Owner())


# Slots.


class Slotted:
    __slots__ = ("_cached_cost", "calls")

    def __init__(self):
        self.calls = 0

    @ours.cached_property
    def cost(self):
        self.calls += 1
        return [self.calls]


class SlottedSub(Slotted):
    __slots__ = ("more",)


@pytest.mark.parametrize("owner", [Slotted, SlottedSub])
def test_values_in_slots(owner):
    instance = owner()
    first = instance.cost
    assert instance.cost is first is instance._cached_cost
    assert instance.calls == 1
    del instance._cached_cost
    assert instance.cost == [2]
    assert not hasattr(instance, "__dict__")
    assert pickle.loads(pickle.dumps(instance)).cost == [2]
    with pytest.raises(AttributeError):
        instance.cost = 3


def test_slots_without_one_for_the_value():
    class Owner:
        __slots__ = ("other",)

        @ours.cached_property
        def cost(self):
            raise AssertionError("not to be called")

    with pytest.raises(
        TypeError, match=r"^No '__dict__' attribute on 'Owner' instance to cache 'cost' property\.$"
    ):
        Owner().cost  # noqa: B018


# Once.


@pytest.mark.parametrize("base", [object, Everything])
def test_once_under_threads(base):
    class Owner(base):
        calls = 0

        def cost(self):
            Owner.calls += 1
            time.sleep(0.02)
            return [Owner.calls]

        cost = ours.cached_property(cost, once=True)

    for _ in range(5):
        Owner.calls, instance, seen = 0, Owner(), []
        threads = [threading.Thread(target=lambda: seen.append(instance.cost)) for _ in range(6)]  # noqa: B023
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert Owner.calls == 1
        assert len(seen) == 6 and all(value is instance.cost for value in seen)


def test_instances_do_not_wait_for_each_other():
    barrier = threading.Barrier(2, timeout=30)

    class Owner:
        def cost(self):
            return barrier.wait()

        cost = ours.cached_property(cost, once=True)

    thread = threading.Thread(target=lambda: Owner().cost)
    thread.start()
    assert Owner().cost in (0, 1)
    thread.join()


def test_the_next_computes_after_an_error():
    inside, go_on = threading.Event(), threading.Event()

    class Owner:
        calls = 0

        def cost(self):
            Owner.calls += 1
            if Owner.calls == 1:
                inside.set()
                go_on.wait(30)
                raise OSError
            return 5

        cost = ours.cached_property(cost, once=True)

    instance, seen = Owner(), []

    def first():
        with pytest.raises(OSError):
            instance.cost  # noqa: B018

    threads = [
        threading.Thread(target=first),
        threading.Thread(target=lambda: seen.append(instance.cost)),
    ]
    threads[0].start()
    inside.wait(30)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert (seen, Owner.calls) == ([5], 2)


def test_it_does_not_wait_for_itself():
    class Owner:
        depth = 0

        def cost(self):
            self.depth += 1
            return self.cost + 1 if self.depth < 3 else 0

        cost = ours.cached_property(cost, once=True)

    assert Owner().cost == 2


def test_two_that_need_each_other_do_not_hang():
    barrier = threading.Barrier(2, timeout=30)
    entered = threading.local()

    class Owner:
        def meet(self):
            # Each thread comes here once: both are in the middle of one of the two.
            if not getattr(entered, "there", False):
                entered.there = True
                barrier.wait()

        def one(self):
            self.meet()
            return 1 if getattr(entered, "two", False) else (setattr(entered, "one", 1), self.two)

        def two(self):
            self.meet()
            return 2 if getattr(entered, "one", False) else (setattr(entered, "two", 1), self.one)

        one = ours.cached_property(one, once=True)
        two = ours.cached_property(two, once=True)

    instance, seen = Owner(), []
    threads = [
        threading.Thread(target=lambda name=name: seen.append(getattr(instance, name)), daemon=True)
        for name in ("one", "two")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert len(seen) == 2


def test_fork_while_a_thread_computes():
    inside, go_on = threading.Event(), threading.Event()

    class Owner:
        parent = os.getpid()

        def cost(self):
            if os.getpid() == self.parent:
                inside.set()
                go_on.wait(30)
            return 5

        cost = ours.cached_property(cost, once=True)

    instance = Owner()
    thread = threading.Thread(target=lambda: instance.cost)
    thread.start()
    inside.wait(30)
    child = fork()
    if child == 0:
        exit_with(lambda: instance.cost != 5)
    go_on.set()
    thread.join()
    assert os.waitpid(child, 0)[1] == 0


def test_fork_in_the_middle_of_it():
    class Owner:
        def cost(self):
            return fork()

        cost = ours.cached_property(cost, once=True)

    instance = Owner()
    child = instance.cost
    if child == 0:
        exit_with(lambda: instance.cost)
    assert os.waitpid(child, 0)[1] == 0


def exit_with(status_of):
    """A child of fork() must not go on with the tests, whatever happens."""
    status = 2
    try:
        status = int(status_of())
    finally:
        os._exit(status)


def fork():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        sys.stdout.flush()
        return os.fork()


def test_isolated_interpreters():
    run_isolated(
        "from hasten.functools import cached_property\n"
        "class Owner:\n"
        "    calls = 0\n"
        "    @cached_property\n"
        "    def cost(self): self.calls += 1; return self.calls\n"
        "    once = cached_property(lambda self: 3, once=True)\n"
        "owner = Owner()\n"
        "assert owner.cost == owner.cost == 1 and owner.once == owner.once == 3\n"
    )


# Awaited.


class Client:
    __slots__ = ("__dict__", "_cached_slotted", "calls", "fails")

    def __init__(self):
        self.calls, self.fails = 0, False

    @ours.cached_property
    async def plain(self):
        self.calls += 1
        await asyncio.sleep(0.005)
        if self.fails:
            raise OSError
        return [self.calls]

    slotted = ours.cached_property(plain.func, once=True)


@pytest.mark.parametrize("name", ["plain", "slotted"])
def test_async_properties(name):
    client = Client()

    async def main():
        answers = await asyncio.gather(*[value() for _ in range(3)])
        assert answers[0] is answers[1] is answers[2]
        return answers[0]

    async def value():
        return await getattr(client, name)

    first = asyncio.run(main())
    assert asyncio.run(main()) is first and client.calls == 1
    assert asyncio.run(restored(pickle.loads(pickle.dumps(client)), name)) == [1]


async def restored(client, name):
    return await getattr(client, name)


@pytest.mark.parametrize("name", ["plain", "slotted"])
def test_async_properties_that_fail(name):
    client = Client()
    client.fails = True

    async def main():
        answers = await asyncio.gather(
            *[restored(client, name) for _ in range(2)], return_exceptions=True
        )
        assert [type(answer) for answer in answers] == [OSError, OSError]
        client.fails = False
        assert await getattr(client, name) == [2]
        assert await getattr(client, name) == [2]

    asyncio.run(main())
    gone = weakref.ref(Client.plain)
    assert gone() is Client.plain


def test_an_async_property_whose_loop_is_closed_in_the_middle():
    client = Client()
    loop = asyncio.new_event_loop()
    task = loop.create_task(restored(client, "plain"))
    while not client.calls:
        loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    held = client.plain
    assert asyncio.run(restored(client, "plain")) == [2]
    assert asyncio.run(awaited(held)) == [2]
    del task, loop, held
    gc.collect()
    assert asyncio.run(restored(client, "plain")) == [2] and client.calls == 2


async def awaited(value):
    return await value


def test_keywords_of_a_subclass():
    class Named(ours.cached_property):
        def __init__(self, *, text):
            super().__init__(lambda owner: text)

    class Owner:
        value = Named(text="given")

    assert type(Owner.value) is Named and Owner().value == "given"
