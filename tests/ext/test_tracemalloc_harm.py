# SPDX-License-Identifier: MIT
"""What must not happen to a program whose allocations are traced, and what must be said of
blocks that come and go in odd ways."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from allocators import check, run
from hasten import tracemalloc
from isolated import run_isolated

STRESS = """
# Sizes that nothing else has, with the GIL and without.
SMALL, LARGE = range(401, 512, 2), range(700_001, 700_400)
kinds = {
    "raw": (raw_malloc, raw_calloc, raw_realloc, raw_free, LARGE),
    "small": (object_malloc, object_calloc, object_realloc, object_free, SMALL),
    "large": (object_malloc, object_calloc, object_realloc, object_free, LARGE),
}
kept = []

def work(seed, kind, steps):
    chance = random.Random(seed)
    malloc, calloc, realloc, free, range_ = kinds[kind]
    blocks = []
    for step in range(steps):
        dice = chance.random()
        if dice < 0.4 or not blocks:
            size = chance.choice(range_)
            blocks.append((malloc(size) if dice < 0.3 else calloc(1, size), size))
        elif dice < 0.6:
            at = chance.randrange(len(blocks))
            size = chance.choice(range_)
            blocks[at] = realloc(blocks[at][0], size), size
        else:
            free(blocks.pop(chance.randrange(len(blocks)))[0])
    kept.append((free, blocks))

tracemalloc.start(int(sys.argv[1]))
threads = [
    threading.Thread(target=work, args=(seed, kind, int(sys.argv[2])))
    for seed, kind in enumerate(["raw"] * 5 + ["small"] * 2 + ["large"])
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
expected = Counter(size for _, blocks in kept for _, size in blocks)
wanted = [*SMALL, *LARGE]
assert sum(expected.values()) > 100
assert sizes(wanted) == expected, (sizes(wanted), expected)
current = tracemalloc.get_traced_memory()[0]
for free, blocks in kept:
    for block, _ in blocks:
        free(block)
assert sizes(wanted) == {}
left = current - tracemalloc.get_traced_memory()[0]
assert abs(left - sum(size * count for size, count in expected.items())) < 100_000, left
"""


@pytest.mark.parametrize("frames", [1, 25])
def test_no_block_is_lost_or_invented(frames):
    check(STRESS, frames, os.environ.get("HASTEN_TEST_STEPS", "2500"))


@pytest.mark.parametrize("allocator", ["debug", "malloc", "malloc_debug", "pymalloc"])
def test_other_allocators(allocator):
    check(STRESS, 1, 300, PYTHONMALLOC=allocator)


def test_odd_blocks():
    check("""
tracemalloc.start()
nothing = [mem_malloc(0), object_malloc(0), raw_malloc(0)]
assert all(nothing) and len(set(nothing)) == 3
before = tracemalloc.get_traced_memory()[0]
for malloc, realloc, free in [(mem_malloc, mem_realloc, mem_free),
                              (object_malloc, object_realloc, object_free),
                              (raw_malloc, raw_realloc, raw_free)]:
    block = malloc(123_457)
    assert sizes([123_457]) == {123_457: 1}
    # In place, and to another place.
    block = realloc(block, 123_001)
    block = realloc(block, 9_123_003)
    assert sizes([123_457, 123_001, 9_123_003]) == {9_123_003: 1}
    # What cannot be had leaves the block as it was.
    assert realloc(block, 1 << 62) is None
    assert sizes([9_123_003]) == {9_123_003: 1}
    # From large to small and back, and to nothing, which is a block.
    block = realloc(block, 479)
    assert sizes([479]) == {479: 1}
    block = realloc(block, 123_457)
    assert sizes([479, 123_457]) == {123_457: 1}
    block = realloc(block, 0)
    assert block and sizes([123_457]) == {}
    free(block)
    block = realloc(None, 123_457)
    assert sizes([123_457]) == {123_457: 1}
    free(block)
    free(None)
    assert sizes([123_457]) == {}
mem_free(nothing[0])
object_free(nothing[1])
raw_free(nothing[2])
assert tracemalloc.get_traced_memory()[0] < before + 100_000
""")


def test_blocks_from_before():
    """They are not traced, and neither are their ends; grown blocks are from then on."""
    check("""
early = [f(n) for f in (raw_malloc, mem_malloc, object_malloc) for n in (480, 500_001, 500_003)]
tracemalloc.start()
assert sizes([480, 500_001, 500_003]) == {}
size = tracemalloc.get_traced_memory()[0]
for block, free in zip(early[:3], [raw_free] * 3):
    free(block)
mem_free(early[3])
grown = mem_realloc(early[4], 600_001)
early[5] = mem_realloc(early[5], 600_003)
assert sizes([600_001, 600_003]) == {600_001: 1, 600_003: 1}
object_free(early[6])
object_free(early[7])
late = object_malloc(500_003)
tracemalloc.stop()
# Not traced any more, and again.
object_free(late)
tracemalloc.start()
assert sizes([500_003, 600_001]) == {}
mem_free(grown)
mem_free(early[5])
assert 0 <= tracemalloc.get_traced_memory()[0] < 100_000
""")


def test_memory_errors_are_the_programs_own():
    check("""
import _testcapi
tracemalloc.start(5)
for start in range(0, 60):
    _testcapi.set_nomemory(start, start + 3)
    try:
        x = [str(i) * 3 for i in range(100)]
    except MemoryError:
        pass
    finally:
        _testcapi.remove_mem_hooks()
block = object_malloc(123_457)
assert sizes([123_457]) == {123_457: 1}
try:
    bytes(1 << 62)
except MemoryError:
    pass
assert tracemalloc.get_traced_memory()[1] < 1 << 40
""")


FORK = """
tracemalloc.start()
going = True

def work():
    while going:
        raw_free(raw_malloc(700_001))

threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
kept = object_malloc(123_457)
for _ in range(25):
    child = os.fork()
    if child == 0:
        block = raw_malloc(600_001)
        other = object_malloc(600_003)
        good = sizes([123_457, 600_001, 600_003]) == {123_457: 1, 600_001: 1, 600_003: 1}
        object_free(kept)
        good = good and sizes([123_457]) == {}
        os._exit(42 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
going = False
for thread in threads:
    thread.join()
assert sizes([123_457, 600_001, 600_003]) == {123_457: 1}
"""


def test_fork_goes_on_in_both():
    check(FORK, options=["-W", "ignore"])


@pytest.mark.parametrize(
    ("ending", "code"),
    [("os._exit(7)", 7), ("sys.exit(3)", 3), ("os.kill(os.getpid(), 9)", -9), ("pass", 0)],
)
def test_endings(ending, code):
    answer = run(f"""
class Late:
    def __del__(self):
        self.data = [str(i) for i in range(1000)]
        raw_free(raw_malloc(1000))

def forever():
    while True:
        raw_free(raw_malloc(1000))

tracemalloc.start(10)
late = Late()
late.itself = late
module = sys.modules["late"] = late
threading.Thread(target=forever, daemon=True).start()
{ending}
""")
    assert answer.returncode == code


def test_warnings_tell_where_at_the_very_end():
    answer = subprocess.run(
        [
            sys.executable,
            "-Wdefault",
            "-m",
            "hasten.dropin",
            "-c",
            "import tracemalloc; tracemalloc.start(3); kept = open('/dev/null')",
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Object allocated at (most recent call last)" in answer.stderr


def test_stop_while_threads_allocate():
    check("""
going = True

def work():
    while going:
        raw_free(raw_realloc(raw_malloc(1000), 2000))
        [str(i) for i in range(10)]

threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for step in range(200):
    tracemalloc.start(step % 5 + 1)
    tracemalloc.take_snapshot().statistics("lineno")
    if step % 2:
        tracemalloc.clear_traces()
    tracemalloc.stop()
    assert tracemalloc.get_traced_memory() == (0, 0)
going = False
for thread in threads:
    thread.join()
""")


def test_signal_handlers_allocate():
    check("""
import signal, time
kept = []
signal.signal(signal.SIGALRM, lambda *_: kept.append(bytes(701)))
tracemalloc.start(3)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
end = time.monotonic() + 0.5
while time.monotonic() < end:
    x = [str(i) for i in range(100)]
signal.setitimer(signal.ITIMER_REAL, 0)
size = sys.getsizeof(kept[0])
assert sizes([size])[size] >= len(kept)
""")


def test_the_standard_module_beside_it():
    check("""
import tracemalloc as standard
standard.start()
try:
    tracemalloc.start()
except RuntimeError as error:
    assert str(error) == "the standard tracemalloc module is tracing: stop it first"
else:
    raise AssertionError
standard.stop()
assert not tracemalloc.is_tracing()
tracemalloc.start()
standard.start()
block = object_malloc(123_457)
assert sizes([123_457]) == {123_457: 1}
standard.stop()
object_free(block)
assert sizes([123_457]) == {}
""")


def test_interpreters_with_a_lock_of_their_own():
    tracemalloc.start()
    try:
        run_isolated("""
kept = [str(i) for i in range(10_000)]
import threading
thread = threading.Thread(target=lambda: [bytes(i) for i in range(1000)])
thread.start()
thread.join()
""")
        run_isolated("""
import sys
from pathlib import Path
# The standard module, which ours builds on, cannot be imported there at all.
from hasten import _tracemalloc as tracemalloc
for function in (tracemalloc.start, tracemalloc.stop, tracemalloc.clear_traces,
                 tracemalloc.reset_peak, tracemalloc.get_traced_memory):
    try:
        function()
    except RuntimeError as error:
        assert "main interpreter" in str(error)
    else:
        raise AssertionError(function)
assert tracemalloc._get_object_traceback([]) is None
""")
        kept = bytes(123_457)
        assert tracemalloc.get_object_traceback(kept) is not None
    finally:
        tracemalloc.stop()


TRACKS = """
def tracked():
    snapshot = tracemalloc.take_snapshot().filter_traces([tracemalloc.DomainFilter(True, 5)])
    return [(trace.size, trace.traceback[0].lineno) for trace in snapshot.traces]

{first}
tracemalloc.start()
{second}
_testcapi.tracemalloc_track(5, 1 << 40, 777_777)
line = sys._getframe().f_lineno - 1
assert tracked() == [(777_777, line)]
_testcapi.tracemalloc_untrack(5, 1 << 40)
assert tracked() == []
"""


@pytest.mark.parametrize("order", [("import _testcapi", ""), ("", "import _testcapi")])
def test_extensions_that_track_blocks(order):
    check(TRACKS.format(first=order[0], second=order[1]))


def test_numpy_arrays_have_size_and_line():
    pytest.importorskip("numpy")
    check("""
import numpy
tracemalloc.start()
kept = numpy.zeros(1_000_000)
line = sys._getframe().f_lineno - 1
largest = tracemalloc.take_snapshot().statistics("lineno")[0]
assert (largest.traceback[0].lineno, largest.size // 1000) == (line, 8000), largest
""")


@pytest.mark.parametrize("frames", [0, -1, 65536, 1 << 30])
def test_wrong_numbers_of_frames(frames):
    with pytest.raises(ValueError, match=r"the number of frames must be in range \[1; 65535\]"):
        tracemalloc.start(frames)
    assert not tracemalloc.is_tracing()
    assert tracemalloc.get_traced_memory() == (0, 0)


def test_example_of_the_document(tmp_path):
    text = (Path(__file__).resolve().parents[2] / "docs" / "tracemalloc.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "example.py").write_text(example)
    answer = subprocess.run(
        [sys.executable, "example.py"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    lines = answer.stdout.splitlines()
    assert "example.py:5: size=" in lines[0]
    assert "count=10" in lines[0]
    assert lines[-2].endswith('example.py", line 5')


SHARED_LOCK = """
import gc, importlib, _testcapi
module = importlib.import_module(sys.argv[1])
code = '''
import json, collections
kept = [str(i) for i in range(2000)]
class Thing: pass
things = [Thing() for i in range(1000)]
'''
_testcapi.run_in_subinterp(code)
module.start(3)
_testcapi.run_in_subinterp(code)
gc.collect()
before = module.get_traced_memory()[0]
for _ in range(3):
    assert _testcapi.run_in_subinterp(code) == 0
    gc.collect()
print(module.get_traced_memory()[0] - before)
"""


def test_interpreters_with_the_same_lock():
    """What ends with them is forgotten; what CPython loses with them is not our loss."""
    grown = int(check(SHARED_LOCK, "hasten.tracemalloc"))
    if sys.version_info >= (3, 12):
        assert abs(grown - int(check(SHARED_LOCK, "tracemalloc"))) < 5000
    else:
        # The standard module of 3.11 waits for ever here.
        assert grown < 100_000
