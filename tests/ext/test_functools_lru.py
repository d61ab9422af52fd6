# SPDX-License-Identifier: MIT
"""hasten.functools.lru_cache and cache against the standard module's: whatever a program
calls and however its arguments compare, the same results, counts and evictions."""

import contextlib
import copy
import functools
import gc
import inspect
import os
import pickle
import random
import subprocess
import sys
import threading
import weakref
from fractions import Fraction

import hasten.functools as ours
import pytest
from isolated import run_isolated

BOTH = [pytest.param(functools, id="standard"), pytest.param(ours, id="hasten")]


class Key:
    """Compares by value, and notes it."""

    def __init__(self, value, log):
        self.value, self.log = value, log

    def __hash__(self):
        self.log.append(("hash", self.value))
        return hash(self.value)

    def __eq__(self, other):
        self.log.append(("eq", self.value, getattr(other, "value", other)))
        return self.value == getattr(other, "value", other)

    def __repr__(self):
        return f"Key({self.value})"


class Text(str):
    pass


VALUES = [
    0, 1, -1, -2, True, False, 1.0, 0.0, -1.0, 2**30, 2**61 - 1, 2**64, -(2**70), 1.5, None,
    "", "a", "\xe4", "\u20ac", "\U0001f600", "abc", Text("abc"), Text("a"), b"a", (1, 2), (1.0, 2),
    Fraction(1), Fraction(3, 2), complex(1, 0), frozenset([1]), int, str, ..., (), ((),),
]  # fmt: skip


def random_call(rng):
    """Arguments such that calls are often the same, or nearly so."""

    def value():
        found = rng.choice(VALUES)
        # Equal, not identical.
        if type(found) is str:
            found = "".join(list(found))
        elif type(found) is int and rng.random() < 0.5:
            found = int(str(found))
        return found

    names = ["a", "b", "c"]
    rng.shuffle(names)
    positional = tuple(value() for _ in range(rng.choice([0, 1, 1, 1, 1, 2, 2, 3, 7])))
    keywords = {name: value() for name in names[: rng.choice([0, 0, 0, 1, 2, 3])]}
    return positional, keywords


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize("maxsize", [None, 0, -3, 1, 2, 7, 100, 5000])
def test_any_calls_answer_the_same(maxsize, typed):
    rng = random.Random(f"{maxsize} {typed}")

    def function(*args, **kwargs):
        return [args, kwargs]

    one = functools.lru_cache(maxsize, typed)(function)
    other = ours.lru_cache(maxsize, typed)(function)
    assert one.cache_parameters() == other.cache_parameters()
    seen = {}
    for step in range(6000):
        args, kwargs = random_call(rng)
        results = one(*args, **kwargs), other(*args, **kwargs)
        # The very arguments that the result was made of, types included.
        assert repr(results[0]) == repr(results[1])
        # The same results are kept: those of equal numbers are the same object.
        assert seen.setdefault(id(results[0]), results)[1] is results[1]
        assert one.cache_info() == other.cache_info()
        if rng.random() < 0.0005:
            one.cache_clear()
            other.cache_clear()
            seen.clear()
        if step % 97 == 0:
            assert one.cache_info() == other.cache_info()
    assert isinstance(other.cache_info(), functools._CacheInfo)


@pytest.mark.parametrize("maxsize", [None, 1, 3])
@pytest.mark.parametrize("shape", ["one", "two", "named"])
def test_hashes_and_comparisons_are_the_same(maxsize, shape):
    logs = []
    for module in (functools, ours):
        rng, log = random.Random(5), []
        function = module.lru_cache(maxsize)(lambda *args, **kwargs: None)
        keys = [Key(number, log) for number in range(4)]
        for _ in range(300):
            first = Key(rng.randrange(4), log) if rng.random() < 0.5 else rng.choice(keys)
            if shape == "one":
                function(first)
            elif shape == "two":
                function(first, rng.choice(keys))
            else:
                function(1, name=first)
            log.append(function.cache_info())
        logs.append(log)
    # The standard module looks up again before it inserts, and compares nothing new then.
    assert logs[0] == logs[1]


class Wrong(Exception):
    pass


@pytest.mark.parametrize("module", BOTH)
@pytest.mark.parametrize("maxsize", [None, 2])
def test_errors_of_arguments_leave_it_consistent(module, maxsize):
    function = module.lru_cache(maxsize)(lambda *args, **kwargs: args)

    class Bad:
        raises = None

        def __hash__(self):
            if self.raises == "hash":
                raise Wrong
            return 1

        def __eq__(self, other):
            if self.raises == "eq":
                raise Wrong
            return False

    bad = Bad()
    function(bad)
    Bad.raises = "eq"
    with pytest.raises(Wrong):
        function(Bad())
    with pytest.raises(Wrong):
        function(Bad())
    Bad.raises = "hash"
    with pytest.raises(Wrong):
        function(bad)
    with pytest.raises(Wrong):
        function(1, name=bad)
    Bad.raises = None
    assert function(bad) == (bad,)
    assert function.cache_info()[:2] == (1, 1)
    with pytest.raises(TypeError, match=r"^unhashable type: 'list'$"):
        function([])
    with pytest.raises(TypeError, match=r"^unhashable type: 'dict'$"):
        function(1, name={})
    assert function.cache_info()[3] == 1


@pytest.mark.parametrize("module", BOTH)
def test_errors_of_the_function_are_not_kept(module):
    @module.lru_cache(maxsize=5)
    def function(number):
        raise Wrong(number)

    for _ in range(2):
        with pytest.raises(Wrong):
            function(1)
    assert function.cache_info() == (0, 2, 5, 0)


@pytest.mark.parametrize("maxsize", [None, 1, 2, 3])
def test_the_function_calls_itself_with_the_same(maxsize):
    logs = []
    for module in (functools, ours):
        log, depth = [], []

        @module.lru_cache(maxsize)
        def function(number, log=log, depth=depth):
            depth.append(None)
            if len(depth) < 4:
                log.append(("inside", function(number)))
            log.append(("outside", len(depth)))
            return len(depth)

        for number in range(3):
            depth.clear()
            log.append(function(number))
            log.append(function(number))
            log.append(function.cache_info())
        logs.append(log)
    assert logs[0] == logs[1]


@pytest.mark.parametrize("maxsize", [None, 1, 2, 3, 50])
@pytest.mark.parametrize("seed", range(6))
def test_comparisons_that_change_the_cache(maxsize, seed):
    """__eq__ and __hash__ that call the same function, clear it, or fail: nothing breaks,
    and the number of entries stays true."""
    rng = random.Random(seed)
    depth = 0

    class Hostile:
        def __init__(self, number):
            self.number = number

        def act(self):
            nonlocal depth
            if depth > 2:
                return
            depth += 1
            try:
                what = rng.random()
                if what < 0.25:
                    function(Hostile(rng.randrange(6)))
                elif what < 0.3:
                    function.cache_clear()
                elif what < 0.35:
                    raise Wrong
                elif what < 0.4:
                    gc.collect(0)
            finally:
                depth -= 1

        def __hash__(self):
            return self.number % 3

        def __eq__(self, other):
            self.act()
            return self.number == other.number

        def __del__(self):
            with contextlib.suppress(Wrong):
                self.act()

    @ours.lru_cache(maxsize)
    def function(key, other=None):
        key.act()
        return [key, other]

    for _ in range(1500):
        try:
            result = function(Hostile(rng.randrange(6)))
            assert type(result) is list
        except Wrong:
            pass
        size = function.cache_info().currsize
        assert maxsize is None or size <= maxsize
    depth = 3
    function.cache_clear()
    assert function.cache_info() == (0, 0, maxsize, 0)


def test_comparisons_that_always_insert_end():
    class Endless:
        budget = 5000

        def __hash__(self):
            return 7

        def __eq__(self, other):
            if Endless.budget:
                Endless.budget -= 1
                function(Endless.budget)
            return False

    @ours.lru_cache(2)
    def function(key):
        return key

    for _ in range(3):
        function(Endless())
    assert function.cache_info().currsize == 2


@pytest.mark.parametrize("maxsize", [None, 2])
def test_what_it_holds_goes_away(maxsize):
    class Thing:
        pass

    @ours.lru_cache(maxsize)
    def function(*args, **kwargs):
        return kwargs.get("result")

    things = [Thing() for _ in range(12)]
    gone = [weakref.ref(thing) for thing in things]
    for i in range(0, 12, 3):
        function(things[i], result=things[i + 1], other=things[i + 2])
    del things
    alive = sum(reference() is not None for reference in gone)
    assert alive == (12 if maxsize is None else 6)
    function.cache_clear()
    assert not any(reference() for reference in gone)


def test_cycles_are_collected():
    def make():
        class Owner:
            @ours.lru_cache(maxsize=3)
            def method(self):
                return [self]

        owner = Owner()
        owner.method()
        return weakref.ref(owner), weakref.ref(Owner.method)

    gc.disable()
    try:
        references = make()
        assert None not in [reference() for reference in references]
    finally:
        gc.enable()
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def test_results_are_the_collectors(tmp_path):
    function = ours.cache(lambda *args: object())
    results = [function(1), function("a", 2), function(3, 4)]
    held = gc.get_referents(function)
    assert all(any(result is one for one in held) for result in results)
    assert gc.is_tracked(function)


class Class:
    @ours.lru_cache(maxsize=10)
    def method(self, number):
        "Its text."
        return self, number

    @staticmethod
    @ours.cache
    def static(number):
        return number

    @classmethod
    @ours.lru_cache
    def of_class(cls, number):
        return cls, number


@ours.lru_cache(maxsize=None)
def at_top(number: int) -> str:
    ">>> at_top(1)"
    return str(number)


def test_methods():
    one, other = Class(), Class()
    assert one.method(1) == (one, 1) and other.method(1) == (other, 1)
    assert one.method(1) is one.method(1) is Class.method(one, 1)
    assert Class.method.cache_info()[:2] == (3, 2)
    assert one.method.cache_info() == Class.method.cache_info()
    assert Class.static(3) == one.static(3) == 3
    assert Class.of_class(3) is one.of_class(3)
    bound = one.method
    assert bound.__self__ is one and bound.__func__ is Class.__dict__["method"]


def test_looks_like_the_function():
    standard = functools.lru_cache(at_top.__wrapped__)
    for name in ("__name__", "__qualname__", "__module__", "__doc__", "__wrapped__"):
        assert getattr(at_top, name) == getattr(standard, name)
    assert inspect.signature(at_top) == inspect.signature(standard)
    assert inspect.unwrap(at_top) is at_top.__wrapped__
    assert not inspect.signature(at_top.cache_info).parameters
    assert not inspect.signature(at_top.cache_clear).parameters
    assert inspect.isroutine(at_top) == inspect.isroutine(standard)
    assert repr(at_top).startswith("<hasten.functools._lru_cache_wrapper object at 0x")
    assert at_top.__wrapped__(5) == "5"
    assert callable(at_top) and weakref.ref(at_top)() is at_top
    at_top.attribute = 3
    assert at_top.attribute == vars(at_top)["attribute"] == 3


def test_copies_are_itself():
    for function in (at_top, Class.method, Class.static):
        assert copy.copy(function) is function
        assert copy.deepcopy(function) is function
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            if function is at_top or protocol >= 4:
                assert pickle.loads(pickle.dumps(function, protocol)) is function


@pytest.mark.parametrize("module", BOTH)
def test_wrong_arguments(module):
    for wrong in ("3", 1.5, [], object):
        if not callable(wrong):
            with pytest.raises(
                TypeError, match=r"^Expected first argument to be an integer, a callable, or None$"
            ):
                module.lru_cache(wrong)
    with pytest.raises(TypeError, match=r"^the first argument must be callable$"):
        module.lru_cache(3)(3)
    with pytest.raises(TypeError, match=r"^maxsize should be integer or None$"):
        module._lru_cache_wrapper(len, "3", False, tuple)
    with pytest.raises(TypeError, match=r"^the first argument must be callable$"):
        module._lru_cache_wrapper(3, 3, False, tuple)
    with pytest.raises(OverflowError):
        module.lru_cache(2**80)(len)


@pytest.mark.parametrize("module", BOTH)
def test_deep_recursion(module):
    code = f"""
import sys, {module.__name__} as module
@module.lru_cache(maxsize=None)
def fibonacci(number):
    return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)
print(fibonacci(300) % 1000)
try:
    fibonacci(1_000_000)
except RecursionError:
    print("too deep")
print(fibonacci(300) % 1000)
"""
    answer = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60
    )
    assert (answer.returncode, answer.stdout) == (0, "600\ntoo deep\n600\n"), answer.stderr


def test_subclasses():
    class Sub(ours._lru_cache_wrapper):
        def __call__(self, *args):
            return "called", super().__call__(*args)

    function = Sub(lambda number: number, 3, False, functools._CacheInfo)
    assert function(3) == ("called", 3)
    assert function(3) == ("called", 3)
    assert function.cache_info() == (1, 1, 3, 1)


@pytest.mark.parametrize("maxsize", [None, 1, 20])
def test_threads(maxsize):
    """Threads that are switched in the middle of comparisons."""

    class Slow:
        def __init__(self, number):
            self.number = number

        def __hash__(self):
            return self.number % 5

        def __eq__(self, other):
            return self.number == other.number

    @ours.lru_cache(maxsize)
    def function(key, number=0):
        return key.number

    wrong = []

    def work(seed):
        rng = random.Random(seed)
        for step in range(1500):
            number = rng.randrange(30)
            if function(Slow(number)) != number or function(Slow(number), number=1) != number:
                wrong.append(number)
            if step % 400 == 399:
                function.cache_clear()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong
    size = function.cache_info().currsize
    assert size <= 60 if maxsize is None else size <= maxsize


def test_fork_while_another_thread_compares():
    """The comparison of a thread that the child does not have is never ended there."""
    started, go_on = threading.Event(), threading.Event()

    class Waiting:
        waits = False

        def __hash__(self):
            return 1

        def __eq__(self, other):
            if Waiting.waits and threading.current_thread() is not threading.main_thread():
                started.set()
                go_on.wait(60)
            return self is other

    @ours.lru_cache(2)
    def function(key):
        return key

    function(Waiting())
    Waiting.waits = True
    thread = threading.Thread(target=function, args=(Waiting(),))
    thread.start()
    assert started.wait(60)
    sys.stdout.flush()
    child = os.fork() if sys.version_info < (3, 12) else quiet_fork()
    if child == 0:
        for _ in range(50):
            function(Waiting())
        function.cache_clear()
        os._exit(function.cache_info().currsize)
    go_on.set()
    thread.join()
    assert os.waitpid(child, 0)[1] == 0
    assert function.cache_info().currsize == 2


def quiet_fork():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def test_isolated_interpreters():
    run_isolated(
        "from hasten.functools import lru_cache, cache\n"
        "f = lru_cache(2)(lambda *a: a)\n"
        "for n in range(5): f(n); f(n, 'x'); f('x')\n"
        "assert f.cache_info().currsize == 2\n"
        "g = cache(lambda n: n and g(n - 1))\n"
        "assert g(50) == 0 and g.cache_info().misses == 51\n"
    )


def test_memory_of_an_entry():
    """Bytes that bounded caches keep for an entry, without arguments and values: what the
    process grows by, since allocators round sizes up."""
    code = """
import {0} as module
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
def grown(action):
    before = resident()
    action()
    return (resident() - before) // 150_000
numbers = [1000 + n for n in range(150_000)]
pairs = list(zip(numbers, numbers))
one = module.lru_cache(150_000)(lambda n: None)
two = module.lru_cache(150_000)(lambda n, m: None)
def call_one():
    for n in numbers: one(n)
def call_two():
    for n, m in pairs: two(n, m)
print(grown(call_one), grown(call_two))
"""
    sizes = {}
    for module in ("functools", "hasten.functools"):
        answer = subprocess.run(
            [sys.executable, "-c", code.format(module)], check=True, capture_output=True, text=True
        )
        sizes[module] = [int(word) for word in answer.stdout.split()]
    for standard, mine in zip(sizes["functools"], sizes["hasten.functools"]):
        assert 0 < mine <= 0.6 * standard
