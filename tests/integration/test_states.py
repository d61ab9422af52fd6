# SPDX-License-Identifier: MIT
"""What threads are doing: waiting by kind, native code, garbage collection, the GIL."""

import pytest
import thread_names
import waiting
from hasten_program import Hasten, Interpreter, target


def test_waiting_by_kind(hasten: Hasten, interpreter: Interpreter) -> None:
    outcome = hasten.run(interpreter, target("waiting.py"), 2.5)
    assert outcome.code == 0, outcome.err
    outcome.recording.check_consistency()
    kinds: dict[str, dict[str, float]] = {}
    for row in outcome.recording.rows("SELECT thread, kind, time FROM waiting"):
        kinds.setdefault(row["thread"], {})[row["kind"]] = row["time"]
    for thread, kind in waiting.TRUTH["states"].items():
        assert kinds[thread].get(kind, 0) > 0.9 * sum(kinds[thread].values()), kinds
        assert kinds[thread][kind] > 1.5


def test_cpu_mode_leaves_waiting_out(hasten: Hasten, interpreter: Interpreter) -> None:
    outcome = hasten.run(interpreter, target("waiting.py"), 1.5, options=("--mode", "cpu"))
    metrics = outcome.recording.metrics()
    waited = sum(amount for name, amount in metrics.items() if name.startswith("time.wait"))
    assert waited < 0.1 * (metrics["time.running_gil"] + metrics.get("time.running", 0))
    assert "working" in outcome.recording.functions
    sleeping = outcome.recording.functions.get("sleep_wait")
    assert sleeping is None or sleeping["total_share"] < 0.02  # it runs on its way to sleep


def test_native_code_is_marked(hasten: Hasten, interpreter: Interpreter) -> None:
    outcome = hasten.run(interpreter, target("c_heavy.py"), 1.5)
    rows = {row["name"]: row for row in outcome.report["functions"]}
    for name in ("sorting", "matching"):
        assert rows[name]["self_native_s"] > 0.8 * rows[name]["self_s"]
    outcome = hasten.run(interpreter, target("shares.py"), 1.5)
    rows = {row["name"]: row for row in outcome.report["functions"]}
    assert rows["forty"]["self_native_s"] < 0.2 * rows["forty"]["self_s"]


def test_garbage_collection_is_marked(hasten: Hasten, interpreter: Interpreter) -> None:
    outcome = hasten.run(interpreter, target("gc_heavy.py"), 1.5)
    rows = {row["name"]: row for row in outcome.report["functions"]}
    assert rows["collecting"]["total_gc_s"] > 0.8 * rows["collecting"]["total_s"]
    assert rows["computing"]["total_gc_s"] < 0.05 * rows["computing"]["total_s"]


def test_main_thread_only(hasten: Hasten, interpreter: Interpreter) -> None:
    outcome = hasten.run(interpreter, target("waiting.py"), 1, options=("--threads", "main"))
    assert [row["is_main"] for row in outcome.recording.threads] == [1]


@pytest.mark.parametrize("count", [50, 200])
def test_many_threads(hasten: Hasten, interpreter: Interpreter, count: int) -> None:
    outcome = hasten.run(interpreter, target("threads_many.py"), 2, count, options=("-r", 100))
    assert outcome.code == 0, outcome.err
    outcome.recording.check_consistency()
    names = {row["name"] for row in outcome.recording.threads}
    busy = {f"busy-{n}" for n in range(0, count, 10)}
    idle = {f"idle-{n}" for n in range(count) if n % 10}
    assert busy | idle <= names
    assert len(outcome.recording.threads) == count + 1
    samples = {row["name"]: row["samples"] for row in outcome.recording.threads}
    assert min(samples[name] for name in busy | idle) > 50


def test_threads_that_come_and_go(hasten: Hasten, interpreter: Interpreter) -> None:
    outcome = hasten.run(interpreter, target("threads_come_go.py"), 2)
    assert outcome.code == 0, outcome.err
    outcome.recording.check_consistency()
    started = outcome.told["threads"]
    others = [row for row in outcome.recording.threads if not row["is_main"]]
    assert 0.9 * started <= len(others) <= started
    # Many end before their name is looked up; a name that is there is the right one.
    short = [row for row in others if row["name"].startswith("short-")]
    assert len(short) > 0.2 * started
    # A thread is one row however often it was seen, and its name is its own.
    assert len({row["name"] for row in short}) == len(short)
    assert outcome.recording.functions["short_life"]["samples"] > 500


def test_threads_have_their_python_names(hasten: Hasten, interpreter: Interpreter) -> None:
    outcome = hasten.run(interpreter, target("thread_names.py"), 6)
    assert outcome.code == 0, outcome.err
    outcome.recording.check_consistency()
    names = [row["name"] for row in outcome.recording.threads]
    expected = thread_names.TRUTH["names"]
    assert set(expected) <= set(names)
    # The one that threading does not know has the kernel's name.
    assert len(names) == len(expected) + thread_names.TRUTH["nameless"]
    assert all(names)
