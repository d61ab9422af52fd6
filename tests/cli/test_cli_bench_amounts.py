# SPDX-License-Identifier: MIT
"""hasten bench: what is counted beside the time, and what is said of how a benchmark behaves.
Counts are exact, so that they are compared exactly."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from hasten_command import Hasten

MILLION = 1_000_000


def sides(hasten: Hasten, *arguments: object, budget: str = "0.2") -> dict:
    result = hasten("bench", "--json", "--python", sys.executable, "--budget", budget, *arguments)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)["benchmarks"][0]


def test_memory_is_counted_to_the_byte(hasten: Hasten) -> None:
    entry = sides(hasten, f"bytearray({MILLION})", "--vs", f"bytearray({3 * MILLION})")
    memory = entry["a"]["memory"]
    assert memory["peak_bytes"] == memory["allocated_bytes"] == sys.getsizeof(bytearray(MILLION))
    assert entry["memory"]["peak_difference_bytes"] == 2 * MILLION
    assert entry["memory"]["peak_ratio"] == pytest.approx(3, rel=1e-4)


def test_what_is_freed_counts_as_allocated_but_not_at_the_peak(hasten: Hasten) -> None:
    entry = sides(hasten, "for _ in range(10): bytearray(1000000)")
    memory = entry["a"]["memory"]
    assert memory["allocated_bytes"] >= 10 * MILLION
    assert MILLION <= memory["peak_bytes"] < 1.01 * MILLION


def test_what_only_the_first_execution_takes_is_not_counted(hasten: Hasten) -> None:
    """However long an execution takes."""
    hasten.script(
        "bench_slow.py",
        "import time\nkept = []\ndef bench_slow():\n"
        "    if not kept: kept.append(bytes(5_000_000))\n    time.sleep(0.6)\n",
    )
    result = hasten("bench", "--json", "--python", sys.executable, "--budget", "1", "bench_slow.py")
    assert result.returncode == 0, result.stderr
    memory = json.loads(result.stdout)["benchmarks"][0]["a"]["memory"]
    assert memory["allocated_bytes"] < 1_000_000


def test_setup_and_loop_take_no_memory(hasten: Hasten) -> None:
    entry = sides(hasten, "-s", "x = bytearray(5000000)", "pass")
    assert entry["a"]["memory"] == {"peak_bytes": 0, "allocated_bytes": 0}
    hasten.script(
        "fresh.py",
        "def bench_f(x): pass\nbench_f.setup = lambda: bytearray(5000000)\n"
        "async def bench_g(x): return bytearray(x)\nbench_g.params = [1000000]\n",
    )
    answer = json.loads(
        hasten("bench", "--json", "--python", sys.executable, "--budget", "0.2", "fresh.py").stdout
    )
    without, waiting = (entry["a"]["memory"] for entry in answer["benchmarks"])
    assert without == {"peak_bytes": 0, "allocated_bytes": 0}
    assert MILLION <= waiting["peak_bytes"] < MILLION + 10_000


HIDDEN = """\
import os, subprocess, sys
if os.environ.get("PYTHONMALLOC") == "malloc":
    assert "LD_PRELOAD" not in os.environ and "HASTEN_COUNTERS" not in os.environ
    command = [sys.executable, "-S", "-c", "x = bytearray(50_000_000)"]

    def bench_f(seen=[]):
        if len(seen) < 2:
            # Neither what others allocate nor a copy of this process counts.
            seen.append(subprocess.run(command, check=True))
            if os.fork() == 0:
                kept = bytearray(50_000_000)
                os._exit(0)
            os.wait()
        return bytearray(1_000_000)
else:
    def bench_f():
        return bytearray(1_000_000)
"""


def test_the_program_does_not_see_it(hasten: Hasten) -> None:
    hasten.script("hidden.py", HIDDEN)
    memory = sides(hasten, "hidden.py")["a"]["memory"]
    assert MILLION <= memory["peak_bytes"] < 2 * MILLION


def test_threads_count_together(hasten: Hasten) -> None:
    setup = (
        "from threading import Thread; made = []; make = lambda: made.append(bytearray(1000000))"
    )
    body = "made.clear(); t = [Thread(target=make) for _ in '1234']"
    body += "; [x.start() for x in t]; [x.join() for x in t]"
    memory = sides(hasten, "-s", setup, body)["a"]["memory"]
    assert memory["allocated_bytes"] >= 4 * MILLION


def test_memory_of_commands_is_that_of_all_processes(hasten: Hasten) -> None:
    words = [sys.executable, "-S", "-c", "bytearray(50_000_000)"]
    inner = f"import subprocess; subprocess.run({words})"
    result = hasten(
        "bench", "--json", "--budget", "0.2", "--", sys.executable, "-S", "-c", inner
    )  # fmt: skip
    memory = json.loads(result.stdout)["benchmarks"][0]["a"]["memory"]
    assert 50_000_000 < memory["allocated_bytes"] < 150_000_000
    assert memory["peak_bytes"] > MILLION


def test_no_memory(hasten: Hasten) -> None:
    entry = sides(hasten, "--no-memory", "pass")
    assert entry["a"]["memory"] is None


def test_text_of_memory(hasten: Hasten) -> None:
    result = hasten(
        "bench", "--python", sys.executable, "--budget", "0.2",
        "bytearray(1 << 20)", "--vs", "bytearray(1 << 21)",
    )  # fmt: skip
    assert "   memory: 1.00 MiB at its peak, 1.00 MiB allocated in all\n" in result.stdout
    assert "B against A: peak memory 1.00 MiB more (ratio 2.000),\n" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "prints", "changed"),
    [
        (["1 + 1"], False, None),
        (["print(1)"], True, None),
        (["-s", "x = [3, 1, 2]", "x.sort()"], False, "x"),
        (["-s", "x = [3, 1, 2]", "y = sorted(x)"], False, None),
        (["-s", "n = 1", "n += 1"], False, "n"),
        (["grows.py"], False, "its-parameter"),
    ],
)
def test_printing_and_side_effects_are_said(
    hasten: Hasten, arguments: list[str], prints: bool, changed: str | None
) -> None:
    hasten.script("grows.py", "def bench_f(x): x.append(1)\nbench_f.params = [[1]]\n")
    entry = sides(hasten, "--no-memory", *arguments)
    assert (entry["a"]["prints"], entry["a"]["changed"]) == (prints, changed)
    text = hasten(
        "bench", "--no-memory", "--python", sys.executable, "--budget", "0.1", *arguments
    ).stdout
    assert ("it prints" in text) == prints
    assert ("it changes" in text) == (changed is not None)


def interpreter_with_monitoring() -> str | None:
    """One of those that the tests know: 3.12 or later."""
    named = os.environ.get("HASTEN_TEST_PYTHONS", "").split(":")
    for python in [sys.executable, *filter(None, named), "python3.12", "python3.13"]:
        path = shutil.which(python)
        code = "import sys; sys.exit(sys.version_info < (3, 12))"
        if (
            path
            and subprocess.run([path, "-c", code], check=False, capture_output=True).returncode == 0
        ):
            return path
    return None


MONITORED = interpreter_with_monitoring()


@pytest.mark.skipif(MONITORED is None, reason="no CPython 3.12 or later")
def test_bytecodes_are_counted(hasten: Hasten) -> None:
    hasten.script(
        "loops.py", "def bench_f(n):\n    for _ in range(n): pass\nbench_f.params = [1000]\n"
    )
    count = ["--no-memory", "--python", MONITORED, "--count", "bytecodes"]
    entry = sides(hasten, *count, "-s", "x = 1", "x + 1", "--vs", "x + 1\nx + 1")
    # LOAD_FAST, LOAD_CONST, BINARY_OP, POP_TOP; POP_TOP and a constant's load may be others.
    once = entry["a"]["bytecodes"]
    assert 3 <= once <= 5
    assert entry["bytecodes"] == {"ratio": 2, "difference": once}
    loop = sides(hasten, *count, "loops.py")["a"]["bytecodes"]
    assert 2000 <= loop <= 5000
    assert sides(hasten, *count, "loops.py")["a"]["bytecodes"] == loop


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="it has them")
def test_bytecodes_need_monitoring(hasten: Hasten) -> None:
    result = hasten(
        "bench", "--python", sys.executable, "--budget", "0.1", "--count", "bytecodes", "pass"
    )
    assert result.returncode == 2
    assert result.stderr == (
        "hasten: bench: pass: bytecodes can be counted by CPython 3.12 and later only; "
        "--python names another interpreter\n"
    )


def test_counts_that_cannot_be(hasten: Hasten) -> None:
    result = hasten("bench", "--count", "bytecodes", "--", "true")
    assert result.returncode == 2
    assert "not of commands" in result.stderr
    result = hasten(
        "bench", "--python", sys.executable, "--count", "instructions", "pass", env={"PATH": "/"}
    )
    assert result.returncode == 2
    assert "install the package valgrind" in result.stderr


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="no Valgrind")
def test_instructions_are_counted(hasten: Hasten) -> None:
    entry = sides(
        hasten, "--no-memory", "--timeout", "5", "--count", "instructions",
        "-s", "x = 10 ** 300", "x * x", "--vs", "x * x\nx * x",
    )  # fmt: skip
    assert entry["a"]["instructions"] > 500
    assert entry["instructions"]["ratio"] == pytest.approx(2, rel=0.02)


def test_unrolled_statements_are_timed_without_their_loop(hasten: Hasten) -> None:
    entry = sides(
        hasten, "--no-memory", "--unroll", "-s", "x = []", "x", "--vs", "x\nx\nx\nx", budget="3"
    )
    # Thrice as much at least, which no loop around both would leave.
    assert entry["ratio"] > 2.5
    assert 0 < entry["a"]["least_s"] <= entry["a"]["median_s"]
    result = hasten("bench", "--unroll", "--python", sys.executable, "--budget", "0.2", "pass")
    assert ", loop subtracted, gc between blocks" in result.stdout


@pytest.mark.parametrize("arguments", [["file.py"], ["--", "true"]])
def test_what_cannot_be_unrolled(hasten: Hasten, arguments: list[str]) -> None:
    hasten.script("file.py", "def bench_f(): pass\n")
    result = hasten("bench", "--unroll", *arguments)
    assert result.returncode == 2
    assert result.stderr.startswith("hasten: bench: ")
