# SPDX-License-Identifier: MIT
"""hasten run --trace: every call is counted, in every thread and process, whatever way a
process ends, and the program does not notice."""

import ast
import json
import marshal
import os
import pstats
import signal
import subprocess
import sys
import time
from pathlib import Path

import hasten
import hasten.pstats
import pytest

HERE = Path(__file__).resolve().parent
HASTEN = [sys.executable, "-m", "hasten"]


def run(*command, **options):
    options = {"capture_output": True, "text": True, "timeout": 60} | options
    return subprocess.run([str(word) for word in command], check=False, **options)


@pytest.fixture
def trace(tmp_path):
    """Traces a program given as text; answers what it printed and the report."""

    def start(text, *options, expect=0, **keywords):
        script = tmp_path / "app.py"
        script.write_text(text)
        recording = tmp_path / "app.hasten"
        command = [*HASTEN, "run", "--trace", "--python", sys.executable, "--no-report"]
        done = run(*command, *options, "-o", recording, script, **keywords)
        assert done.returncode == expect, done.stderr
        shown = run(*HASTEN, "report", "--json", recording)
        assert shown.returncode == 0, shown.stderr
        assert not list(tmp_path.glob("app.hasten.*")), "parts are removed"
        return done, json.loads(shown.stdout)

    return start


def calls(report, file="app.py"):
    """Numbers of calls by function of one file."""
    return {
        function["name"]: function["calls"]
        for function in report["functions"]
        if Path(function["file"]).name == file
    }


# The same as cProfile.

# Where recursion ends depends on how deep the stack was before; threads and profilers
# are what cProfile does not do.
NOT_COMPARED = {
    "recursion_to_the_limit",
    "globals_of_another_thread",
    "switched_in_the_middle",
    "cleared_in_the_middle",
    "stopped_inside",
    "results_in_the_middle",
    "thread_that_outlives",
    "threads",
}
DRIVER = f"""
import gc, sys
sys.path.insert(0, {str(HERE.parent / "targets")!r})
import profiled_programs
gc.disable()
for name, program in profiled_programs.PROGRAMS.items():
    if name not in {NOT_COMPARED!r}:
        program(None)
"""


def program_edges(path, ambiguous):
    """Counts of the programs' functions and of what they call, by label. Of several
    functions on one line with one name cProfile keeps the last; they are left out."""
    with open(path, "rb") as file:
        stats = marshal.load(file)

    def is_program(label):
        return label[0].endswith("profiled_programs.py") and label not in ambiguous

    rows = {label: row[:2] for label, row in stats.items() if is_program(label)}
    edges = {
        (caller, callee): edge[:2]
        for callee, row in stats.items()
        for caller, edge in row[4].items()
        if is_program(caller) and callee not in ambiguous
    }
    return rows, edges


@pytest.mark.parametrize("builtins", [True, False])
def test_counts_are_those_of_cprofile(tmp_path, builtins):
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    ours, theirs = tmp_path / "ours.pstats", tmp_path / "theirs.pstats"
    recording = tmp_path / "app.hasten"
    options = [] if builtins else ["--no-builtins"]
    done = run(
        *(*HASTEN, "run", "--trace", "--no-report", "--python", sys.executable),
        *(*options, "-o", recording, script),
    )
    assert done.returncode == 0, done.stderr
    assert run(*HASTEN, "export", "-o", ours, recording).returncode == 0
    reference = (
        "import cProfile, collections\nfrom hasten.cProfile import label\n"
        "profile = cProfile.Profile()\n"
        f"code = compile({DRIVER!r}, 'driver', 'exec')\n"
        f"profile.enable(builtins={builtins})\n"
        "exec(code)\n"
        "profile.disable()\n"
        f"profile.dump_stats({str(theirs)!r})\n"
        "labels = collections.Counter(label(e.code) for e in profile.getstats())\n"
        "print([label for label, count in labels.items() if count > 1])\n"
    )
    done = run(sys.executable, "-c", reference)
    assert done.returncode == 0, done.stderr
    ambiguous = ast.literal_eval(done.stdout.splitlines()[-1])
    our_rows, our_edges = program_edges(ours, ambiguous)
    rows, edges = program_edges(theirs, ambiguous)
    assert len(rows) > 50
    assert our_rows == rows
    assert our_edges == edges


def test_no_builtins(trace):
    _, report = trace("for _ in range(5): len('')\n", "--no-builtins")
    assert not [function for function in report["functions"] if function["file"] == "~"]
    _, report = trace("for _ in range(5): len('')\n")
    found = {f["name"]: f["calls"] for f in report["functions"] if f["file"] == "~"}
    assert found["<built-in method builtins.len>"] >= 5


def test_recursion_and_times(trace):
    _, report = trace(
        "import time\n"
        "def inner(n):\n"
        "    if n: inner(n - 1)\n"
        "    else: time.sleep(0.05)\n"
        "def outer(): inner(9)\n"
        "outer()\n"
    )
    rows = {f["name"]: f for f in report["functions"] if f["file"].endswith("app.py")}
    assert (rows["inner"]["calls"], rows["inner"]["primitive_calls"]) == (10, 1)
    assert 0.05 <= rows["inner"]["total_s"] <= rows["outer"]["total_s"]
    assert rows["outer"]["total_s"] <= rows["<module>"]["total_s"]
    assert rows["inner"]["self_s"] < 0.05  # the sleep is time.sleep's
    assert report["time"]["calls"] == sum(f["calls"] for f in report["functions"])


# Threads and processes.

THREADS = """
import threading, _thread, time
def work(n):
    for _ in range(n): step()
def step(): pass
threads = [threading.Thread(target=work, args=(100 * i,), name=f"number {i}") for i in (1, 2, 3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
work(7)
"""


def test_threads_have_stacks_and_names_of_their_own(trace):
    _, report = trace(THREADS)
    assert calls(report)["step"] == 607
    assert calls(report)["work"] == 4
    by_name = {thread["name"]: thread for thread in report["threads"]}
    assert {"number 1", "number 2", "number 3"} <= set(by_name)
    assert sum(thread["is_main"] for thread in report["threads"]) == 1
    assert 300 <= by_name["number 3"]["calls"] < 400 + by_name["number 2"]["calls"]


def test_threads_that_interleave(trace):
    _, report = trace(
        "import sys, threading\n"
        "sys.setswitchinterval(1e-5)\n"
        "def down(n):\n"
        "    return 0 if n == 0 else 1 + down(n - 1)\n"
        "def work():\n"
        "    for _ in range(300): down(20)\n"
        "threads = [threading.Thread(target=work) for _ in range(8)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
    )
    rows = {f["name"]: f for f in report["functions"] if f["file"].endswith("app.py")}
    assert (rows["down"]["calls"], rows["down"]["primitive_calls"]) == (8 * 300 * 21, 8 * 300)


FORKS = """
import os, sys
def before(): pass
def after(): pass
def end(how):
    after()
    if how == "_exit": os._exit(3)
    if how == "kill": os.kill(os.getpid(), 9)
    if how == "exec": os.execv(sys.executable, [sys.executable, "-c", "def new(): pass\\nnew()"])
    sys.exit(4)
before()
for how in ("_exit", "kill", "exec", "exit"):
    pid = os.fork()
    if pid == 0:
        end(how)
    print(how, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
after()
"""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_forked_processes_count_what_is_theirs(trace):
    done, report = trace(FORKS)
    assert done.stdout.split() == ["_exit", "3", "kill", "-9", "exec", "0", "exit", "4"]
    found = calls(report)
    assert (found["before"], found["after"], found["end"]) == (1, 5, 4)
    assert found["<module>"] == 1
    assert calls(report, "<string>")["new"] == 1
    labels = [process["label"] for process in report["processes"]]
    assert labels.count("main") == 1
    assert labels.count("fork") == 4
    assert labels.count("exec") == 1


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(trace, method):
    _, report = trace(
        "import multiprocessing\n"
        "def work(n): return step(n)\n"
        "def step(n): return n + 1\n"
        "if __name__ == '__main__':\n"
        f"    with multiprocessing.get_context({method!r}).Pool(2) as pool:\n"
        "        assert pool.map(work, range(20), chunksize=1) == list(range(1, 21))\n"
        "        pool.close(); pool.join()\n"
    )
    assert calls(report)["work"] == 20
    assert calls(report)["step"] == 20
    assert sum(process["label"] == "main" for process in report["processes"]) == 1


def test_subprocesses(trace):
    _, report = trace(
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', 'def sub(): pass\\nsub(); sub()'], check=True)\n"
    )
    assert calls(report, "<string>")["sub"] == 2
    assert len(report["processes"]) == 2


SUBINTERPRETERS = HERE.parent / "targets" / "subinterpreters.py"


def test_subinterpreters(tmp_path):
    """Each has a tree of its own, as a process has."""
    recording = tmp_path / "app.hasten"
    command = [*HASTEN, "run", "--trace", "--no-report", "--python", sys.executable]
    done = run(*command, "-o", recording, SUBINTERPRETERS, "0.1")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout.splitlines()[-1]) == {"interpreters": 2}
    report = json.loads(run(*HASTEN, "report", "--json", recording).stdout)
    labels = [process["label"] for process in report["processes"]]
    by_name = {function["name"]: function for function in report["functions"]}
    assert by_name["in_main"]["calls"] == 1
    assert "trace.cut" not in report["facts"]
    shown = " ".join(run(*HASTEN, "report", recording).stdout.split())
    if sys.version_info[:2] == (3, 12):
        assert labels == ["main"]
        assert report["facts"]["trace.subinterpreters"] == "2"
        assert "calls of 2 subinterpreters are not counted" in shown
        return
    assert labels == ["main", "subinterpreter", "subinterpreter"]
    assert "trace.subinterpreters" not in report["facts"]
    assert "subinterpreters are not counted" not in shown
    for name in ("in_sub_0", "in_sub_1"):
        assert by_name[name]["calls"] == 1
        assert by_name[name]["total_s"] >= 0.1


MANY_SUBINTERPRETERS = """
import sys, threading, time
try:
    import _interpreters as module
except ImportError:
    import _xxsubinterpreters as module
run = getattr(module, "exec", None) or module.run_string

def work(number, destroys):
    interpreter = module.create()
    try:
        run(interpreter, "def step(n):\\n return n and step(n - 1)\\nstep(50)")
        run(interpreter, f"import json, threading; json.loads('[1]'); step({number}); 1 / 0")
    except Exception as error:
        sys.stdout.write(type(error).__name__ + "\\n")
    if destroys:
        module.destroy(interpreter)

for number in range(5):
    work(number, True)
threads = [threading.Thread(target=work, args=(n, n % 2)) for n in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
ending = module.create()
if "_exit" in sys.argv:
    run(ending, "import os, sys; sys.stdout.flush(); os._exit(7)")
sys.exit(5)
"""


@pytest.mark.parametrize("how", ["exit", "_exit"])
def test_subinterpreters_are_not_harmed(tmp_path, how):
    script = tmp_path / "app.py"
    script.write_text(MANY_SUBINTERPRETERS)
    plain = run(sys.executable, script, how)
    recording = tmp_path / "app.hasten"
    command = [*HASTEN, "run", "--trace", "--no-report", "--python", sys.executable]
    traced = run(*command, "-o", recording, script, how)
    assert (traced.returncode, traced.stdout) == (plain.returncode, plain.stdout)
    report = json.loads(run(*HASTEN, "report", "--json", recording).stdout)
    if how == "_exit":
        # The main interpreter cannot be asked to write what it has not written yet.
        assert int(report["facts"]["trace.cut"]) >= 1
        return
    assert calls(report)["work"] == 9
    if sys.version_info[:2] != (3, 12):
        steps = [f["calls"] for f in report["functions"] if f["name"] == "step"]
        assert sum(steps) == 9 * 51 + sum(n + 1 for n in (*range(5), *range(4)))


# Endings.


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
        (part,) = tmp_path.glob("app.hasten.*/*.part")
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


# Others that look at calls.


def test_cprofile_and_setprofile_go_on_working(trace):
    done, report = trace(
        "import cProfile, sys, threading\n"
        "def step(): pass\n"
        "profile = cProfile.Profile()\n"
        "profile.enable(); step(); step(); profile.disable()\n"
        "print([e.callcount for e in profile.getstats() if 'step' in str(e.code)])\n"
        "seen = []\n"
        "sys.setprofile(lambda frame, event, arg: seen.append((event, frame.f_code.co_name)))\n"
        "step()\n"
        "sys.setprofile(None)\n"
        "print(seen.count(('call', 'step')))\n"
    )
    assert done.stdout == "[2]\n1\n"
    displaced = "trace.displaced" in report["facts"]
    if sys.version_info >= (3, 12):
        assert calls(report)["step"] == 3
        assert not displaced
    else:
        assert displaced


def test_deep_recursion(trace):
    _, report = trace(
        "import sys\n"
        "sys.setrecursionlimit(10000)\n"
        "def down(n): return 0 if n == 0 else 1 + down(n - 1)\n"
        "assert down(5000) == 5000\n"
    )
    assert calls(report)["down"] == 5001


def test_program_that_cannot_be_traced(tmp_path):
    bare = tmp_path / "bare"
    assert run(sys.executable, "-m", "venv", "--without-pip", bare).returncode == 0
    recording = tmp_path / "app.hasten"
    done = run(
        *(*HASTEN, "run", "--trace", "--python", bare / "bin" / "python"),
        *("-o", recording, "-c", "print('ran')"),
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "hasten is not installed there" in done.stderr
    assert not recording.exists()


# What is made of a recording.


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
    trace(THREADS)
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
