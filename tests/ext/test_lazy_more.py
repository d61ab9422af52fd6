# SPDX-License-Identifier: MIT
"""hasten.lazy's attributes, resources, and objects made by coroutines."""

import asyncio
import copy
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
import types
from contextlib import suppress
from typing import ClassVar

import pytest
from hasten import lazy
from hasten.lazy import _awaiting

# Attributes.


def test_attribute():
    class Owner:
        made = 0

        @lazy.attribute
        def cost(self):
            "Its text."
            Owner.made += 1
            return [Owner.made]

    instance, other = Owner(), Owner()
    first = instance.cost
    assert instance.cost is first and vars(instance) == {"cost": first} and other.cost == [2]
    descriptor = Owner.cost
    assert type(descriptor) is lazy.attribute and descriptor.__doc__ == "Its text."
    assert not hasattr(type(descriptor), "__set__")
    del instance.cost
    assert instance.cost == [3]
    instance.cost = "set"
    assert instance.cost == "set"
    assert lazy.attribute[int] == types.GenericAlias(lazy.attribute, (int,))
    with pytest.raises(TypeError):
        lazy.attribute()


def test_attribute_of_a_subclass_and_in_slots():
    class Counting(lazy.attribute):
        def __init__(self, func):
            super().__init__(func)
            self.reads = 0

    class Owner:
        __slots__ = ("_cached_cost",)

        @Counting
        def cost(self):
            return [1]

    instance = Owner()
    assert instance.cost is instance.cost and Owner.cost.reads == 0


def test_attribute_is_made_once_under_threads():
    class Owner:
        made = 0

        @lazy.attribute
        def cost(self):
            Owner.made += 1
            time.sleep(0.02)
            return [1]

    instance, seen = Owner(), []
    threads = [threading.Thread(target=lambda: seen.append(instance.cost)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Owner.made == 1 and len({id(one) for one in seen}) == 1 and len(seen) == 8


# Resources.


class Connection:
    events: ClassVar = []

    def __init__(self, name="it"):
        self.name, self.process, self.open = name, os.getpid(), True
        self.events.append("open")

    def ask(self):
        assert self.open and self.process == os.getpid()
        return self.name

    def close(self):
        assert self.process == os.getpid()
        self.open = False
        self.events.append("close")


@pytest.fixture(autouse=True)
def no_events():
    Connection.events = []


def test_resource_opens_at_first_use_and_again():
    resource = lazy.resource(Connection)
    assert resource.closed and not lazy.is_resolved(resource) and Connection.events == []
    resource.close()
    with resource as inside:
        assert inside is resource and Connection.events == []
        assert inside.ask() == "it" and not inside.closed
        assert isinstance(inside, Connection) and isinstance(inside, lazy.Proxy)
    assert resource.closed and Connection.events == ["open", "close"]
    assert resource.ask() == "it"
    resource.close()
    resource.close()
    assert Connection.events == ["open", "close"] * 2
    with pytest.raises(OSError, match=r"^inside$"), resource:
        resource.ask()
        raise OSError("inside")
    assert resource.closed


def test_resource_that_does_not_open_again():
    resource = lazy.resource(Connection, reopen=False)
    assert resource.ask() == "it"
    resource.close()
    resource.close()
    for _ in range(2):
        with pytest.raises(ValueError, match=r"^the resource is closed$"):
            resource.ask()
    never_used = lazy.resource(Connection, None, False)
    never_used.close()
    with pytest.raises(ValueError, match=r"^the resource is closed$"):
        never_used.ask()


def test_resource_with_a_function_that_closes():
    closed = []
    resource = lazy.resource(lambda: [1], closed.append)
    assert resource[0] == 1
    resource.close()
    assert closed == [[1]]
    broken = lazy.resource(lambda: [1], lambda value: value.nothing)
    assert len(broken) == 1
    with pytest.raises(AttributeError):
        broken.close()
    assert broken.closed
    with pytest.raises(AttributeError, match="close"), lazy.resource(lambda: [1]) as one:
        len(one)


def test_resource_that_cannot_be_opened():
    tries = []

    def connect():
        tries.append(1)
        if len(tries) < 3:
            raise ConnectionRefusedError(len(tries))
        return Connection()

    with lazy.resource(connect) as resource:
        for _ in range(2):
            with pytest.raises(ConnectionRefusedError):
                resource.ask()
        assert resource.closed and resource.ask() == "it"


def test_a_file(tmp_path):
    path = tmp_path / "file"
    resource = lazy.resource(lambda: path.open("a+"))
    assert not path.exists()
    with resource:
        resource.write("text\n")
        resource.seek(0)
        assert list(resource) == ["text\n"]
    assert path.read_text() == "text\n"


def test_copies_of_a_resource_open_their_own():
    resource = lazy.resource(Connection)
    assert resource.ask() == "it"
    for other in (
        copy.copy(resource),
        copy.deepcopy(resource),
        pickle.loads(pickle.dumps(resource)),
    ):
        assert type(other) is lazy.resource and other.closed
        assert other.ask() == "it" and other.__wrapped__ is not resource.__wrapped__
        other.close()
    assert not resource.closed


def in_child(work):
    """Whether it is true in a child of fork()."""
    pid = os.fork()
    if pid == 0:
        status = 1
        with suppress(BaseException):
            status = 0 if work() else 2
        os._exit(status)
    return os.waitpid(pid, 0)[1] == 0


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_opens_its_own():
    resource = lazy.resource(Connection)
    unopened = lazy.resource(Connection)
    assert resource.ask() == "it"
    mine = resource.__wrapped__

    def work():
        assert resource.closed
        resource.close()
        assert mine.open and Connection.events == ["open"]
        assert resource.ask() == "it" and resource.__wrapped__ is not mine
        assert unopened.ask() == "it"
        return in_child(lambda: resource.closed and resource.ask() == "it")

    assert in_child(work)
    assert not resource.closed and resource.__wrapped__ is mine and resource.ask() == "it"


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_what_a_parent_has_open_is_never_dropped_in_a_child():
    class Polite(Connection):
        def __del__(self):
            # What it would say to the other side, through the parent's connection.
            self.events.append("goodbye")

    resource = lazy.resource(Polite)
    assert resource.ask() == "it"

    def work():
        resource.ask()
        resource.close()
        return "goodbye" in Polite.events

    def work_and_drop():
        nonlocal resource
        resource = None
        return Polite.events == ["open"]

    assert in_child(work)
    assert in_child(work_and_drop)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_may_let_go_of_what_its_parent_has_open():
    ours, theirs = socket.socketpair()
    with theirs:
        resource = lazy.resource(lambda: ours, abandon=lambda one: one.close())
        assert resource.fileno() == ours.fileno()

        def work():
            resource.__factory__ = lambda: socket.socketpair()[0]
            return resource.fileno() >= 0 and ours.fileno() == -1

        assert in_child(work)
        assert ours.fileno() >= 0
        resource.close()


SERVER = """
import os
from hasten import lazy


class Connection:
    def __init__(self):
        self.process = os.getpid()

    def ask(self):
        return self.process == os.getpid()

    def close(self):
        os.write(1, b"closed %d\\n" % (self.process == os.getpid()))


database = lazy.resource(Connection)
assert database.ask()
workers = []
for _ in range(3):
    worker = os.fork()
    if worker == 0:
        with database:
            os.write(1, b"asked %d\\n" % (database.ask() and database.ask()))
        os._exit(0)
    workers.append(worker)
for worker in workers:
    os.waitpid(worker, 0)
os.write(1, b"parent %d\\n" % database.ask())
database.close()
"""


def test_a_server_that_forks_workers():
    done = subprocess.run(
        [sys.executable, "-c", SERVER], check=True, capture_output=True, text=True, timeout=60
    )
    assert sorted(done.stdout.splitlines()) == sorted(
        ["asked 1", "closed 1"] * 3 + ["parent 1", "closed 1"]
    )


def test_many_resources():
    kept = [lazy.resource(lambda: [1]) for _ in range(100)]
    del kept[::3]
    assert all(one[0] == 1 for one in kept)
    del kept[1::2]
    for one in kept:
        with pytest.raises(AttributeError):
            one.close()
        one.__wrapped__ = "x"
        assert one == "x"


# Made by a coroutine.


def test_async_proxy():
    made = []

    async def connect():
        made.append(1)
        await asyncio.sleep(0.01)
        return Connection()

    proxy = lazy.AsyncProxy(connect)
    assert proxy.__factory__ is connect and not lazy.is_resolved(proxy)
    with pytest.raises(RuntimeError, match=r"^the object is not there yet: await it first$"):
        proxy.ask()

    async def use():
        return await proxy

    async def main():
        return await asyncio.gather(*[use() for _ in range(8)])

    seen = asyncio.run(main())
    assert len(made) == 1 and all(type(one) is Connection for one in seen)
    assert len({id(one) for one in seen}) == 1
    assert lazy.is_resolved(proxy) and proxy.ask() == "it" and proxy.__wrapped__ is seen[0]
    assert asyncio.run(use()) is seen[0]


def test_async_proxy_that_fails_or_is_cancelled():
    made = []

    async def connect():
        made.append(1)
        await asyncio.sleep(0)
        if len(made) == 1:
            raise OSError("no")
        await asyncio.sleep(0.01)
        return Connection()

    proxy = lazy.AsyncProxy(connect)

    async def use():
        return await proxy

    async def main():
        errors = await asyncio.gather(use(), use(), return_exceptions=True)
        assert [type(error) for error in errors] == [OSError, OSError] and len(made) == 1
        impatient, patient = asyncio.ensure_future(use()), asyncio.ensure_future(use())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        impatient.cancel()
        assert (await patient).ask() == "it" and len(made) == 2
        with pytest.raises(asyncio.CancelledError):
            await impatient

    asyncio.run(main())
    assert proxy.ask() == "it"


def test_async_proxy_on_several_loops():
    made, seen = [], []

    async def connect():
        made.append(1)
        await asyncio.sleep(0.05)
        return [1]

    proxy = lazy.AsyncProxy(connect)

    async def use():
        seen.append(await proxy)

    threads = [threading.Thread(target=lambda: asyncio.run(use())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1 and seen == [[1]] * 6 and len({id(one) for one in seen}) == 1


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_async_proxy_in_a_child_whose_parent_was_about_to_make_it():
    async def connect():
        return [1]

    proxy = lazy.AsyncProxy(connect)

    async def use():
        return await proxy

    def work():
        signal.alarm(60)
        return asyncio.run(use()) == [1]

    # As another thread may do when a process forks.
    with _awaiting._Step.lock:
        assert in_child(work)
    assert asyncio.run(use()) == [1]


def test_names():
    assert set(lazy.__all__) <= set(dir(lazy))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        lazy.nothing  # noqa: B018
