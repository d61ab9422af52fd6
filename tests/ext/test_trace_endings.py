# SPDX-License-Identifier: MIT
"""hasten run --trace: whatever way a process ends, and whatever becomes of the files, the
calls until then are there."""

import json
import os
import signal
import subprocess
import sys
import time

import hasten
import hasten.pstats
import pytest
from traced import HASTEN, calls, run


@pytest.mark.parametrize("how", ["KILL", "TERM"])
def test_killed_from_outside(tmp_path, how):
    script = tmp_path / "app.py"
    script.write_text(
        "def step(): pass\n"
        "def main():\n"
        "    print('runs', flush=True)\n"
        "    while True: step()\n"
        "main()\n"
    )
    recording = tmp_path / "app.hasten"
    command = [*HASTEN, "run", "--trace", "--no-report", "--python", sys.executable]
    started = subprocess.Popen(
        [*command, "-o", str(recording), str(script)], stdout=subprocess.PIPE, text=True
    )
    assert started.stdout.readline() == "runs\n"
    parts = []
    deadline = time.monotonic() + 30
    while not parts and time.monotonic() < deadline:
        parts = list(tmp_path.glob("app.hasten.*/*.part"))
        time.sleep(0.05)
    # It grows: what is counted is written every half second.
    size = parts[0].stat().st_size
    while parts[0].stat().st_size == size and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(int(parts[0].name.split("-")[0]), getattr(signal, f"SIG{how}"))
    started.communicate(timeout=30)
    assert started.returncode == -getattr(signal, f"SIG{how}")
    report = json.loads(run(*HASTEN, "report", "--json", recording).stdout)
    rows = {f["name"]: f for f in report["functions"]}
    assert rows["step"]["calls"] > 1000
    assert rows["main"]["calls"] == 1  # it never ended
    assert rows["main"]["total_s"] > rows["step"]["total_s"]
    assert report["facts"]["trace.cut"] == "1"
    assert "ended from outside" in run(*HASTEN, "report", recording).stdout


# Where there is no space: functions whose names do not compress, a few at a time.
FILLS = """
import glob, os, time
folder = os.environ["HASTEN_TRACE"].split(":", 2)[2]
def fill():
    end = time.monotonic() + 30
    while not glob.glob(f"{folder}/{os.getpid()}-*.full.part") and time.monotonic() < end:
        names = {}
        name = "f" + os.urandom(400).hex()
        exec(f"def {name}(): pass\\n{name}()", names)
        time.sleep(0.005)
"""
LIMIT = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
"""


def test_process_without_space(tmp_path):
    """The program goes on, its part is read as far as it came, and the report says why."""
    script = tmp_path / "app.py"
    script.write_text(LIMIT + FILLS + "fill(); print('done')\n")
    recording = tmp_path / "app.hasten"
    command = [*HASTEN, "run", "--trace", "--no-report", "--python", sys.executable]
    done = run(*command, "-o", recording, script)
    assert (done.returncode, done.stdout) == (0, "done\n")
    assert "1 of the program's processes found no space left" in done.stderr
    report = json.loads(run(*HASTEN, "report", "--json", recording).stdout)
    assert report["facts"]["trace.full"] == "1"
    assert "trace.cut" not in report["facts"]
    assert calls(report)["fill"] == 1
    shown = " ".join(run(*HASTEN, "report", recording).stdout.split())
    assert "Free some space" in shown
    assert "ended from outside" not in shown


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_recording_without_space(tmp_path):
    """Nor the command has any: what there is stays, and is named."""
    script = tmp_path / "app.py"
    script.write_text(
        FILLS
        + "for _ in range(2):\n"
        + "    if os.fork() == 0:\n"
        + "        fill()\n"
        + "        os._exit(0)\n"
        + "fill()\n"
        + "for _ in range(2): os.wait()\n"
        + "raise SystemExit(3)\n"
    )
    recording = tmp_path / "app.hasten"
    command = [*HASTEN, "run", "--trace", "--no-report", "--python", sys.executable]
    limit = "import os, sys; exec(sys.argv[1]); os.execv(sys.argv[2], sys.argv[2:])"
    done = run(sys.executable, "-c", limit, LIMIT, *command, "-o", recording, script)
    assert done.returncode == 3
    assert "3 of the program's processes found no space left" in done.stderr
    assert "File too large" in done.stderr
    parts = list(tmp_path.glob("app.hasten.*/*.part"))
    assert [part.name.split(".")[1:] for part in parts] == [["full", "part"]] * 3
    assert f"its parts stay in {parts[0].parent}" in done.stderr
    for part in parts:
        report = json.loads(run(*HASTEN, "report", "--json", part).stdout)
        assert calls(report)["fill"] == 1


def test_command_killed(tmp_path):
    """The parts stay, and are recordings."""
    script = tmp_path / "app.py"
    script.write_text(
        "import os, time\n"
        "def step(): pass\n"
        "end = time.monotonic() + 1\n"
        "while time.monotonic() < end: step()\n"
        "os.kill(os.getppid(), 9)\n"
    )
    recording = tmp_path / "app.hasten"
    command = [*HASTEN, "run", "--trace", "--no-report", "--python", sys.executable]
    started = subprocess.Popen([*command, "-o", str(recording), str(script)])
    assert started.wait(60) == -signal.SIGKILL
    deadline = time.monotonic() + 30
    report = {"complete": False}
    while not report["complete"] and time.monotonic() < deadline:
        (part,) = tmp_path.glob("app.hasten.*/*[0-9]-[0-9].part")
        shown = run(*HASTEN, "report", "--json", part)
        report = json.loads(shown.stdout) if shown.returncode == 0 else report
        time.sleep(0.05)
    assert calls(report)["step"] > 1000
    assert calls(report)["<module>"] == 1


def test_exit_status_output_and_traceback_are_the_programs(tmp_path):
    script = tmp_path / "app.py"
    script.write_text(
        "import atexit, sys\n"
        "def last(): print('last')\n"
        "atexit.register(last)\n"
        "print(sys.argv[1:], sys.stdin.read())\n"
        "def fail(): raise ValueError('x')\n"
        "fail()\n"
    )
    plain = run(sys.executable, script, "-m", "a b", input="in")
    recording = tmp_path / "app.hasten"
    command = [*HASTEN, "run", "--trace", "--no-report", "--python", sys.executable]
    traced = run(*command, "-o", recording, script, "-m", "a b", input="in")
    assert (traced.returncode, traced.stdout, traced.stderr) == (
        (plain.returncode, plain.stdout, plain.stderr)
    )
    assert hasten.open(recording).facts["exit.status"] == "1"
    stats = hasten.pstats.Stats(str(recording)).stats
    assert stats[(str(script), 2, "last")][:2] == (1, 1)
