# SPDX-License-Identifier: MIT
"""hasten bench: what it measures, what it says, and how it fails. Only differences of
many times are expected to be seen: nothing here depends on how fast the machine is."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hasten_command import Hasten, wait_until

SLOW = "sum(range(3000))"
FAST = "sum(range(100))"
FILE = """\
import asyncio

def bench_plain():
    return sum(range(1000))

def bench_sized(count):
    return sorted(range(count))

bench_sized.params = [10, 500]

def bench_fresh(numbers, more):
    assert numbers == [3, 1, 2], numbers
    numbers.sort()

bench_fresh.setup = lambda: ([3, 1, 2], "more")

async def bench_waiting():
    await asyncio.sleep(0)
    return 1

def not_one():
    raise SystemError

BENCH = 1
"""


def bench(hasten: Hasten, *arguments: object, **more: object) -> dict:
    result = hasten("bench", "--json", "--python", sys.executable, *arguments, **more)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_statement(hasten: Hasten) -> None:
    answer = bench(hasten, "--budget", "1", "-s", "x = 1", "-s", "y = 2", "x + y", "x - y")
    (entry,) = answer["benchmarks"]
    side = entry["a"]
    assert entry["name"] == "x + y;x - y"
    assert "ratio" not in entry and "ratio" not in answer
    assert 0 < side["least_s"] <= side["median_s"] < 1
    assert side["interval_s"][0] <= side["median_s"] <= side["interval_s"][1]
    assert side["processes"] == entry["rounds"] >= 1
    assert side["blocks"] >= 2 and side["executions_per_block"] > 10
    assert answer["gc"] is False and answer["budget_s"] == 1


def test_slower_and_faster_are_told_apart(hasten: Hasten) -> None:
    slower = bench(hasten, "--budget", "10", FAST, "--vs", SLOW)
    assert slower["verdict"] == "slower"
    (entry,) = slower["benchmarks"]
    assert len(entry["round_ratios"]) == entry["rounds"]
    assert min(entry["round_ratios"]) <= slower["ratio"] <= max(entry["round_ratios"])
    assert 5 < slower["interval"][0] <= slower["ratio"] <= slower["interval"][1]
    assert slower["benchmarks"][0]["p"] < 0.05
    assert slower["benchmarks"][0]["same_results"] is False
    faster = hasten("bench", "--python", sys.executable, "--budget", "10", SLOW, "--vs", FAST)
    assert "B is faster: it takes 9" in faster.stdout
    assert "A and B do not return the same" in faster.stdout


def test_calibration_is_not_misled_by_one_side(hasten: Hasten) -> None:
    """A's first blocks take thrice as long, as if another program had run beside them."""
    setup = [
        "import itertools, sys",
        # The setup runs before each block. A side by itself is calibrated in fewer.
        "is_slow = next(sys.__dict__.setdefault('blocks', itertools.count())) < 14",
        "def work(side):",
        "    for _ in range(600 if is_slow and side == 'a' else 200): pass",
    ]
    command = ["--budget", "1", "-s", "\n".join(setup), "work('a')", "--vs", "work('b')"]
    (entry,) = bench(hasten, *command)["benchmarks"]
    assert entry["a"]["executions_per_block"] == entry["b"]["executions_per_block"]


def test_functions_of_a_file(hasten: Hasten) -> None:
    path = hasten.script("benchmarks.py", FILE)
    answer = bench(hasten, "--budget", "0.3", path.name)
    names = [entry["name"] for entry in answer["benchmarks"]]
    assert names == [
        "bench_plain", "bench_sized[10]", "bench_sized[500]", "bench_fresh", "bench_waiting"
    ]  # fmt: skip
    times = {entry["name"]: entry["a"]["least_s"] for entry in answer["benchmarks"]}
    assert times["bench_sized[500]"] > 3 * times["bench_sized[10]"]


def test_file_against_another(hasten: Hasten) -> None:
    one = hasten.script("one.py", "def bench_f():\n    return sum(range(5000))\n")
    hasten.script("two.py", "def bench_f():\n    return 1\n")
    answer = bench(hasten, "--budget", "10", one.name, "--vs", "two.py")
    (entry,) = answer["benchmarks"]
    assert answer["verdict"] == entry["verdict"] == "faster"
    assert [entry["a"]["label"], entry["b"]["label"]] == ["bench_f", "bench_f (two.py)"]


def test_environment_and_interpreter_of_a_side(hasten: Hasten) -> None:
    setup = "import os, sys; n = 5000 if os.environ.get('WHICH') == 'slow' else 1"
    answer = bench(
        hasten, "--budget", "10", "-s", setup, "sum(range(n))", "--vs-env", "WHICH=slow"
    )  # fmt: skip
    assert answer["verdict"] == "slower"
    assert answer["benchmarks"][0]["b"]["label"] == "sum(range(n)) (WHICH=slow)"
    path = hasten.folder / "other-python"
    path.write_text(f'#!/bin/sh\nWHICH=slow exec "{sys.executable}" "$@"\n')
    path.chmod(0o755)
    answer = bench(
        hasten, "--budget", "10", "-s", setup, "sum(range(n))", "--vs-python", f"./{path.name}"
    )  # fmt: skip
    assert answer["verdict"] == "slower"


def test_sides_of_a_round_have_the_same_hash_seed(hasten: Hasten) -> None:
    # Another seed each round, the same on both sides: results can be compared.
    answer = bench(hasten, "--budget", "1", "hash('x')", "--vs", "hash('x') + 0")
    assert answer["benchmarks"][0]["same_results"] is True
    answer = bench(hasten, "--budget", "1", "object()", "--vs", "object()")
    assert answer["benchmarks"][0]["same_results"] is None


def test_commands(hasten: Hasten) -> None:
    words = [sys.executable, "-S", "-c"]
    result = hasten(
        "bench", "--json", "--budget", "6", "--",
        *words, "import time; time.sleep(0.2)", "--vs", *words, "pass",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["verdict"] == "faster"
    side = answer["benchmarks"][0]["a"]
    assert side["least_s"] > 0.2
    assert side["peak_bytes"] > 1_000_000
    assert side["processes"] == side["blocks"] >= 6


def test_output_is_thrown_away_and_input_empty(hasten: Hasten) -> None:
    result = hasten(
        "bench", "--python", sys.executable, "--budget", "0.3",
        "import sys; print('noise'); assert sys.stdin.read() == ''",
    )  # fmt: skip
    assert result.returncode == 0
    assert "noise\n" not in result.stdout.replace("print('noise')", "")


def test_garbage_collector(hasten: Hasten) -> None:
    code = ["-s", "import gc", "assert gc.isenabled() is {}; x = []; x.append(x)"]
    off = [*code[:-1], code[-1].format(False)]
    on = [*code[:-1], code[-1].format(True)]
    assert bench(hasten, "--budget", "0.3", *off)["gc"] is False
    assert bench(hasten, "--budget", "0.3", "--gc", *on)["gc"] is True


def test_text_report(hasten: Hasten) -> None:
    result = hasten("bench", "--python", sys.executable, "--budget", "1", "pass")
    lines = result.stdout.splitlines()
    assert lines[0] == "pass"
    assert " (95 %: " in lines[1] and ", least " in lines[1] and " process" in lines[2]
    assert all(len(line) < 80 for line in lines)
    words = " ".join(result.stdout.split())
    # The second where the machine is so busy that there are few rounds.
    assert "cannot be seen here in this time" in words or "too few to say which" in words
    assert result.stderr == ""
    plain = hasten(
        "bench", "--python", sys.executable, "--budget", "0.5", "pass", env={"LC_ALL": "C"}
    )
    assert plain.stdout.isascii()


def test_several_comparisons_are_corrected(hasten: Hasten) -> None:
    hasten.script("many.py", "def bench_a(): pass\ndef bench_b(): pass\n")
    result = hasten(
        "bench", "--python", sys.executable, "--budget", "0.5", "many.py", "--vs-env", "A=1"
    )
    assert "Verdicts are corrected for 2 comparisons at once (Holm)." in result.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "hasten: bench: what shall be measured? `hasten help bench` shows how\n"),
        (["--budget", "x", "1"], "bench: --budget x: a time from 0.1 to 86400 seconds"),
        (["--margin", "99", "1"], "bench: --margin 99: a percentage from 0 to 50 is expected"),
        (["--vs-env", "=x", "1"], "bench: --vs-env =x: NAME=VALUE is expected"),
        (["--", "--vs", "true"], "bench: a command is missing before --vs"),
        (["--", "true", "--vs"], "bench: a command is missing after --vs"),
        (["-s", "x", "--", "true"], "bench: of commands only --vs-env, --vs-rev, and --vs"),
        (["--", "./no-such-command"], "bench: cannot run ./no-such-command: No such file"),
        (["--", "false"], "bench: false: exited with 1"),
        (["--", "sh", "-c", "kill -9 $$"], "bench: sh -c kill -9 $$: died of signal 9"),
        (["--python", "no-such-python", "1"], "bench: no interpreter no-such-python found"),
        (["--vs-python", "./nowhere", "1"], "bench: cannot run ./nowhere: No such file"),
        (["1 / 0"], "bench: 1 / 0 raised an exception\nTraceback"),
        (["(", "1"], "SyntaxError"),
        (["-s", "import no_such_module", "1"], "ModuleNotFoundError: No module named"),
        (["raise SystemExit(3)"], "SystemExit: 3"),
        (["import os; os._exit(0)"], "the process ended before its time"),
        (["import os; os.kill(os.getpid(), 9)"], "the process ended before its time"),
        (["nowhere.py"], "FileNotFoundError"),
        (["--timeout", "0.5", "while True: pass"], "did not come to an end in time"),
        (["--timeout", "0.5", "--", "sleep", "60"], "did not come to an end in time"),
    ],
)
def test_what_cannot_be_measured(hasten: Hasten, arguments: list[str], expected: str) -> None:
    if "--python" not in arguments and "--" not in arguments:
        arguments = ["--python", sys.executable, *arguments]
    result = hasten("bench", "--budget", "0.5", *arguments)
    assert result.returncode == 2
    assert expected in result.stderr
    assert result.stdout == ""


def test_one_that_fails_does_not_take_the_others_with_it(hasten: Hasten) -> None:
    hasten.script("some.py", "def bench_a(): pass\ndef bench_b(): 1 / 0\ndef bench_c(): pass\n")
    result = hasten("bench", "--json", "--python", sys.executable, "--budget", "0.2", "some.py")
    assert result.returncode == 2
    names = [entry["name"] for entry in json.loads(result.stdout)["benchmarks"]]
    assert names == ["bench_a", "bench_c"]
    assert "bench_b raised an exception" in result.stderr
    assert result.stderr.endswith("hasten: bench: 1 of 3 benchmarks could not be measured\n")


def test_standard_error_is_shown_where_it_fails(hasten: Hasten) -> None:
    words = ["bench", "--budget", "0.3", "--", "sh", "-c"]
    result = hasten(*words, "echo noise >&2")
    assert (result.returncode, result.stderr) == (0, "")
    result = hasten(*words, "for i in $(seq 9999); do echo line $i; done >&2; exit 3")
    assert result.returncode == 2
    assert result.stderr.endswith("line 9999\n")
    assert "exited with 3" in result.stderr and len(result.stderr) < 5000
    code = "import os; os.write(2, b'last words'); os._exit(0)"
    result = hasten("bench", "--python", sys.executable, "--budget", "0.3", code)
    assert result.stderr.endswith("last words\n")


def test_file_without_benchmarks(hasten: Hasten) -> None:
    hasten.script("empty.py", "def bench(): pass\n")
    result = hasten("bench", "--python", sys.executable, "empty.py")
    assert result.returncode == 2
    assert result.stderr == "hasten: bench: empty.py has no functions named bench_*\n"


def test_too_many_benchmarks(hasten: Hasten) -> None:
    hasten.script("bench_many.py", "def bench_f(n): pass\nbench_f.params = range(1001)\n")
    for verb, words in (("bench", ["bench_many.py"]), ("check", ["--record", "bench_many.py"])):
        result = hasten(verb, "--python", sys.executable, *words)
        assert result.returncode == 2
        assert result.stderr == (
            f"hasten: {verb}: more than 1000 benchmarks; fewer values in `params` are fewer "
            "benchmarks\n"
        )


def test_exception_shows_the_users_frames_only(hasten: Hasten) -> None:
    hasten.script("fails.py", "def helper():\n    return {}['x']\ndef bench_f():\n    helper()\n")
    result = hasten("bench", "--python", sys.executable, "fails.py")
    assert result.returncode == 2
    assert "in helper\n    return {}['x']" in result.stderr
    assert "<string>" not in result.stderr
    assert "KeyError: 'x'" in result.stderr


def children_of(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


lists_children = pytest.mark.skipif(
    not Path(f"/proc/self/task/{os.getpid()}/children").exists(),
    reason="the kernel does not list children",
)


@lists_children
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_behind(hasten: Hasten, number: signal.Signals) -> None:
    process = hasten.start(
        "bench", "--python", sys.executable, "--budget", "60", "while True: pass"
    )
    wait_until(lambda: children_of(process.pid), "the side's process")
    children = children_of(process.pid)
    process.send_signal(number)
    assert process.wait(60) == -number
    wait_until(lambda: not any(is_running(child) for child in children), "its end")


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X")


def test_full_output_is_a_failure(hasten: Hasten) -> None:
    with open("/dev/full", "w") as full:
        result = hasten(
            "bench", "--python", sys.executable, "--budget", "0.3", "pass",
            stdout=full, stderr=subprocess.PIPE, capture_output=False,
        )  # fmt: skip
    assert result.returncode == 1
    assert "cannot write to standard output" in result.stderr


# Notes on how many processors it may run; a second thread where it is asked for.
AFFINITY = """\
import os, threading

if os.environ.get("THREADED"):
    threading.Thread(target=threading.Event().wait, daemon=True).start()

def bench_affinity():
    with open("seen", "a") as file:
        file.write(f"{len(os.sched_getaffinity(0))}\\n")
"""


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one processor")
@lists_children
@pytest.mark.parametrize("threaded", [False, True])
def test_one_processor_for_one_thread_only(hasten: Hasten, threaded: bool) -> None:
    hasten.script("affinity.py", AFFINITY)
    env = {"THREADED": "1"} if threaded else {}
    bench(hasten, "--budget", "1", "affinity.py", env=env)
    seen = (hasten.folder / "seen").read_text().split()
    everywhere = str(len(os.sched_getaffinity(0)))
    # The first execution of a process is before it is put anywhere.
    assert seen[0] == everywhere
    assert set(seen) == {everywhere} if threaded else seen.count("1") > len(seen) // 2


def test_one_slow_execution_does_not_make_a_block(hasten: Hasten) -> None:
    """The first one is looked at, and not timed: the second seems slow."""
    hasten.script(
        "late.py",
        "import time\ncalls = 0\ndef bench_f():\n"
        "    global calls\n    calls += 1\n    if calls == 2: time.sleep(0.03)\n",
    )
    result = hasten(
        "bench", "--json", "--no-memory", "--python", sys.executable, "--budget", "0.5", "late.py"
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["benchmarks"][0]["a"]["executions_per_block"] > 1
