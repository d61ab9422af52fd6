# SPDX-License-Identifier: MIT
"""hasten run --trace: every call is counted, in every thread and process, and the program
does not notice."""

import ast
import json
import marshal
import sys
from pathlib import Path

import pytest
from traced import HASTEN, calls, run

HERE = Path(__file__).resolve().parent


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
