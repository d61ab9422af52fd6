# SPDX-License-Identifier: MIT
"""`hasten attach`: from outside, until something ends it."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hasten_command import HASTEN, PATIENCE_S, Hasten, environment, wait_until

LOOP = "import time\nprint('ready', flush=True)\ndef loop():\n    while True: pass\nloop()\n"


@pytest.fixture
def target(hasten: Hasten) -> Iterator[subprocess.Popen[str]]:
    hasten.script("loop.py", LOOP)
    command = [hasten.python, "loop.py"]
    with subprocess.Popen(command, cwd=hasten.folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def functions(hasten: Hasten, path: str) -> list[str]:
    answer = hasten("report", "--json", path)
    assert answer.returncode == 0, answer.stderr
    return [row["name"] for row in json.loads(answer.stdout)["functions"]]


def test_for_a_time(hasten: Hasten, target: "subprocess.Popen[str]") -> None:
    result = hasten("attach", "-d", "0.5", target.pid)
    assert result.returncode == 0, result.stderr
    assert "is spent in loop (loop.py:4)" in result.stderr
    name = f"pid-{target.pid}.hasten"
    assert result.stderr.endswith(
        f"hasten: recorded in {name}; `hasten report {name}` shows this again\n"
    )
    assert "loop" in functions(hasten, name)
    assert target.poll() is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_until_interrupted(
    hasten: Hasten, target: "subprocess.Popen[str]", number: signal.Signals
) -> None:
    process = hasten.start("attach", "-o", "x.hasten", target.pid)
    path = hasten.folder / "x.hasten"
    wait_until(lambda: path.exists() and path.stat().st_size > 300, "some samples")
    process.send_signal(number)
    process.send_signal(signal.SIGINT)  # a second one costs nothing
    assert process.wait(PATIENCE_S) == 0
    assert "loop" in functions(hasten, "x.hasten")
    assert target.poll() is None


def test_until_the_process_ends(hasten: Hasten, target: "subprocess.Popen[str]") -> None:
    process = hasten.start("attach", "-o", "x.hasten", target.pid)
    path = hasten.folder / "x.hasten"
    wait_until(lambda: path.exists() and path.stat().st_size > 300, "some samples")
    target.kill()
    target.wait(PATIENCE_S)
    assert process.wait(PATIENCE_S) == 0
    assert "loop" in functions(hasten, "x.hasten")


def test_no_such_process(hasten: Hasten) -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    result = hasten("attach", gone.pid)
    assert result.stderr == f"hasten: cannot attach to {gone.pid}: there is no such process\n"
    assert result.returncode == 1
    assert not list(hasten.folder.iterdir())


def test_not_python(hasten: Hasten) -> None:
    with subprocess.Popen(["sleep", "100"]) as other:
        result = hasten("attach", other.pid)
        other.kill()
    assert result.returncode == 1
    assert result.stderr.startswith(f"hasten: cannot attach to {other.pid}: ")
    assert "sleep" in result.stderr
    assert not list(hasten.folder.iterdir())


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter and write, with hasten in it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o777)
        shutil.copy(HASTEN, folder / "hasten")
        yield folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_no_permission(open_folder: Path, target: "subprocess.Popen[str]") -> None:
    result = subprocess.run(
        [open_folder / "hasten", "attach", str(target.pid)],
        cwd=open_folder, user=65534, group=65534, extra_groups=[], env=environment(),
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert result.returncode == 1
    assert result.stderr.startswith(f"hasten: cannot attach to {target.pid}: ")
    assert "sudo" in result.stderr
    assert [path.name for path in open_folder.iterdir()] == ["hasten"]
