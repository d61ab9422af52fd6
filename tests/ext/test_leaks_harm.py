# SPDX-License-Identifier: MIT
"""What must not happen to a program that is watched for leaks."""

import gc
import os
import subprocess
import sys
import threading
import types

import hasten.leaks
import pytest
from isolated import run_isolated


def watched(step, iterations=6):
    watch = hasten.leaks.Watch()
    watch.mark()
    for i in range(iterations):
        step(i)
        watch.mark()
    return watch.report()


def chains(watch):
    return [leak.chain for leak in watch.leaks]


class Meta(type):
    def __getattribute__(cls, name):
        raise AssertionError("asked of a class")


class Hostile(metaclass=Meta):
    def __asked(self, *_):
        raise AssertionError("asked of an object")

    __repr__ = __str__ = __eq__ = __len__ = __sizeof__ = __bool__ = __iter__ = __asked
    __getattribute__ = __getattr__ = __asked

    def __hash__(self):
        calls.append(1)
        return 7

    def __del__(self):
        calls.append(2)


calls = []
kept = {}
listed = []


def test_programs_code_is_not_called():
    def step(_):
        listed.append(object.__new__(Hostile))
        listed.append(bytes(2000))

    kept[type.__call__(Hostile)] = 1
    del calls[:]
    watch = watched(step)
    assert calls == []
    assert any("listed" in chain for chain in chains(watch))
    del listed[:]
    kept.clear()


def test_objects_are_not_kept():
    class Thing:
        pass

    import weakref

    gone = []
    thing = Thing()
    reference = weakref.ref(thing, gone.append)
    watch = watched(lambda _: listed.append([Thing() for _ in range(50)]))
    count = sys.getrefcount(thing)
    assert watch.leaks
    watch.report()
    assert sys.getrefcount(thing) == count
    del thing
    assert gone == [reference]
    del listed[:]
    gc.collect()
    assert not [thing for thing in gc.get_objects() if type(thing) is Thing]


def test_collector_stays_as_it_was():
    watch = hasten.leaks.Watch()
    for state in (gc.disable, gc.enable):
        state()
        watch.mark()
        watch.report()
        assert gc.isenabled() == (state is gc.enable)


def test_no_verdict_of_few_iterations():
    watch = watched(lambda _: listed.append(bytes(10_000)), 3)
    assert watch.leaks == ()
    assert not watch
    assert "no verdict after 3 iterations" in watch.text()
    assert watch.report(unjudged=True)
    del listed[:]


def test_deep_chains_do_not_overflow():
    head = []

    def step(_):
        for _ in range(20_000):
            head[:] = [(bytes(10), head[0] if head else None)]

    watch = watched(step)
    (leak,) = [leak for leak in watch.leaks if "head" in leak.chain]
    assert len(leak.chain) < 300
    while head[0] is not None:
        head[0] = head[0][1]


def test_threads_that_change_everything():
    shared = {n: [] for n in range(50)}
    stop = threading.Event()

    def churn(seed):
        n = seed
        while not stop.is_set():
            n = (n * 1103515245 + 12345) & 0x7FFFFFFF
            shared[n % 50] = [object(), {n: [n]}, (lambda n=n: n)]
            shared.pop(1000 + seed, None)
            shared[1000 + seed] = types.SimpleNamespace(n=n)

            def produce(n=n):
                yield n

            next(produce())

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=churn, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    try:
        watch = watched(lambda _: listed.append(bytes(3000)), 12)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)
    assert any("listed[" in chain for chain in chains(watch))
    assert not any("shared" in chain for chain in chains(watch))
    del listed[:]


def test_marks_from_many_threads():
    watch = hasten.leaks.Watch()
    threads = [threading.Thread(target=watch.mark) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert watch.iterations == 7


ODD = """
import sys, types, weakref, gc, collections, itertools, functools, asyncio
import hasten.leaks

class Odd(types.ModuleType):
    def __getattribute__(self, name):
        raise RuntimeError(name)

sys.modules["odd"] = Odd("odd")
sys.modules["number"] = 7
sys.modules[5] = object()
Nameless = type("\\n\\x1b", (), {"__slots__": ("a", "__weakref__")})
Nameless.__module__ = 7
class Variable(tuple):
    pass
class Many(dict, metaclass=type("M", (type,), {})):
    __slots__ = ("x",)
kept = []

def step(i):
    one = Nameless()
    one.a = bytes(300)
    many = Many({one: i, "\\ud800": b"x"})
    many.x = many
    half = Variable((many, one))
    half.more = half
    partial = functools.partial(step, half, key=many)
    chain = itertools.chain([half], iter({partial}))
    counter = collections.OrderedDict([(many.x["\\ud800"], weakref.proxy(one))])
    kept.append((chain, counter, [], {}, (), frozenset([1]), memoryview(bytes(100)),
                 property(step), classmethod(step), asyncio.Event(), Exception(one),
                 type("New%d" % i, (Odd,), {"data": bytes(500)})))

watch = hasten.leaks.Watch()
watch.mark()
for i in range(8):
    step(i)
    watch.mark()
watch.report()
assert watch.leaks[0].chain.startswith("__main__.kept["), watch.leaks
text = watch.text()
import json
json.dumps(watch.as_dict())
"""


def run(*code, **options):
    command = [sys.executable, "-c", *code]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=60, **options
    )


def test_odd_objects():
    done = run(ODD)
    assert done.returncode == 0, done.stderr


def test_fork():
    watch = hasten.leaks.Watch()
    watch.mark()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            for _ in range(6):
                listed.append(bytes(3000))
                watch.mark()
            status = 0 if watch.report().leaks else 2
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert status == 0


def test_while_the_interpreter_ends():
    code = """
import atexit, hasten.leaks
class Last:
    watch = hasten.leaks.Watch()
    def __del__(self):
        self.watch.mark()
        self.watch.report()
last = Last()
last.me = last
atexit.register(last.watch.mark)
"""
    done = run(code)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_no_memory():
    code = """
import resource, hasten.leaks
watch = hasten.leaks.Watch()
watch.mark()
kept = [[i] for i in range(400_000)]
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + (6 << 20), resource.RLIM_INFINITY))
try:
    watch.mark()
except MemoryError:
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert watch.mark() == 1
    print("said so")
"""
    done = run(code)
    assert (done.returncode, done.stdout) == (0, "said so\n"), done.stderr


def test_isolated_interpreter():
    path = sys.path
    run_isolated(
        f"""
import sys
sys.path[:] = {path!r}
from hasten.leaks import Watch
kept = []
watch = Watch()
watch.mark()
for i in range(8):
    kept.append(bytes(2000))
    watch.mark()
assert watch.report().leaks
"""
    )


def test_wrong_arguments():
    watcher = hasten.leaks.Watch()._watcher
    with pytest.raises(ValueError, match="limit must not be negative"):
        watcher.report(-1)
    with pytest.raises(TypeError):
        watcher.report("x")
    assert watcher.report()["iterations"] == 0
