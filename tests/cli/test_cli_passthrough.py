# SPDX-License-Identifier: MIT
"""`hasten run` is not noticed by the program: what it gets and gives is python's own."""

import json
import os
import pty
import resource
import signal
import subprocess
from pathlib import Path

import pytest
from hasten_command import HASTEN, PATIENCE_S, Hasten, environment, wait_until

STATE = """
import json, os, signal, sys
numbers = [n for n in range(1, 32) if n not in (signal.SIGKILL, signal.SIGSTOP)]
status = open("/proc/self/status").read()
print(json.dumps({
    "argv": sys.argv,
    "path0": sys.path[0],
    "name": __name__,
    "file": globals().get("__file__"),
    "cwd": os.getcwd(),
    "executable": sys.executable,
    "flags": str(sys.flags),
    "environment": dict(os.environ),
    "descriptors": sorted(os.listdir("/proc/self/fd"))[:-1],
    "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "signals": [line for line in status.splitlines() if line.startswith(("SigIgn", "SigCgt"))],
    "group": os.getpgrp(),
    "traced": [line for line in status.splitlines() if line.startswith("TracerPid")],
    "nice": os.nice(0),
    "limits": [__import__("resource").getrlimit(n) for n in range(10)],
}))
"""
# The shell's own traces differ between the two; everything else must not.
OWN = {"group"}


def state(result: "subprocess.CompletedProcess[str]") -> dict[str, object]:
    assert result.returncode == 0, result.stderr
    return {key: value for key, value in json.loads(result.stdout).items() if key not in OWN}


def alone(hasten: Hasten, *arguments: object, **more: object) -> "subprocess.CompletedProcess[str]":
    options = {"cwd": hasten.folder, "env": environment(), "stdin": subprocess.DEVNULL} | more
    command = [hasten.python, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, **options
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["state.py"],
        ["state.py", "-x", "--", "--rate", "", "a b", "-c"],
        ["./folder/state.py", "-m"],
        ["-m", "state", "--help", "--"],
        ["-c", STATE, "--", "-o", "x"],
        ["package", "x"],
    ],
)
def test_the_program_sees_what_it_would_see(hasten: Hasten, arguments: list[str]) -> None:
    hasten.script("state.py", STATE)
    for folder in ("folder", "package"):
        (hasten.folder / folder).mkdir()
    (hasten.folder / "folder" / "state.py").write_text(STATE)
    (hasten.folder / "package" / "__main__.py").write_text(STATE)
    recording = hasten.folder / "out.hasten"
    watched = state(hasten.run("-o", recording, *arguments))
    assert watched == state(alone(hasten, *arguments))
    assert recording.stat().st_size > 0


def test_ignored_signals_stay_ignored(hasten: Hasten) -> None:
    """As after nohup, or in the background of a script."""

    def ignore() -> None:
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])

    script = hasten.script("state.py", STATE)
    watched = state(hasten.run(script, preexec_fn=ignore))
    assert watched == state(alone(hasten, script, preexec_fn=ignore))
    assert watched["mask"] == [signal.SIGUSR2]


def test_a_command_is_run_as_it_is(hasten: Hasten) -> None:
    result = hasten("run", "--no-report", "--", "sh", "-c", 'printf "%s|" "$0" "$@"', "-o", "a b")
    assert (result.returncode, result.stdout) == (0, "-o|a b|")
    assert (hasten.folder / "sh.hasten").exists()


@pytest.mark.parametrize("code", [0, 1, 2, 3, 126, 127, 255])
def test_exit_status(hasten: Hasten, code: int) -> None:
    assert hasten.run("-c", f"raise SystemExit({code})").returncode == code


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGINT]
)
def test_death_by_signal(hasten: Hasten, number: signal.Signals) -> None:
    code = f"import os; os.kill(os.getpid(), {number})"
    if number != signal.SIGKILL:
        code = f"import signal; signal.signal({number}, signal.SIG_DFL); {code}"
    result = hasten.run("-o", "x.hasten", "-c", code)
    assert result.returncode == -number
    assert not list(hasten.folder.glob("core*"))


def test_streams(hasten: Hasten) -> None:
    script = hasten.script(
        "copy.py",
        "import sys, shutil\n"
        "shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)\n"
        "sys.stderr.write('to stderr')\n",
    )
    data = "line\n" * 100_000
    result = hasten("run", "--python", hasten.python, script, input=data)
    assert result.returncode == 0
    assert result.stdout == data  # the report is on standard error only
    assert result.stderr.startswith("to stderr")
    assert "hasten" in result.stderr
    quiet = hasten.run(script, input=data)
    assert (quiet.stdout, quiet.stderr) == (data, "to stderr")


def test_tracebacks(hasten: Hasten) -> None:
    script = hasten.script("fails.py", "def f():\n    raise ValueError('x')\nf()\n")
    watched, plain = hasten.run("fails.py"), alone(hasten, "fails.py")
    assert script.exists()
    assert (watched.returncode, watched.stderr) == (1, plain.stderr)


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT]
)
def test_signals_are_forwarded(hasten: Hasten, number: signal.Signals) -> None:
    """What is sent to hasten alone is for the program."""
    hasten.script(
        "catch.py",
        "import signal, sys\n"
        f"signal.signal({number}, lambda *_: sys.exit(42))\n"
        "print('ready', flush=True)\n"
        "while True: signal.pause()\n",
    )
    process = hasten.start(
        "run", "--python", hasten.python, "--no-report", "catch.py", start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert process.wait(PATIENCE_S) == 42


def start_in_terminal(hasten: Hasten, *arguments: str) -> tuple[int, int]:
    """hasten in a session of its own with a terminal: its pid and the terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(hasten.folder)
        os.execve(HASTEN, [HASTEN, *arguments], environment(COLUMNS="80"))
    return pid, terminal


def read_until(terminal: int, text: bytes) -> bytes:
    seen = b""
    while text not in seen:
        try:
            more = os.read(terminal, 65536)
        except OSError:  # the last process of the terminal ended
            break
        if not more:
            break
        seen += more
    assert text in seen, seen
    return seen


def test_ctrl_c_in_a_terminal(hasten: Hasten) -> None:
    """It reaches the program once; hasten reports what there is and ends the same way."""
    # The report may show any line of it: none has the words that are counted.
    hasten.script(
        "loop.py",
        "import time\n"
        "try:\n    print('ready', flush=True)\n    while True: time.sleep(0.01)\n"
        "except BaseException:\n"
        "    print('inter' + 'rupted', flush=True)\n    time.sleep(0.3)\n    raise\n",
    )
    pid, terminal = start_in_terminal(hasten, "run", "--python", hasten.python, "loop.py")
    read_until(terminal, b"ready")
    os.write(terminal, b"\x03")
    seen = read_until(terminal, b"shows this again")
    # Once as a line of its own: the report may show the source of the line that prints it.
    assert seen.count(b"interrupted\r\n") == 1
    assert seen.count(b"KeyboardInterrupt") == 1
    assert b"loop.py" in seen
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGINT
    os.close(terminal)


def process_state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_stop_and_continue(hasten: Hasten) -> None:
    """Ctrl-Z stops both; after fg both go on."""
    hasten.script(
        "stop.py",
        "import os, time\nprint(os.getpid(), flush=True)\n"
        "while not os.path.exists('go'): time.sleep(0.01)\nraise SystemExit(7)\n",
    )
    process = hasten.start(
        "run", "--python", hasten.python, "--no-report", "stop.py", process_group=0
    )
    assert process.stdout is not None
    child = int(process.stdout.readline())
    os.killpg(process.pid, signal.SIGTSTP)
    wait_until(lambda: process_state(child) == "T", "the program to stop")
    wait_until(lambda: process_state(process.pid) == "T", "hasten to stop")
    os.killpg(process.pid, signal.SIGCONT)
    (hasten.folder / "go").touch()
    assert process.wait(PATIENCE_S) == 7


def test_the_program_outlives_hasten(hasten: Hasten) -> None:
    hasten.script(
        "live.py",
        "import os, time\nprint(os.getpid(), flush=True)\n"
        "while not os.path.exists('go'): time.sleep(0.01)\nopen('done', 'w').close()\n",
    )
    process = hasten.start("run", "--python", hasten.python, "-o", "live.hasten", "live.py")
    assert process.stdout is not None
    process.stdout.readline()
    wait_until(lambda: (hasten.folder / "live.hasten").stat().st_size > 1000, "some samples")
    process.kill()
    process.wait(PATIENCE_S)
    (hasten.folder / "go").touch()
    wait_until((hasten.folder / "done").exists, "the program to finish")
    result = hasten("report", "live.hasten")
    assert result.returncode == 0, result.stderr
    assert "This recording was not finished" in result.stdout
    assert "live.py" in result.stdout


def test_a_full_disk_does_not_touch_the_program(hasten: Hasten) -> None:
    hasten.script(
        "wide.py",
        "import time\n"
        "code = ''.join(f'def f{i}():\\n    time.sleep(0.0005)\\n' for i in range(3000))\n"
        "exec(code)\n"
        "for i in range(3000): globals()[f'f{i}']()\n"
        "raise SystemExit(5)\n",
    )

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    result = hasten(
        "run",
        "--python",
        hasten.python,
        "-o",
        "w.hasten",
        "-r",
        "5000",
        "wide.py",
        preexec_fn=limit,
    )
    assert result.returncode == 5
    assert result.stderr.count("sampling stopped") == 1, result.stderr
    assert "the program goes on" in result.stderr
    assert "wide.py" in hasten("report", "w.hasten").stdout
