"""Programs whose calls are the same at each run, for profilers to be compared on."""

import asyncio
import contextlib
import functools
import io
import operator
import re
import sys
import threading
import weakref

PROGRAMS = {}


def program(function):
    PROGRAMS[function.__name__] = function
    return function


def nothing():
    pass


def identity(value):
    return value


def factorial(n):
    return 1 if n < 2 else n * factorial(n - 1)


@program
def plain_calls(_):
    for _ in range(20):
        nothing()
        identity(factorial(3))


@program
def recursion(_):
    def fibonacci(n):
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

    fibonacci(11)


def is_even(n):
    return True if n == 0 else is_odd(n - 1)


def is_odd(n):
    return False if n == 0 else is_even(n - 1)


@program
def mutual_recursion(_):
    for n in range(12):
        is_even(n)
        is_odd(n)


@program
def recursion_to_the_limit(_):
    def forever():
        forever()

    for _ in range(3):
        with contextlib.suppress(RecursionError):
            forever()


@program
def recursion_through_c(_):
    def down(n):
        if n:
            list(map(down, [n - 1]))

    down(12)


def count_to(n):
    try:
        for i in range(n):
            yield identity(i)
    finally:
        nothing()


@program
def generators(_):
    list(count_to(5))
    sum(count_to(4))
    half = count_to(9)
    next(half)
    next(half)
    half.close()
    dropped = count_to(3)
    next(dropped)
    del dropped
    never_started = count_to(3)
    never_started.close()

    def delegate():
        yield from count_to(3)
        yield from [1, 2]
        return 5

    def catching():
        while True:
            try:
                yield
            except KeyError:
                nothing()

    list(delegate())
    catcher = catching()
    next(catcher)
    catcher.throw(KeyError)
    with contextlib.suppress(ValueError):
        catcher.throw(ValueError)
    any(i == 1 for i in (1, 2))
    [i for i in range(3)]
    {i: nothing() for i in range(3)}


class Suspension:
    def __await__(self):
        yield self


async def awaiting(n):
    for _ in range(n):
        await Suspension()
    return n


async def chain(n):
    return await awaiting(n) + await awaiting(1)


async def async_numbers(n):
    for i in range(n):
        await Suspension()
        yield i


async def async_consumer():
    total = 0
    async for i in async_numbers(3):
        total += i
    return [i async for i in async_numbers(2)], total


def drive(coroutine):
    while True:
        try:
            coroutine.send(None)
        except StopIteration as stop:
            return stop.value


@program
def coroutines(_):
    drive(chain(3))
    drive(async_consumer())
    dropped = chain(5)
    dropped.send(None)
    dropped.close()
    thrown = chain(5)
    thrown.send(None)
    with contextlib.suppress(KeyError):
        thrown.throw(KeyError("x"))


@program
def tasks(_):
    async def worker(n):
        for _ in range(n):
            await asyncio.sleep(0)
            nothing()
        return n

    async def main():
        return await asyncio.gather(*(worker(n) for n in range(4)))

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()


@program
def exceptions(_):
    def raiser(depth):
        if depth == 0:
            raise LookupError
        raiser(depth - 1)

    def through_c():
        [].pop()

    for _ in range(3):
        try:
            raiser(4)
        except LookupError:
            nothing()
        with contextlib.suppress(IndexError):
            through_c()
        with contextlib.suppress(ValueError):
            int("x")
        with contextlib.suppress(TypeError):
            nothing(1)
        with contextlib.suppress(ZeroDivisionError):
            sorted([1, 2], key=lambda i: i / 0)
        try:
            raiser(1)
        except LookupError:
            with contextlib.suppress(LookupError):
                raiser(2)


class Words(list):
    def append(self, word):
        super().append(word)


@program
def c_functions(_):
    words = []
    for text in ("a", "b"):
        words.append(text.upper())
        str.lower(text)
        ",".join(words)
        len(words)
        isinstance(text, str)
    words.extend(map(str.upper, "xy"))
    Words().append("x")
    bound = words.append
    bound("z")
    dict.fromkeys("ab")
    int.from_bytes(b"a", "big")
    "{}".format(*["x"])
    print(*words, file=io.StringIO())
    max(*[1, 2])
    max([1, 2], **{"key": identity})
    operator.itemgetter(0)(words)
    operator.methodcaller("upper")("x")
    functools.reduce(operator.add, [1, 2, 3])
    functools.partial(max, 1)(2)
    object.__repr__(words)
    [].__len__()
    (3).__add__(4)
    type("Dynamic", (), {})
    sys.getrefcount(words)
    abs(-1)
    with contextlib.suppress(TypeError):
        str.upper()


@program
def c_callbacks(_):
    sorted([3, 1, 2], key=lambda i: -i)
    list(map(identity, [1, 2]))
    list(filter(identity, [0, 1]))
    max([1, 2], key=identity)
    re.sub("a", lambda match: "b", "banana")
    functools.reduce(lambda a, b: a + b, [1, 2, 3])
    list(iter(functools.partial(next, iter([1, 2, None])), None))


class Meta(type):
    def __call__(cls, *args):
        return super().__call__(*args)


class Number:
    def __init__(self, value=0):
        self.value = value

    def __add__(self, other):
        return Number(self.value + other.value)

    def __lt__(self, other):
        return self.value < other.value

    def __hash__(self):
        return hash(self.value)

    def __eq__(self, other):
        return self.value == other.value

    def __getattr__(self, name):
        if name.startswith("no_"):
            raise AttributeError(name)
        return identity(name)

    def __call__(self):
        return self.double

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        nothing()

    def __del__(self):
        nothing()

    @property
    def double(self):
        return self.value * 2

    @classmethod
    def of(cls, value):
        return cls(value)

    @staticmethod
    def zero():
        return Number()


@program
def classes(_):
    class Local(metaclass=Meta):
        def __init__(self, *args):
            nothing()

    class Derived(Local):
        def __init__(self, *args):
            super().__init__(*args)

        def __getitem__(self, key):
            return key

    Derived(1)[2]
    numbers = [Number(i) for i in (3, 1, 2)]
    numbers.sort()
    sum(numbers, Number.zero())
    {Number.of(1): 1}[Number(1)]
    numbers[0]()
    numbers[0].anything
    hasattr(numbers[0], "no_such")
    with numbers[0]:
        nothing()
    with contextlib.suppress(AttributeError):
        numbers[0].no_such
    reference = weakref.ref(numbers[0], lambda _: nothing())
    del numbers, reference


def twice(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        function(*args, **kwargs)
        return function(*args, **kwargs)

    return wrapper


@program
def decorators(_):
    @twice
    @twice
    def decorated(a, *, b=2):
        return identity(a + b)

    @functools.lru_cache
    def cached(n):
        return factorial(n)

    @contextlib.contextmanager
    def managed():
        yield nothing()

    decorated(1)
    decorated(1, b=3)
    cached(3)
    cached(3)
    with managed():
        identity(1)


@program
def executed(_):
    names = {"identity": identity}
    for _ in range(2):
        exec("def made(n):\n    return identity(n)\nmade(1)\nmade(2)", names)
        eval("made(3) + identity(4)", names)
    code = compile("identity(1); made(5)", "<again>", "exec")
    for _ in range(3):
        exec(code, names)


@program
def switched_in_the_middle(profiler):
    def inner():
        nothing()
        profiler.disable()
        nothing()
        profiler.enable()
        nothing()

    def outer():
        nothing()
        inner()
        nothing()

    outer()
    outer()


@program
def cleared_in_the_middle(profiler):
    def inner():
        nothing()
        profiler.clear()
        nothing()

    def outer():
        inner()
        nothing()

    outer()
    identity(1)


@program
def stopped_inside(profiler):
    def down(n):
        if n == 0:
            profiler.disable()
        else:
            down(n - 1)

    down(4)


@program
def results_in_the_middle(profiler):
    def inner():
        nothing()
        profiler.getstats()

    inner()
    nothing()


@program
def threads(_):
    def work(n):
        for _ in range(n):
            identity(factorial(2))

    for n in (1, 3):
        thread = threading.Thread(target=work, args=(n,))
        thread.start()
        thread.join()
    nothing()


@program
def thread_that_outlives(profiler):
    go, done = threading.Lock(), threading.Lock()
    go.acquire()
    done.acquire()

    def work():
        nothing()
        go.acquire()
        identity(1)
        done.release()

    thread = threading.Thread(target=work)
    thread.start()
    nothing()
    profiler.disable()
    go.release()
    done.acquire()
    thread.join()


@program
def stranger_than_usual(_):
    def defaults(a=identity(1), *rest, b=identity(2), **more):
        return a, b, rest, more

    defaults(*[1, 2, 3], **{"b": 1, "c": 2})
    (lambda: (lambda: nothing())())()
    [f() for f in (nothing, lambda: identity(1))]
    next(iter([]), None)
    f"{Number(3).value!r:>{identity(5)}}"
    a, *b = count_to(4)
    assert identity(True), identity("never")
    return b
