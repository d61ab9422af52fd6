# SPDX-License-Identifier: MIT
"""What a traced block says of the stack that allocated it, however that came about."""

import pytest
from allocators import check


@pytest.mark.parametrize("frames", [1, 25])
def test_deep_recursion(frames):
    assert check(
        """
threading.stack_size(512 << 20)
sys.setrecursionlimit(20_000)

def down(n):
    return [bytes(600)] if n == 0 else down(n - 1) + [n]

def work():
    kept = down(6000)
    tracemalloc.start(int(sys.argv[1]))
    kept = down(6000)
    trace = max(tracemalloc.take_snapshot().traces, key=lambda trace: trace.traceback.total_nframe)
    print(trace.traceback.total_nframe > 6000, len(trace.traceback) == int(sys.argv[1]))

thread = threading.Thread(target=work)
thread.start()
thread.join()
""",
        frames,
    ).split() == ["True", "True"]


DEPTHS = """
import functools, itertools
chance = random.Random(7)
kept = []
size = itertools.count(3000) # each block has its own

def keep(block):
    "A block, and how many frames the caller has."
    frame, depth = sys._getframe(1), 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1
    kept.append((block, depth))

def plain(left):
    keep(bytes(next(size)))
    go(left)
    keep(bytes(next(size)))

def tiny(left): return go(left)

def wide(left, a=1, b=2, c=3):
    d = e = f = g = h = left
    keep(bytes(next(size)))
    return go(d)

class Made:
    def __init__(self, left):
        keep(bytes(next(size)))
        self.left = left
        go(left)
        keep(bytes(next(size)))

class Slotted:
    __slots__ = ("left",)
    def __init__(self, left): self.left = go(left)

class Called:
    def __call__(self, left):
        go(left)
        keep(bytes(next(size)))
    def __getattr__(self, name):
        keep(bytes(next(size)))
        return go
    @property
    def value(self):
        keep(bytes(next(size)))
        return go

def generates(left):
    keep(bytes(next(size)))
    yield go(left)
    keep(bytes(next(size)))

def fails(left):
    try:
        go(left)
        raise ValueError(left)
    except ValueError:
        keep(bytes(next(size)))
        go(left)

ways = [
    plain, tiny, wide, Made, Slotted, Called(), fails,
    lambda left: go(left),
    lambda left: list(generates(left)),
    lambda left: [go(left) for _ in range(1)],
    lambda left: sum(x or 0 for x in generates(left)) if left % 2 else next(generates(left)),
    lambda left: list(map(plain, [left])),
    lambda left: sorted([left], key=tiny),
    lambda left: functools.partial(Made, left)(),
    lambda left: Called().other(left),
    lambda left: Called().value(left),
    lambda left: type("New", (Made,), {})(left),
]

def go(left):
    for _ in range(chance.randrange(3)):
        if left > 0:
            chance.choice(ways)(left - 1)
    keep(bytes(next(size)))

def work():
    for _ in range(60):
        chance.choice(ways)(9)

tracemalloc.start(int(sys.argv[1]))
work()
thread = threading.Thread(target=work)
thread.start()
thread.join()
depths = {sys.getsizeof(block): depth for block, depth in kept}
wrong = []
for trace in tracemalloc.take_snapshot().traces:
    if trace.size in depths:
        depth = depths.pop(trace.size)
        shown = min(depth, int(sys.argv[1]))
        if (trace.traceback.total_nframe, len(trace.traceback)) != (depth, shown):
            wrong.append((depth, trace.traceback))
print(len(kept) > 1000, len({depth for _, depth in kept}) > 20, wrong[:5], len(depths))
"""


@pytest.mark.parametrize("frames", [1, 3, 25, 1000])
def test_depths(frames):
    """How many frames a stack has is told of every block, however it came about."""
    assert check(DEPTHS, frames) == "True True [] 0\n"


def test_code_that_comes_and_goes():
    """Its address is used again; what was allocated by it keeps its own lines."""
    check("""
import gc, weakref
tracemalloc.start(2)
kept = []
codes = []
for number in range(6000):
    names = {}
    exec(compile("\\n" * (number % 50) + "def made():\\n    return bytes(700)",
                 f"<made {number}>", "exec"), names)
    kept.append(names["made"]())
    codes.append(weakref.ref(names["made"].__code__))
    del names
gc.collect()
# Nearly all are gone, and once somebody looks, all.
assert sum(code() is not None for code in codes) < 4200
tracemalloc.take_snapshot()
assert sum(code() is not None for code in codes) == 0
for number, block in enumerate(kept):
    traceback = tracemalloc.get_object_traceback(block)
    assert traceback[-1].filename == f"<made {number}>", (number, traceback)
    assert traceback[-1].lineno == number % 50 + 2
    assert traceback[0].filename == "<string>"
""")


def test_generators_that_go_on_elsewhere():
    """A generator's frame is called from wherever it is resumed."""
    check("""
def makes():
    while True:
        yield bytes(700)

def one(generator):
    return next(generator)

def other(generator):
    return next(generator)

def deeper(generator):
    return one(generator)

tracemalloc.start(10)
generator = makes()
names = ["one", "other", "deeper"] * 50
kept = [globals()[name](generator) for name in names]
lines = {name: globals()[name].__code__.co_firstlineno + 1 for name in names}
first = makes.__code__.co_firstlineno + 2
for name, block in zip(names, kept):
    frames = [frame.lineno for frame in tracemalloc.get_object_traceback(block)]
    called = [lines["deeper"], lines["one"]] if name == "deeper" else [lines[name]]
    assert frames[-len(called) - 1:] == [*called, first], (name, frames)
""")
