# SPDX-License-Identifier: MIT
"""`hasten attach`, and what happens when either side is killed or the disk is full."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hasten_program import HASTEN, Hasten, Interpreter, report, target


@contextmanager
def running(interpreter: Interpreter, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [interpreter.path, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "begins\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def samples_so_far(path: Path) -> int:
    """What a reader finds in a recording that is still being written."""
    command = [HASTEN, "report", str(path), "--json"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(report(path)["samples"]) if answer.returncode == 0 else 0


def wait_for_samples(path: Path, wanted: int) -> None:
    for _ in range(300):
        if path.exists() and samples_so_far(path) >= wanted:
            return
        time.sleep(0.1)
    pytest.fail(f"no {wanted} samples in the recording")


def test_attach_for_some_time(hasten: Hasten, interpreter: Interpreter) -> None:
    with running(interpreter, target("endings.py"), 60) as program:
        outcome = hasten.attach(program.pid, "-d", "1.5")
        assert program.poll() is None
    assert outcome.code == 0, outcome.err
    outcome.recording.check_consistency()
    row = outcome.recording.functions["until_the_end"]
    assert row["total_share"] > 0.95
    assert row["samples"] > 500
    assert outcome.recording.processes[0]["pid"] == program.pid


def test_attach_until_the_program_ends(hasten: Hasten, interpreter: Interpreter) -> None:
    with running(interpreter, target("endings.py"), 1.5) as program:
        outcome = hasten.attach(program.pid)
    assert outcome.code == 0, outcome.err
    assert outcome.recording.functions["until_the_end"]["samples"] > 300


def test_attach_until_interrupted(hasten: Hasten, interpreter: Interpreter) -> None:
    path = hasten.new_path()
    with running(interpreter, target("endings.py"), 60) as program:
        process = hasten.start("attach", program.pid, path=path)
        wait_for_samples(path, 300)
        process.send_signal(signal.SIGINT)
        outcome = hasten.finish(process, path)
        assert program.poll() is None
    assert outcome.code in (0, 130)
    outcome.recording.check_consistency()
    assert outcome.report["complete"] is True
    assert outcome.recording.functions["until_the_end"]["samples"] >= 300


def test_no_such_process(hasten: Hasten) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    outcome = hasten.attach(ended.pid)
    assert outcome.code != 0
    assert "process" in outcome.err
    assert not outcome.path.exists()


def test_not_a_python_process(hasten: Hasten) -> None:
    with subprocess.Popen(["sleep", "60"]) as program:
        outcome = hasten.attach(program.pid)
        program.kill()
    assert outcome.code != 0
    assert "sleep" in outcome.err
    assert not outcome.path.exists()


def test_hasten_is_killed(hasten: Hasten, interpreter: Interpreter) -> None:
    path = hasten.new_path()
    with running(interpreter, target("endings.py"), 60) as program:
        process = hasten.start("attach", program.pid, path=path)
        wait_for_samples(path, 500)
        process.kill()
        process.communicate()
        assert program.poll() is None
    read = report(path)
    assert read["complete"] is False
    assert read["samples"] >= 500
    assert "until_the_end" in {row["name"] for row in read["functions"]}


def test_hasten_is_killed_while_it_runs_a_program(hasten: Hasten, interpreter: Interpreter) -> None:
    path = hasten.new_path()
    process = hasten.start("run", "--python", interpreter.path, target("endings.py"), 2, path=path)
    wait_for_samples(path, 300)
    process.kill()
    out, _ = process.communicate(timeout=60)  # ends when the program closes its output
    assert out == "begins\n"
    assert report(path)["samples"] >= 300


def test_killed_again_and_again(hasten: Hasten, interpreter: Interpreter) -> None:
    """Whatever the moment, what is there can be read."""
    with running(interpreter, target("endings.py"), 60) as program:
        for number in range(12):
            path = hasten.new_path()
            process = hasten.start("attach", program.pid, "-r", 5_000, path=path)
            time.sleep(0.02 + 0.04 * number)
            process.kill()
            process.communicate()
            if path.exists() and path.stat().st_size > 0:
                assert report(path)["samples"] >= 0


def test_program_is_killed(hasten: Hasten, interpreter: Interpreter) -> None:
    path = hasten.new_path()
    with running(interpreter, target("endings.py"), 60) as program:
        process = hasten.start("attach", program.pid, path=path)
        wait_for_samples(path, 300)
        program.kill()
        outcome = hasten.finish(process, path)
    assert outcome.code == 0, outcome.err
    assert outcome.report["complete"] is True
    assert outcome.report["samples"] >= 300


def test_two_at_once(hasten: Hasten, interpreter: Interpreter) -> None:
    with running(interpreter, target("endings.py"), 60) as program:
        paths = [hasten.new_path() for _ in range(2)]
        processes = [hasten.start("attach", program.pid, "-d", 1, path=path) for path in paths]
        outcomes = [hasten.finish(*pair) for pair in zip(processes, paths, strict=True)]
    for outcome in outcomes:
        assert outcome.code == 0, outcome.err
        assert outcome.recording.functions["until_the_end"]["samples"] > 200


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a small file system")
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)]
    answer = subprocess.run(mount, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        pytest.skip(f"a file system cannot be mounted here: {answer.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_disk_is_full(hasten: Hasten, interpreter: Interpreter, small_disk: Path) -> None:
    """The program goes on, the error is told, and the samples until then can be read."""
    path = small_disk / "full.hasten"
    process = hasten.start(
        "run", "--python", interpreter.path, "-r", 50_000, target("oracle.py"), 6, path=path
    )
    outcome = hasten.finish(process, path)
    assert "rounds" in outcome.out
    assert "space" in outcome.err.lower()
    read: dict[str, Any] = report(path)
    assert read["samples"] > 100
    assert {"main", "alternating"} <= {row["name"] for row in read["functions"]}


def test_attach_while_the_program_starts(hasten: Hasten, interpreter: Interpreter) -> None:
    """Attaching to a process that becomes Python a moment later does not crash or hang."""
    for number in range(6):
        program = subprocess.Popen(
            [interpreter.path, target("endings.py"), "1"], stdout=subprocess.DEVNULL
        )
        time.sleep(0.004 * number)
        outcome = hasten.attach(program.pid, "-d", "0.3")
        program.wait()
        assert outcome.code >= 0, (outcome.code, outcome.err)
        if outcome.code == 0:
            outcome.recording.check_consistency()
        else:
            assert outcome.err
