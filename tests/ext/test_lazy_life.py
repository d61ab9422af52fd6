# SPDX-License-Identifier: MIT
"""The life of a lazy object: made once, by whatever threads; failing, replaced, collected."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from contextlib import suppress

import pytest
from hasten import lazy
from hasten.lazy import Proxy
from isolated import run_isolated


class Sub(Proxy):
    pass


class Thing:
    def __init__(self, value=3):
        self.value = value

    def method(self):
        return self.value


KINDS = [pytest.param(Proxy, id="plain"), pytest.param(Sub, id="subclass")]


def test_arguments():
    assert Proxy(factory=Thing).value == 3
    for wrong in ((), (1, 2)):
        with pytest.raises(TypeError, match=r"^Proxy\(\) takes one argument, 'factory'$"):
            Proxy(*wrong)
        with pytest.raises(TypeError):
            Sub(*wrong)
    with pytest.raises(TypeError):
        Proxy(made=Thing)
    with pytest.raises(TypeError, match="'int' object is not callable"):
        len(Proxy(3))


def test_without_a_factory():
    for proxy in (Proxy.__new__(Proxy), Sub.__new__(Sub)):
        assert not proxy.__resolved__ and proxy.__factory__ is None
        for use in (len, str, lambda p: p.x, lambda p: p + p, lambda p: p.__wrapped__, bool):
            with pytest.raises(ValueError, match=r"has no __factory__ and no __wrapped__$"):
                use(proxy)
        proxy.__wrapped__ = 3
        assert proxy + 1 == 4 and proxy.__resolved__


def test_made_again():
    made = []

    def factory():
        made.append(1)
        return len(made)

    proxy = Proxy(factory)
    assert proxy == 1 and proxy == 1 and proxy.__factory__ is factory
    del proxy.__wrapped__
    assert not proxy.__resolved__ and proxy == 2
    proxy.__factory__ = lambda: "other"
    assert proxy == 2
    del proxy.__wrapped__, proxy.__factory__
    with pytest.raises(ValueError):
        str(proxy)


def test_a_failing_factory_can_be_retried():
    calls = []

    def factory():
        calls.append(1)
        if len(calls) < 3:
            raise AttributeError("not yet")
        return Thing()

    for kind in (Proxy, Sub):
        calls.clear()
        proxy = kind(factory)
        for _ in range(2):
            with pytest.raises(AttributeError, match=r"^not yet$"):
                str(proxy)
        assert proxy.value == 3 and len(calls) == 3


def test_a_factory_that_uses_its_object():
    proxy = Proxy(lambda: proxy.value)
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"needs the object that it is to make$"):
            proxy.value  # noqa: B018
    one = Proxy(lambda: other + 1)
    other = Proxy(lambda: one + 1)
    with pytest.raises(RuntimeError):
        one + 1
    assert not one.__resolved__ and not other.__resolved__


def test_standing_for_itself():
    proxy = Proxy(lambda: proxy)
    with pytest.raises(ValueError, match=r"^a lazy object cannot stand for itself$"):
        str(proxy)
    one, other = Proxy(lambda: other), Proxy(lambda: one)
    with pytest.raises(ValueError):
        str(one)
    with pytest.raises(ValueError):
        proxy.__wrapped__ = proxy


@pytest.mark.parametrize("kind", KINDS)
def test_long_chains(kind):
    thing = [1, 2]
    chain = kind(lambda: thing)
    for _ in range(50_000):
        chain = kind(lambda inner=chain: inner)
        assert type(chain.__wrapped__) is kind or chain.__wrapped__ is thing
    if kind is Sub:
        # Up to the interpreter's limit, which is of calls or of the stack, there is an answer.
        with suppress(RecursionError):
            assert len(chain) == 2
    else:
        assert chain[1] == 2 and chain + chain == [1, 2, 1, 2] and lazy.resolve(chain) is thing
    del chain
    gc.collect()


@pytest.mark.parametrize("kind", [Proxy, Sub, lazy.resource])
def test_long_chains_go_without_recursion(kind):
    chain = 3
    for _ in range(200_000):
        outer = kind(list)
        outer.__wrapped__ = chain
        chain = outer
    del chain, outer
    gc.collect()


def test_a_circle_that_is_found_when_it_is_used():
    for kind in (Proxy, Sub):
        ring = [kind(list) for _ in range(1000)]
        for one, other in zip(ring, ring[1:] + ring[:1], strict=True):
            one.__wrapped__ = other
        for use in (lazy.resolve, len):
            with pytest.raises(RecursionError):
                use(ring[0])
        ring[0].__wrapped__ = None


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_is_no_text(kind):
    proxy = kind(Thing)
    for method, arguments in (
        ("__getattribute__", [5]),
        ("__setattr__", [5, 1]),
        ("__delattr__", [5]),
    ):
        with pytest.raises(TypeError, match="attribute name must be string, not 'int'"):
            getattr(kind, method)(proxy, *arguments)


def test_object_replaced_while_it_is_used():
    class Replacing:
        def __index__(self):
            proxy.__wrapped__ = []
            gc.collect()
            return 0

        def __eq__(self, other):
            del proxy.__wrapped__
            return False

        __hash__ = None

    proxy = Proxy(lambda: [1, 2, 3])
    assert proxy[Replacing()] == 1 and proxy == []
    proxy.__wrapped__ = [1, 2]
    assert Replacing() not in proxy


def test_collected():
    class Owner:
        pass

    def make():
        owner = Owner()
        owner.proxy = Proxy(lambda: owner)
        assert owner.proxy.proxy is owner.proxy
        return weakref.ref(owner), weakref.ref(owner.proxy)

    gone, proxy = make()
    gc.collect()
    assert gone() is None and proxy() is None


def test_used_by_a_finalizer():
    seen = []

    class Dying:
        def __del__(self):
            seen.append(self.proxy.value)

    dying = Dying()
    dying.proxy = Proxy(lambda: Thing(8))
    del dying
    gc.collect()
    assert seen == [8]


def test_no_references_are_lost():
    thing = Thing()
    thing.items = [1]
    factory = lambda: thing  # noqa: E731
    before = sys.getrefcount(thing), sys.getrefcount(factory)
    for kind in (Proxy, Sub):
        for _ in range(200):
            proxy = kind(factory)
            proxy.value, proxy.method(), str(proxy), hash(proxy), proxy == proxy  # noqa: PLR0124
            isinstance(proxy, Thing)
            with suppress(AttributeError):
                proxy.missing  # noqa: B018
            with suppress(TypeError):
                proxy + 1
            with suppress(TypeError):
                len(proxy)
    del proxy
    gc.collect()
    assert (sys.getrefcount(thing), sys.getrefcount(factory)) == before


# Threads, signals, processes.


def run_threads(targets):
    threads = [threading.Thread(target=target, daemon=True) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("kind", KINDS)
def test_made_once_under_threads(kind):
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        rounds = 100
        made = [[] for _ in range(rounds)]

        def factory(number):
            made[number].append(1)
            time.sleep(0 if number % 8 else 0.001)
            return [number]

        proxies = [kind(lambda n=number: factory(n)) for number in range(rounds)]
        barrier = threading.Barrier(16)
        seen = []

        def use():
            for proxy in proxies:
                barrier.wait()
                seen.append(id(lazy.resolve(proxy)) + 0 * proxy[0])

        run_threads([use] * 16)
        assert all(len(one) == 1 for one in made)
        assert len(seen) == 16 * rounds and len(set(seen)) == rounds
    finally:
        sys.setswitchinterval(interval)


def test_waiters_try_after_a_failure():
    calls, failed, made = [], [], []

    def factory():
        calls.append(1)
        time.sleep(0.02)
        if len(calls) < 3:
            raise OSError(len(calls))
        return Thing()

    proxy = Proxy(factory)
    barrier = threading.Barrier(6)

    def use():
        barrier.wait()
        try:
            made.append(proxy.value)
        except OSError as error:
            failed.append(error.args[0])

    run_threads([use] * 6)
    assert sorted(failed) == [1, 2] and made == [3] * 4 and len(calls) == 3


def test_two_threads_that_wait_for_each_other():
    started = threading.Barrier(2)
    errors = []

    def make(other):
        def factory():
            with suppress(threading.BrokenBarrierError):
                started.wait(0.5)
            return other().value

        return factory

    one = Proxy(make(lambda: other))
    other = Proxy(make(lambda: one))

    def use(proxy):
        try:
            proxy.value  # noqa: B018
        except RuntimeError as error:
            errors.append(str(error))

    run_threads([lambda: use(one), lambda: use(other)])
    assert errors and all(text.endswith("the object that it is to make") for text in errors)


def test_a_signal_while_waiting():
    release = threading.Event()
    begun = threading.Event()

    def factory():
        begun.set()
        release.wait(30)
        return Thing()

    class Alarm(Exception):
        pass

    def handler(*_):
        raise Alarm

    proxy = Proxy(factory)
    thread = threading.Thread(target=lambda: proxy.value)
    thread.start()
    begun.wait(30)
    before = signal.signal(signal.SIGALRM, handler)
    try:
        # Where the machine is slow, it comes before this thread waits.
        with pytest.raises(Alarm):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            proxy.value  # noqa: B018
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        release.set()
        thread.join()
    assert proxy.value == 3


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
def test_a_fork_while_another_thread_makes_it():
    release, begun, calls = threading.Event(), threading.Event(), []

    def factory():
        calls.append(1)
        if len(calls) == 1:
            begun.set()
            release.wait(30)
        return Thing()

    proxy = Proxy(factory)
    thread = threading.Thread(target=lambda: proxy.value)
    thread.start()
    begun.wait(30)
    try:
        assert in_child(lambda: proxy.value == 3 and len(calls) == 2)
    finally:
        release.set()
        thread.join()
    assert proxy.value == 3 and len(calls) == 1
    forking = Proxy(lambda: [in_child(lambda: True)])
    assert forking[0] is True


def test_in_an_isolated_interpreter():
    run_isolated(
        "from hasten import lazy\n"
        "p = lazy.Proxy(lambda: [1])\n"
        "q = lazy.Proxy(lambda: 3)\n"
        "assert p[0] + q == 4 and isinstance(p, list)\n"
        "class S(lazy.Proxy): pass\n"
        "assert S(lambda: 'x').upper() == 'X'\n"
        "r = lazy.resource(lambda: open('/dev/null'))\n"
        "assert r.read() == ''\n"
        "r.close()\n"
    )


def test_used_while_the_interpreter_ends(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import atexit, sys, threading\n"
        "from hasten import lazy\n"
        "class Late:\n"
        "    def __init__(self, proxy): self.proxy = proxy\n"
        "    def __del__(self): print(self.proxy[0], flush=True)\n"
        "late = Late(lazy.Proxy(lambda: [1]))\n"
        "stuck = lazy.Proxy(lambda: threading.Event().wait())\n"
        "for _ in range(int(sys.argv[1])):\n"
        "    threading.Thread(target=lambda: stuck.x, daemon=True).start()\n"
        "atexit.register(lambda: print(lazy.Proxy(lambda: 'atexit').upper()))\n"
    )
    # With threads that never end, the interpreter leaves such objects alone.
    for threads, output in (("0", "ATEXIT\n1\n"), ("2", "ATEXIT\n")):
        done = subprocess.run(
            [sys.executable, program, threads],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(output)
