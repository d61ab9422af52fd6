"""What must not happen to a program that is profiled."""

import os
import subprocess
import sys
import threading
import time

import pytest
from hasten import cProfile
from isolated import run_isolated
from profiles import HAS_MONITORING, by_name, callees, nothing


@pytest.mark.parametrize("builtins", [True, False])
def test_deep_recursion(builtins):
    """As deep as without a profiler, on a thread with a small stack."""

    def down(n):
        return 0 if n == 0 else 1 + down(n - 1)

    def work():
        time.sleep(0.2)  # until the other thread does nothing but wait
        profiler = cProfile.Profile()
        profiler.enable(builtins=builtins)
        answer.append(down(50_000))
        answer.append(down(10))
        profiler.disable()
        answer.append(by_name(profiler)["down"][:2])

    answer = []
    limit = sys.getrecursionlimit()
    size = threading.stack_size(1 << 20)
    sys.setrecursionlimit(60_000)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
        sys.setrecursionlimit(limit)
    assert answer == [50_000, 10, (50_001 + 11, 50_000 + 10)]


def test_deep_recursion_elsewhere():
    """A thread that is not profiled goes as deep as it likes, too."""

    def down(n):
        return 0 if n == 0 else 1 + down(n - 1)

    answer = []
    limit = sys.getrecursionlimit()
    size = threading.stack_size(1 << 20)
    sys.setrecursionlimit(60_000)
    profiler = cProfile.Profile()
    profiler.enable(builtins=False)
    try:
        thread = threading.Thread(target=lambda: answer.append(down(50_000)))
        thread.start()
        thread.join()
        nothing()
    finally:
        profiler.disable()
        threading.stack_size(size)
        sys.setrecursionlimit(limit)
    assert answer == [50_000]
    assert by_name(profiler)["nothing"][0] == 1


def test_fork():
    profiler = cProfile.Profile()
    profiler.enable()
    child = os.fork()
    if child == 0:
        nothing()
        profiler.disable()
        os._exit(0 if by_name(profiler)["nothing"][0] == 1 else 1)
    nothing()
    _, status = os.waitpid(child, 0)
    profiler.disable()
    assert status == 0
    assert by_name(profiler)["nothing"][0] == 1


def test_many_threads_at_once():
    """Each thread has a stack of its own: the numbers add up, whoever runs when."""
    profiler = cProfile.Profile(threads="all")
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def work():
        for _ in range(300):
            sorted([2, 1], key=lambda i: i)
            nothing()

    profiler.enable()
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    profiler.disable()
    sys.setswitchinterval(interval)
    found = by_name(profiler)
    assert found["nothing"][:2] == (2400, 0)
    assert found["work"][:2] == (8, 0)
    assert found["<lambda>"][:2] == (4800, 0)
    assert callees(profiler, "work") == {"<built-in method builtins.sorted>": 2400, "nothing": 2400}


def test_standard_threads_do_no_harm():
    """One stack for all threads, as in the standard module: odd numbers, but no harm."""
    profiler = cProfile.Profile()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def work():
        for i in range(300):
            nothing()
            if i % 50 == 0:
                profiler.getstats()

    profiler.enable()
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for i in range(20):
        nothing()
        if i == 10:
            profiler.clear()
    for thread in threads:
        thread.join()
    profiler.disable()
    sys.setswitchinterval(interval)
    assert profiler.getstats()


def test_subinterpreter():
    program = """
import _testcapi, sys
code = '''
import sys
sys.path[:] = {path!r}
from hasten import cProfile
def nothing(): pass
profiler = cProfile.Profile()
profiler.runcall(nothing)
assert any(e.code is nothing.__code__ for e in profiler.getstats())
'''.format(path=sys.path)
sys.exit(_testcapi.run_in_subinterp(code))
"""
    pytest.importorskip("_testcapi")
    subprocess.run([sys.executable, "-c", program], check=True, env=os.environ)


def test_interpreter_with_a_lock_of_its_own():
    """Each has its own profiler, and its own calls."""
    profiler = cProfile.Profile()
    profiler.enable()
    try:
        run_isolated(
            "from hasten import cProfile\n"
            "def only_there(): pass\n"
            "profiler = cProfile.Profile()\n"
            "profiler.runcall(only_there)\n"
            "names = [getattr(entry.code, 'co_name', '') for entry in profiler.getstats()]\n"
            "assert 'only_there' in names and 'run_isolated' not in names, names\n"
        )
    finally:
        profiler.disable()
    found = by_name(profiler)
    assert found["run_isolated"][0] == 1
    assert "only_there" not in found


def test_other_tools_keep_their_events():
    """What is silenced here is silenced for nobody else, nor for the next profiler."""
    if not HAS_MONITORING:
        pytest.skip("no sys.monitoring")
    names = {"callee": nothing}
    exec("def caller():\n    for _ in range(5):\n        callee()", names)
    profiler = cProfile.Profile()
    profiler.runcall(names["caller"])
    names["callee"] = "abc".upper
    standard = __import__("cProfile").Profile()
    standard.runcall(names["caller"])
    assert by_name(standard)["<method 'upper' of 'str' objects>"][0] == 5
