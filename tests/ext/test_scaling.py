# SPDX-License-Identifier: MIT
"""hasten.complexity, hasten.budget and the numbers behind them, inside the interpreter."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import tracemalloc

import hasten
import pytest
from hasten import _stats
from hasten._growing import Waiting
from hasten.budgets import parse_class, parse_size, parse_time


def pairs(n: int) -> int:
    return sum(1 for a in range(n) for b in range(n))


def test_class_and_fields() -> None:
    result = hasten.complexity(pairs, budget=3, memory=True)
    assert result.time.growth == "O(n^2)", result.to_dict()
    assert result.time.doubt is None and result.time.confidence > 0.8
    assert result.time.is_at_most("n^2") is True
    assert result.time.is_at_most("2**n") is True
    assert result.time.is_at_most("n log n") is False
    assert 3 < result.time.doubling < 5
    assert str(result.time).startswith("O(n^2), ")
    assert result.error is None
    assert result.memory is not None and result.memory.growth == "O(1)"
    assert len(result.sizes) == len(result.seconds) == len(result.peak_bytes) >= 7
    assert result.sizes[0] == 4 and all(seconds > 0 for seconds in result.seconds)
    assert result.to_dict()["time"]["class"] == "O(n^2)"
    text = str(result)
    assert text.startswith("time    O(n^2)") and "memory  O(1)" in text
    assert repr(result).startswith("<time O(n^2)")


def test_memory() -> None:
    sizes = [64, 128, 256, 512, 1024, 2048]
    result = hasten.complexity(len, lambda n: [0] * n, sizes=sizes, budget=0.3, memory=True)
    assert result.memory is not None and result.memory.growth == "O(1)"
    assert result.memory.doubling == 1
    json.dumps(result.to_dict(), allow_nan=False)
    # Two cannot trace at once: whoever does goes on.
    tracemalloc.start()
    try:
        result = hasten.complexity(lambda n: [0] * n, sizes=sizes, budget=0.3, memory=True)
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()
    assert result.error is None
    for size, peak in zip(sizes, result.peak_bytes):
        assert peak is not None and 8 * size <= peak < 8 * size + 1000


def test_sizes_and_inputs() -> None:
    made: list[int] = []

    def generate(n: int) -> tuple[list[int], int]:
        made.append(n)
        return [0] * n, n

    def function(items: list[int], n: int) -> None:
        assert len(items) == n, "the input of another execution"
        items.clear()

    result = hasten.complexity(function, generate, sizes=[300, 100, 200, 100], budget=0.3)
    assert result.sizes == [100, 200, 300]
    assert set(made) == {100, 200, 300}
    assert result.time.growth is None and result.time.doubt == "few sizes"
    assert result.time.is_at_most("n") is None
    assert "can't tell" in str(result)


def interrupted(n: int) -> None:
    # Not by exec of a text: CPython notes that as the way this process ends.
    raise KeyboardInterrupt


def test_coroutines() -> None:
    loops = set()

    async def total(n: int) -> int:
        loops.add(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return sum(range(n))

    sizes = [64, 128, 256, 512, 1024]
    result = hasten.complexity(total, sizes=sizes, budget=0.3, memory=True)
    assert result.error is None and result.sizes == sizes
    (loop,) = loops
    assert loop.is_closed()


def test_waiting_is_of_this_thread_and_its_own_file() -> None:
    waiting = Waiting()
    if waiting.descriptor < 0:
        pytest.skip("the kernel does not count it")
    assert waiting.now() >= 0
    was = waiting.descriptor
    os.close(was)  # as a program that closes all of them
    other = os.open(os.devnull, os.O_RDONLY)
    assert other == was
    assert waiting.now() >= 0 and waiting.descriptor != other
    os.close(waiting.descriptor)
    waiting.close()
    assert os.fstat(other)  # it was not closed in its place
    os.close(other)
    waiting = Waiting()
    seen = []
    thread = threading.Thread(target=lambda: seen.append((waiting.now(), waiting.thread)))
    own = waiting.thread
    thread.start()
    thread.join()
    assert seen[0][0] >= 0 and seen[0][1] != own
    assert waiting.since(-1, 1e9) == 0 and waiting.since(waiting.now() + 10**9, 1e9) == 0
    waiting.close()


def test_exceptions() -> None:
    def limited(n: int) -> None:
        if n > 100:
            raise LookupError(n)

    result = hasten.complexity(limited, budget=10)  # enough to come there on any machine
    assert isinstance(result.error, LookupError)
    assert result.to_dict()["end"] == "raised" and max(result.sizes) <= 100
    with pytest.raises(ZeroDivisionError):
        hasten.complexity(lambda n: n // 0, budget=0.3)
    with pytest.raises(KeyboardInterrupt):
        hasten.complexity(interrupted, budget=0.3)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"sizes": []}, ValueError),
        ({"sizes": [0, 1]}, ValueError),
        ({"sizes": range(1, 66)}, ValueError),
        ({"sizes": [1.5]}, TypeError),
        ({"sizes": [-1]}, OverflowError),
        ({"sizes": [2**64]}, OverflowError),
        ({"budget": 0}, ValueError),
        ({"budget": float("nan")}, ValueError),
        ({"generate": 3}, TypeError),
    ],
)
def test_refused(arguments: dict, error: type[Exception]) -> None:
    with pytest.raises(error):
        hasten.complexity(len, **arguments)


def test_what_was_not_asked_for() -> None:
    scaling = _stats.Scaling(sizes=[1, 2])
    for tell in (
        scaling.tell_failure,
        lambda: scaling.tell_memory(1),
        lambda: scaling.tell_time(1, 1.0, 1.0, 1.0, 0),
    ):
        with pytest.raises(ValueError, match="not asked for"):
            tell()
    assert scaling.next(0.0) == ("time", 1, 1, 0)
    with pytest.raises(ValueError, match="not asked for"):
        scaling.tell_memory(1)
    scaling.tell_failure()
    assert scaling.next(0.0) is None
    assert scaling.result()["end"] == "raised"
    assert scaling.text(80, True) == "nothing could be measured\n"


def test_summary() -> None:
    found = _stats.summarize([3, 1, 2, 2.5, 100])
    assert found["count"] == 5 and found["least"] == 1 and found["most"] == 100
    assert found["median"] == 2.5 and found["mean"] == 21.7
    assert found["lower_quartile"] == 2 and found["upper_quartile"] == 3
    assert found["high_outliers"] == 1 and found["low_outliers"] == 0
    assert found["low"] <= 2.5 <= found["high"]
    assert _stats.summarize((7,))["median"] == 7
    for wrong in ([], [float("nan")], [float("inf")]):
        with pytest.raises(ValueError):
            _stats.summarize(wrong)
    for wrong in (3, ["x"], [None]):
        with pytest.raises(TypeError):
            _stats.summarize(wrong)


def test_summary_of_what_changes() -> None:
    class Hostile:
        def __float__(self) -> float:
            values.clear()
            return 1.0

    values = [Hostile(), 2, 3]
    with pytest.raises(IndexError):
        _stats.summarize(values)


def test_summary_of_very_many() -> None:
    """Values are taken from all of them, not from the first."""
    found = _stats.summarize([1.0] * 20000 + [2.0] * 80001)
    assert found["median"] == found["low"] == found["high"] == 2


def test_two_sides() -> None:
    ratio, low, high, p = _stats.paired_ratio([0.1] * 9)
    assert ratio == low == high == pytest.approx(1.1052, abs=1e-4) and p < 0.05
    assert _stats.paired_ratio([0.1])[1:3] == (0, float("inf"))
    assert _stats.holm([0.01, 0.04, 0.9]) == [True, False, False]
    # Twice as slow in every pair; the interrupted one does not count.
    a, b = [1.0] * 14, [2.0] * 14
    b[5] = 100.0
    clean = [float(i != 5) for i in range(14)]
    assert _stats.turns_ratio(a, b, clean) == pytest.approx(0.6931, abs=1e-4)
    for wrong in ((a, b[1:], clean), (a, [0.0] * 14, clean), (a, b, [])):
        with pytest.raises(ValueError):
            _stats.turns_ratio(*wrong)
    for empty in (_stats.paired_ratio, _stats.holm):
        with pytest.raises(ValueError):
            empty([])


def test_budget() -> None:
    def function() -> int:
        return 1

    marked = hasten.budget(time="5 ms", memory="20 MB", complexity="n*log(n)")(function)
    assert marked is function
    assert marked.__hasten_budget__ == {
        "time_ns": 5_000_000, "memory_bytes": 20 << 20, "complexity": "O(n log n)"
    }  # fmt: skip
    assert hasten.budget(time="1s")(pairs).__hasten_budget__["memory_bytes"] is None
    with pytest.raises(ValueError, match="limits time, memory or complexity"):
        hasten.budget()
    for wrong in ({"time": "5"}, {"time": "ms"}, {"time": 5}, {"memory": "5"},
                  {"memory": "3 i"}, {"complexity": "n^7"}, {"complexity": 3}):  # fmt: skip
        with pytest.raises(ValueError, match="not "):
            hasten.budget(**wrong)


def test_amounts() -> None:
    assert parse_time("1.5 us") == 1500 and parse_time(".5s") == 500_000_000
    assert parse_time("2 min") == 120 * 10**9 and parse_time("3µs") == 3000
    assert parse_size("1 KB") == 1024 == parse_size("1KiB") == parse_size("1k")
    assert parse_size("2.5 GB") == 5 << 29 and parse_size("7 B") == 7
    assert parse_class("N ** 2") == "O(n^2)" and parse_class("linear") == "O(n)"


def test_import_is_light() -> None:
    code = (
        "import sys, hasten\n"
        "assert not {'hasten.budgets', 'hasten.scaling', 'hasten._stats'} & set(sys.modules)\n"
        "assert {'budget', 'complexity'} <= set(dir(hasten))\n"
        "hasten.budget\n"
        "assert 'hasten.budgets' in sys.modules and 'hasten.scaling' not in sys.modules\n"
        "assert not hasattr(hasten, 'absent')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
