# SPDX-License-Identifier: MIT
"""Child processes appear in their parent's recording, each with its label."""

from pathlib import Path

import pytest
from hasten_program import Hasten, Interpreter, target
from recordings import Recording


def samples_by_process(recording: Recording, function: str) -> dict[int, int]:
    rows = recording.rows(
        "WITH RECURSIVE below(node) AS (SELECT n.id FROM node n JOIN code c ON c.id = n.code "
        "JOIN string q ON q.id = c.qualname WHERE q.text = ? "
        "UNION SELECT n.id FROM below JOIN node n ON n.parent = below.node AND n.id > 0) "
        "SELECT p.pid AS pid, sum(v.amount) AS samples FROM value v "
        "JOIN metric m ON m.id = v.metric AND m.name = 'samples' "
        "JOIN thread t ON t.id = v.thread JOIN process p ON p.id = t.process "
        "WHERE v.node IN (SELECT node FROM below) GROUP BY p.pid",
        (function,),
    )
    return {row["pid"]: row["samples"] for row in rows}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(hasten: Hasten, interpreter: Interpreter, method: str) -> None:
    outcome = hasten.run(interpreter, target("processes.py"), 1.5, method)
    assert outcome.code == 0, outcome.err
    recording, told = outcome.recording, outcome.told
    recording.check_consistency()
    rows = {row["pid"]: row for row in recording.processes}
    assert {told["pid"], *told["workers"]} <= rows.keys()
    assert rows[told["pid"]]["label"] == "main"
    assert all(rows[pid]["label"] != "main" for pid in told["workers"])
    if method == "fork":
        assert all(rows[pid]["label"] == "fork" for pid in told["workers"])
        assert all(rows[pid]["parent_pid"] == told["pid"] for pid in told["workers"])
    crunched = samples_by_process(recording, "crunch")
    assert set(crunched) == set(told["workers"])
    assert min(crunched.values()) > 300
    assert recording.functions["main"]["samples"] is not None


def test_subprocess(hasten: Hasten, interpreter: Interpreter) -> None:
    outcome = hasten.run(interpreter, target("subprocess_python.py"), 1.5)
    assert outcome.code == 0, outcome.err
    outcome.recording.check_consistency()
    assert len(outcome.recording.processes) == 2
    labels = [row["label"] for row in outcome.recording.processes]
    assert labels[0] == "main"
    assert labels[1] != "main"
    truth = outcome.told["child"]["shares"]
    seen, samples = outcome.recording.shares(list(truth), "self")
    assert samples > 500
    assert seen == pytest.approx(truth, abs=0.08)


def test_exec_of_itself(hasten: Hasten, interpreter: Interpreter) -> None:
    outcome = hasten.run(interpreter, target("exec_self.py"), 1)
    assert outcome.code == 0, outcome.err
    outcome.recording.check_consistency()
    for name in ("before_exec", "after_exec"):
        assert outcome.recording.functions[name]["total"] > 0.5
    for stack in outcome.recording.stacks():
        names = {name for _, name, _ in stack}
        assert not {"before_exec", "after_exec"} <= names


def test_shell_in_between(hasten: Hasten, interpreter: Interpreter, tmp_path: Path) -> None:
    """A launcher that is not Python, as many programs have."""
    script = tmp_path / "launcher"
    script.write_text(f'#!/bin/sh\n"{interpreter.path}" "{target("shares.py")}" 1\nexit 6\n')
    script.chmod(0o755)
    path = hasten.new_path()
    outcome = hasten.finish(hasten.start("run", "--", script, path=path), path)
    assert outcome.code == 6
    assert outcome.recording.functions["forty"]["samples"] > 200
