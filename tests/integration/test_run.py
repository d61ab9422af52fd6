# SPDX-License-Identifier: MIT
"""`hasten run` changes nothing about the program that it runs."""

import fcntl
import json
import os
import pty
import signal
import subprocess
import termios
import time
from pathlib import Path

import endings
import pytest
from hasten_program import PATIENCE_S, Hasten, Interpreter, Outcome, target


def plain(
    interpreter: Interpreter, *arguments: object, **options: object
) -> "subprocess.CompletedProcess[str]":
    command = [interpreter.path, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PATIENCE_S, **options
    )  # type: ignore[call-overload]


def as_shell(code: int) -> int:
    """A shell's number for an ending: 128 + signal."""
    return 128 - code if code < 0 else code


@pytest.mark.parametrize("kind", list(endings.TRUTH["codes"]))
def test_endings(hasten: Hasten, interpreter: Interpreter, kind: str) -> None:
    expected = plain(interpreter, target("endings.py"), 0.3, kind)
    assert expected.returncode == endings.TRUTH["codes"][kind]
    outcome = hasten.run(interpreter, target("endings.py"), 0.3, kind)
    assert as_shell(outcome.code) == as_shell(expected.returncode)
    assert outcome.out == expected.stdout
    assert expected.stderr in outcome.err
    outcome.recording.check_consistency()
    row = outcome.recording.functions["until_the_end"]
    assert row["samples"] > 50
    assert Path(row["file"]).name == "endings.py"


FACTS = ("argv", "path0", "name", "file", "spec", "descriptors", "environment", "blocked", "tty")


def told(text: str) -> dict[str, object]:
    facts = json.loads(text.splitlines()[0])
    return {name: facts[name] for name in FACTS}


def test_script_sees_what_python_would_show_it(hasten: Hasten, interpreter: Interpreter) -> None:
    words = ["plain", "--limit", "-x", "two words", "", "$HOME"]
    expected = plain(interpreter, target("echo.py"), *words, input="one\ntwo\n")
    outcome = hasten.run(interpreter, target("echo.py"), *words, given="one\ntwo\n")
    assert told(outcome.out) == told(expected.stdout)
    assert outcome.out.splitlines()[1:] == ["one", "two"]
    assert "done\n" in outcome.err
    assert outcome.code == 0


def test_module(hasten: Hasten, interpreter: Interpreter) -> None:
    folder = Path(target("echo.py")).parent
    expected = plain(interpreter, "-m", "echo", "-m", "x", input="", cwd=folder)
    outcome = hasten.run(interpreter, "-m", "echo", "-m", "x", given="", cwd=folder)
    assert told(outcome.out) == told(expected.stdout)


def test_code(hasten: Hasten, interpreter: Interpreter) -> None:
    code = "import sys; print(sys.argv, repr(sys.path[0]), __name__); sys.exit(4)"
    expected = plain(interpreter, "-c", code, "a", "-c")
    outcome = hasten.run(interpreter, "-c", code, "a", "-c")
    assert (outcome.code, outcome.out) == (4, expected.stdout)


def test_command(hasten: Hasten, interpreter: Interpreter) -> None:
    path = hasten.new_path()
    process = hasten.start("run", "--", interpreter.path, target("shares.py"), "0.5", path=path)
    outcome = hasten.finish(process, path)
    assert outcome.code == 0
    assert set(outcome.told["shares"]) == {"ten", "twenty", "thirty", "forty"}
    assert outcome.recording.functions["forty"]["samples"] > 50


def test_folder_with_main(hasten: Hasten, interpreter: Interpreter, tmp_path: Path) -> None:
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "__main__.py").write_text("import sys; print(sys.argv, sys.path[0])\n")
    expected = plain(interpreter, folder, "x")
    outcome = hasten.run(interpreter, folder, "x")
    assert (outcome.code, outcome.out) == (0, expected.stdout)


def test_missing_script(hasten: Hasten, interpreter: Interpreter, tmp_path: Path) -> None:
    outcome = hasten.run(interpreter, tmp_path / "no-such-script.py")
    assert outcome.code != 0
    assert "no-such-script.py" in outcome.err


def test_syntax_error_looks_as_in_python(
    hasten: Hasten, interpreter: Interpreter, tmp_path: Path
) -> None:
    script = tmp_path / "wrong.py"
    script.write_text("def f(:\n    pass\n")
    expected = plain(interpreter, script)
    outcome = hasten.run(interpreter, script)
    assert outcome.code == expected.returncode == 1
    assert expected.stderr in outcome.err


def wait_for_line(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == line


def test_signals_reach_the_program(hasten: Hasten, interpreter: Interpreter) -> None:
    path = hasten.new_path()
    process = hasten.start("run", "--python", interpreter.path, target("signals.py"), 60, path=path)
    wait_for_line(process, "ready\n")
    process.send_signal(signal.SIGUSR1)
    wait_for_line(process, "usr1\n")
    process.send_signal(signal.SIGTERM)
    outcome = hasten.finish(process, path)
    assert outcome.code == 9
    assert "term\n" in outcome.out
    outcome.recording.check_consistency()


def test_interrupt_at_the_terminal(hasten: Hasten, interpreter: Interpreter) -> None:
    leader, follower = pty.openpty()
    path = hasten.new_path()
    process = hasten.start(
        "run",
        "--python",
        interpreter.path,
        target("endings.py"),
        60,
        path=path,
        stdin=follower,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(follower)
    wait_for_line(process, "begins\n")
    time.sleep(0.5)
    os.write(leader, b"\x03")
    outcome = hasten.finish(process, path)
    os.close(leader)
    assert as_shell(outcome.code) == 130
    assert outcome.err.count("KeyboardInterrupt") == 1
    assert outcome.recording.functions["until_the_end"]["samples"] > 50


def test_program_on_a_terminal(hasten: Hasten, interpreter: Interpreter) -> None:
    leader, follower = pty.openpty()
    path = hasten.new_path()
    process = hasten.start(
        "run",
        "--python",
        interpreter.path,
        target("echo.py"),
        path=path,
        stdin=follower,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    text = b""
    os.write(leader, b"typed\n\x04")
    try:
        while chunk := os.read(leader, 4096):
            text += chunk
    except OSError:  # how a closed terminal reads
        pass
    assert process.wait(PATIENCE_S) == 0
    os.close(leader)
    lines = text.decode().replace("\r\n", "\n").splitlines()
    facts = next(json.loads(line) for line in lines if line.startswith("{"))
    assert facts["tty"] == [True, True, True]
    assert lines.count("typed") >= 1


def test_duration_ends_the_look_not_the_program(hasten: Hasten, interpreter: Interpreter) -> None:
    outcome = hasten.run(interpreter, target("shares.py"), 1.5, options=("-d", "0.5"))
    assert outcome.code == 0
    assert outcome.told["seconds"] >= 1.5
    assert 0.2 < float(outcome.report["duration_s"]) < 1.2


def test_recording_folder_is_missing(
    hasten: Hasten, interpreter: Interpreter, tmp_path: Path
) -> None:
    path = tmp_path / "missing" / "x.hasten"
    process = hasten.start("run", "--python", interpreter.path, "-c", "print(1)", path=path)
    outcome = hasten.finish(process, path)
    assert outcome.code != 0
    assert "missing" in outcome.err


def test_not_python(hasten: Hasten) -> None:
    path = hasten.new_path()
    process = hasten.start("run", "--", "/bin/sh", "-c", "echo here; exit 5", path=path)
    outcome: Outcome = hasten.finish(process, path)
    assert outcome.out == "here\n"
    assert outcome.code == 5
