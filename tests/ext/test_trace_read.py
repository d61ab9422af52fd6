# SPDX-License-Identifier: MIT
"""What is made of a recording of traced calls: statistics, rows, and clear errors."""

import pstats
import sys

import hasten
import hasten.pstats
import pytest
from traced import HASTEN, run


def test_pstats_of_a_recording(trace, tmp_path):
    trace("def step(): pass\nfor _ in range(3): step()\n")
    recording = str(tmp_path / "app.hasten")
    exported = tmp_path / "app.pstats"
    done = run(*HASTEN, "export", recording, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, f"hasten: written to {exported}\n")
    theirs, ours = pstats.Stats(str(exported)), hasten.pstats.Stats(recording)
    assert ours.stats == theirs.stats
    assert ours.total_calls == theirs.total_calls
    twice = hasten.pstats.Stats(recording).add(recording)
    assert twice.total_calls == 2 * ours.total_calls
    label = (str(tmp_path / "app.py"), 1, "step")
    module = (str(tmp_path / "app.py"), 1, "<module>")
    assert theirs.stats[label][:2] == (3, 3)
    assert theirs.stats[label][4][module][:2] == (3, 3)
    again = run(*HASTEN, "export", recording)
    assert again.returncode == 1
    assert "is there already" in again.stderr


def test_damaged_recording(trace, tmp_path):
    trace("pass\n")
    damaged = tmp_path / "damaged.hasten"
    damaged.write_bytes((tmp_path / "app.hasten").read_bytes()[:5000])
    with pytest.raises(EOFError, match="is damaged"):
        hasten.pstats.Stats(str(damaged))


def test_whatever_is_damaged(trace, tmp_path):
    """A RecordingError or a recording that all can be made of, never anything else."""
    trace("import json\nfor _ in range(5): json.dumps([1])\n")
    whole = (tmp_path / "app.hasten").read_bytes()
    damaged = tmp_path / "damaged.hasten"
    outcomes = set()
    for step in range(1, 40):
        cut = len(whole) * step // 40
        flipped = bytearray(whole)
        flipped[cut] ^= 0xFF
        for content in (whole[:cut], bytes(flipped)):
            damaged.write_bytes(content)
            try:
                recording = hasten.open(damaged)
                recording.calls()
                outcomes.add("read")
            except hasten.RecordingError as error:
                outcomes.add(error.code)
            try:
                hasten.pstats.Stats(str(damaged)).sort_stats("cumulative")
            except (EOFError, TypeError, ValueError) as error:
                assert "damaged" in str(error)
    assert outcomes & {"CORRUPT", "TRUNCATED", "NOT_RECORDING"}


def test_opened_from_python(trace, tmp_path):
    """Functions and who called them, with the numbers that pstats has."""
    _, report = trace(
        "def even(n): return n == 0 or odd(n - 1)\n"
        "def odd(n): return n != 0 and even(n - 1)\n"
        "def main():\n"
        "    even(4); even(2); len('')\n"
        "main()\n"
    )
    path = str(tmp_path / "app.hasten")
    recording = hasten.open(path)
    mine = {f.name: f for f in recording.functions if f.file == str(tmp_path / "app.py")}
    assert (mine["even"].calls, mine["even"].primitive_calls) == (5, 2)
    assert (mine["odd"].calls, mine["odd"].primitive_calls) == (3, 2)
    assert mine["main"].total_s >= mine["even"].total_s > mine["odd"].self_s > 0
    assert len(mine["main"]) == 9
    stats = hasten.pstats.Stats(path).stats
    for function in mine.values():
        row = stats[function.file, function.line, function.name]
        assert (function.primitive_calls, function.calls) == row[:2]
        assert (function.self_s, function.total_s) == pytest.approx(row[2:4])
    edges = {
        (call.caller.name, call.callee.name): call
        for call in recording.calls()
        if call.caller in mine.values()
    }
    assert edges["main", "even"].calls == 2
    assert edges["odd", "even"].calls == 3
    assert edges["odd", "even"].primitive_calls == 2
    assert edges["main", "<built-in method builtins.len>"].calls == 1
    assert edges["main", "even"].total_s == pytest.approx(mine["even"].total_s)
    totals = [call.total_s for call in recording.calls()]
    assert totals == sorted(totals, reverse=True)
    for (caller, callee), call in edges.items():
        row = next(
            row[4][key]
            for label, row in stats.items()
            if label[2] == callee
            for key in row[4]
            if key[2] == caller and key[0] == call.caller.file
        )
        assert (call.calls, call.primitive_calls) == row[:2]
        assert (call.self_s, call.total_s) == pytest.approx(row[2:])
    assert sum(function.calls for function in recording.functions) == report["time"]["calls"]


def test_sampled_recording_has_times_and_no_calls(tmp_path):
    recording = tmp_path / "app.hasten"
    code = (
        "import time\n"
        "end = time.monotonic() + 0.3\n"
        "def spin():\n"
        "    while time.monotonic() < end: pass\n"
        "spin()\n"
    )
    done = run(
        *(*HASTEN, "run", "--no-report", "--python", sys.executable, "-o", recording),
        *("-c", code),
    )
    assert done.returncode == 0, done.stderr
    stats = hasten.pstats.Stats(str(recording)).stats
    (spin,) = [row for label, row in stats.items() if label[2] == "spin"]
    assert spin[:2] == (0, 0)
    assert spin[3] > 0.1
    assert [label[2] for label in spin[4]] == ["<module>"]
    recording = hasten.open(recording)
    assert {function.calls for function in recording.functions} == {0}
    (call,) = (call for call in recording.calls() if call.callee.name == "spin")
    assert (call.caller.name, call.calls) == ("<module>", 0)
    assert call.total_s == pytest.approx(spin[3])
