"""hasten.cProfile beyond the standard module, and what must not happen with it."""

import asyncio
import contextlib
import gc
import itertools
import marshal
import math
import os
import pstats
import subprocess
import sys
import threading
import time
import types

import pytest
from hasten import _cprofile, cProfile

HAS_MONITORING = hasattr(sys, "monitoring")


def nothing():
    pass


def by_name(profiler):
    """(calls, recursive, total, inline) by the name of the function."""
    return {
        getattr(entry.code, "co_name", entry.code): (
            entry.callcount,
            entry.reccallcount,
            entry.totaltime,
            entry.inlinetime,
        )
        for entry in profiler.getstats()
    }


def callees(profiler, name):
    for entry in profiler.getstats():
        if getattr(entry.code, "co_name", entry.code) == name:
            return {getattr(c.code, "co_name", c.code): c.callcount for c in entry.calls or ()}
    return None


# The standard module's behaviour that no comparison of numbers shows.


def test_stats_are_what_pstats_reads(tmp_path):
    profiler = cProfile.Profile()
    profiler.runcall(lambda: [nothing() for _ in range(3)])
    profiler.dump_stats(tmp_path / "profile")
    stats = marshal.loads((tmp_path / "profile").read_bytes())
    key = cProfile.label(nothing.__code__)
    assert stats[key][:2] == (3, 3)
    assert pstats.Stats(str(tmp_path / "profile")).stats == stats
    assert pstats.Stats(profiler).total_calls >= 4


def test_run_and_context_manager(capsys):
    cProfile.run("sum(range(3))")
    assert "{built-in method builtins.sum}" in capsys.readouterr().out
    with cProfile.Profile() as profiler:
        nothing()
    assert by_name(profiler)["nothing"][0] == 1


def test_second_profiler():
    first, second = cProfile.Profile(), cProfile.Profile()
    first.enable()
    try:
        if HAS_MONITORING:
            with pytest.raises(ValueError) as standard:
                __import__("cProfile").Profile().enable()
            with pytest.raises(ValueError) as error:
                second.enable()
            assert str(error.value) == str(standard.value)
        else:
            second.enable()
            assert sys.getprofile() is second
    finally:
        second.disable()
        first.disable()


@pytest.mark.parametrize(
    ("arguments", "keywords"),
    [((1, 2, 3, 4, 5), {}), ((1, "x"), {}), ((), {"no_such": 1}), ((1,), {"timer": 1})],
    ids=str,
)
def test_same_messages(arguments, keywords):
    with pytest.raises(TypeError) as standard:
        __import__("_lsprof").Profiler(*arguments, **keywords)
    with pytest.raises(TypeError) as error:
        _cprofile.Profiler(*arguments, **keywords)
    assert str(error.value) == str(standard.value)


EVIL = {
    "raises": lambda: 1 / 0,
    "none": lambda: None,
    "text": lambda: "a",
    "not a number": lambda: math.nan,
    "too large": lambda: 1e300,
    "too large an integer": lambda: 10**30,
    "not callable": 3,
    "negative": lambda: -1.25,
    "a truth": lambda: True,
}


@pytest.mark.parametrize("unit", [0.0, 0.5])
@pytest.mark.parametrize("timer", EVIL.values(), ids=EVIL)
def test_evil_timers(timer, unit, monkeypatch):
    """The same complaints, and the same results, as of the standard one."""

    def run(module):
        complaints = []
        monkeypatch.setattr(
            sys,
            "unraisablehook",
            lambda error: complaints.append((error.exc_type, str(error.exc_value), error.err_msg)),
        )
        profiler = module.Profiler(timer, unit)
        profiler.enable()
        nothing()
        profiler.disable()
        monkeypatch.undo()
        return complaints, by_name(profiler)

    assert run(_cprofile) == run(__import__("_lsprof"))


@pytest.mark.parametrize("method", ["disable", "clear", "__init__"])
def test_timer_that_changes_its_profiler(method, monkeypatch):
    complaints = []
    monkeypatch.setattr(
        sys, "unraisablehook", lambda error: complaints.append(str(error.exc_value))
    )

    def timer():
        getattr(profiler, method)()
        return 0

    profiler = cProfile.Profile(timer)
    profiler.enable()
    nothing()
    profiler.disable()
    what = {"__init__": "initialize"}.get(method, method)
    assert set(complaints) == {f"cannot {what} profiler in external timer"}


def test_timer_that_enables_its_profiler():
    evil = True

    def timer():
        if evil:
            with contextlib.suppress(ValueError):
                profiler.enable()
        return 0

    profiler = cProfile.Profile(timer)
    profiler.enable()
    nothing()
    profiler.disable()
    evil = False
    profiler.disable()
    nothing()
    if HAS_MONITORING:
        assert sys.monitoring.get_tool(sys.monitoring.PROFILER_ID) is None
    else:
        assert sys.getprofile() is None


def test_profiler_goes_with_its_cycle():
    class Timer:
        def __call__(self):
            return 0

    timer = Timer()
    timer.profiler = cProfile.Profile(timer)
    kept = gc.get_referrers(timer)
    del timer, kept
    assert gc.collect() > 0


def test_a_profiler_keeps_the_code_it_knows():
    profiler = cProfile.Profile()
    for i in range(50):
        names = {}
        exec(f"def made_{i}(): pass", names)
        profiler.runcall(names[f"made_{i}"])
        del names
    assert sum(name.startswith("made_") for name in by_name(profiler)) == 50


def test_dropped_while_enabled():
    program = """
import gc
from hasten import cProfile
def nothing(): pass
for builtins in (True, False):
    try:
        cProfile.Profile().enable(builtins=builtins)
    except ValueError:
        pass # the first goes on without us
    gc.collect()
    nothing()
"""
    subprocess.run([sys.executable, "-c", program], check=True)


# Harm.


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


# Beyond.


def test_threads_all_sees_existing_and_new_ones():
    go, done = threading.Event(), threading.Event()

    def work():
        nothing()

    def existing():
        go.wait()
        work()
        done.set()

    thread = threading.Thread(target=existing)
    thread.start()
    profiler = cProfile.Profile(threads="all")
    profiler.enable()
    go.set()
    done.wait()
    thread.join()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    profiler.disable()
    assert by_name(profiler)["work"][0] == 2
    assert by_name(profiler)["nothing"][0] == 2
    assert threading.getprofile() is None
    assert sys.getprofile() is None


def test_threads_all_recursion_is_of_one_thread():
    """Two threads in one function at once are no recursion."""
    inside = threading.Barrier(2)

    def together():
        inside.wait()
        inside.wait()

    profiler = cProfile.Profile(threads="all")
    profiler.enable()
    threads = [threading.Thread(target=together) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    profiler.disable()
    calls, recursive, total, _ = by_name(profiler)["together"]
    assert (calls, recursive) == (2, 0)
    assert total > 0


class Ticker:
    """A timer that only moves when told to."""

    def __init__(self):
        self.now = 0

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += seconds


def test_tasks_last_while_they_wait():
    ticker = Ticker()
    profiler = cProfile.Profile(ticker, tasks=True)

    async def inner():
        ticker.advance(1)
        await asyncio.sleep(0)
        ticker.advance(2)

    async def outer():
        ticker.advance(10)
        await inner()
        ticker.advance(20)
        await asyncio.sleep(0)

    async def main():
        await asyncio.gather(outer(), outer())

    loop = asyncio.new_event_loop()
    profiler.enable()
    loop.run_until_complete(main())
    profiler.disable()
    loop.close()
    found = by_name(profiler)
    # Each is one call, though it was suspended. Both run in turns, to inner's sleep (11
    # seconds each), to outer's (22 seconds each), to the end. Waiting is sleep's time.
    assert found["inner"][:2] == (2, 0)
    assert found["outer"][:2] == (2, 0)
    assert found["main"][:2] == (1, 0)
    assert found["outer"][2:] == pytest.approx((66 + 55, 0))
    assert found["inner"][2:] == pytest.approx((14 + 25, 0))
    assert found["sleep"][0] == 4
    assert found["sleep"][2:] == pytest.approx((11 + 22 + 22 + 0, 11 + 22 + 22 + 0))
    assert found["advance"][3] == 66
    assert callees(profiler, "outer")["inner"] == 2
    assert all(inline >= 0 for _, _, _, inline in found.values())


def test_tasks_that_never_end():
    profiler = cProfile.Profile(tasks=True)

    @types.coroutine
    def suspend():
        yield

    async def dropped():
        await suspend()

    async def endless():
        while True:
            await suspend()

    profiler.enable()
    first = dropped()
    first.send(None)
    del first
    second = endless()
    for _ in range(5):
        second.send(None)
    profiler.disable()
    second.close()
    found = by_name(profiler)
    assert found["dropped"][0] == 1
    assert found["endless"][0] == 1
    assert all(total >= 0 and inline >= 0 for _, _, total, inline in found.values())


def test_greenlets_have_stacks_of_their_own():
    greenlet = pytest.importorskip("greenlet")
    ticker = Ticker()
    profiler = cProfile.Profile(ticker, greenlets=True)

    def first():
        ticker.advance(1)
        second_greenlet.switch()
        ticker.advance(2)

    def second():
        ticker.advance(10)
        first_greenlet.switch()

    first_greenlet = greenlet.greenlet(first)
    second_greenlet = greenlet.greenlet(second)
    profiler.enable()
    first_greenlet.switch()
    profiler.disable()
    found = by_name(profiler)
    assert found["first"][0] == 1
    assert found["first"][2] == 13
    assert found["second"][0] == 1
    assert greenlet.gettrace() is None


def test_cpu_clock_does_not_count_sleep():
    def sleeps():
        time.sleep(0.2)

    def works():
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass

    profiler = cProfile.Profile(clock="cpu")
    profiler.enable()
    sleeps()
    works()
    profiler.disable()
    found = by_name(profiler)
    assert found["sleeps"][2] < found["works"][2]
    assert found["works"][2] >= 0.05


def test_wall_clock_is_the_monotonic_one():
    def sleeps():
        time.sleep(0.1)

    profiler = cProfile.Profile()
    start = time.perf_counter()
    profiler.runcall(sleeps)
    outside = time.perf_counter() - start
    inside = by_name(profiler)["sleeps"][2]
    assert inside * 1.001 + 1e-6 >= 0.1
    assert inside <= outside * 1.001 + 1e-6


def test_durations():
    ticker = Ticker()
    profiler = cProfile.Profile(ticker, histogram=True)

    def takes(seconds):
        ticker.advance(seconds)

    profiler.enable()
    for i in range(1, 101):
        takes(i)
    profiler.disable()
    (row,) = (row for row in profiler.durations() if row.code is takes.__code__)
    assert row.count == 100
    assert (row.shortest, row.longest) == (1, 100)
    assert row.median == pytest.approx(50, rel=0.07)
    assert row.p90 == pytest.approx(90, rel=0.07)
    assert row.p99 == pytest.approx(99, rel=0.07)
    assert cProfile.Profile().durations() == []


def module(name, source):
    made = types.ModuleType(name)
    exec(source, made.__dict__)
    return made


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"run", "helper", "deep"}),
        ({"include": ["app"]}, {"run", "deep"}),
        ({"include": "app"}, {"run", "deep"}),
        ({"include": ["app"], "exclude": ["app.inner"]}, {"run"}),
        ({"exclude": ["helpers"]}, {"run", "deep"}),
        ({"include": ["ap"]}, set()),
    ],
    ids=str,
)
def test_modules_of_interest(options, expected):
    inner = module("app.inner", "def deep(): return len('abc')")
    helpers = module("helpers", "def helper(f): return [f() for _ in range(3)]")
    app = module("app", "def run(): helper(deep); abs(1)")
    app.helper, app.deep = helpers.helper, inner.deep
    profiler = cProfile.Profile(**options)
    for _ in range(2):
        profiler.enable()
        app.run()
        app.run()
        profiler.disable()
    found = by_name(profiler)
    assert {name for name in found if name in ("run", "helper", "deep")} == expected
    if "deep" in expected:
        assert found["deep"][0] == 12
        assert callees(profiler, "deep") == {"<built-in method builtins.len>": 12}
    if expected == {"run", "deep"}:
        # What is left out is part of who called it.
        assert callees(profiler, "run") == {"deep": 12, "<built-in method builtins.abs>": 4}
    # The next one sees all again.
    everything = cProfile.Profile()
    everything.runcall(app.run)
    assert {"run", "helper", "deep"} <= set(by_name(everything))


def test_overhead_can_be_subtracted():
    def calls():
        for _ in range(2000):
            nothing()

    def total(**options):
        best = math.inf
        for _ in range(5):
            profiler = cProfile.Profile(**options)
            profiler.runcall(calls)
            best = min(best, by_name(profiler)["calls"][2])
        return best

    # By how much depends on the machine; that it is less does not.
    assert total(subtract_overhead=True) < total(histogram=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threads": "some"}, "threads must be 'all' or None, not 'some'"),
        ({"clock": "solar"}, "clock must be 'wall' or 'cpu', not 'solar'"),
        ({"include": [1]}, "include must be module names, not int"),
        ({"subtract_overhead": True, "timer": int}, "subtract_overhead needs the built-in timer"),
    ],
    ids=str,
)
def test_bad_options(options, message):
    with pytest.raises((ValueError, TypeError)) as error:
        cProfile.Profile(**options)
    assert str(error.value) == message


def test_options_of_a_used_profiler_stay():
    profiler = cProfile.Profile(histogram=True)
    profiler.runcall(nothing)
    with pytest.raises(RuntimeError):
        profiler.__init__(threads="all")


def test_counting_timer_is_called_twice_a_call():
    counter = itertools.count()
    profiler = cProfile.Profile(counter.__next__)
    profiler.enable(builtins=False)
    for _ in range(10):
        nothing()
    profiler.disable()
    assert next(counter) == 20
    assert by_name(profiler)["nothing"][2:] == (10, 10)


# The command line.


def run_module(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "hasten.cProfile", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        **options,
    )


def test_command_line(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, __main__\n"
        "class Own: pass\n"
        "def work(): return len(sys.argv)\n"
        "print(work(), __main__.Own is Own, __name__, __file__ == sys.argv[0])\n"
    )
    answer = run_module("-s", "ncalls", script, "a", "b")
    assert answer.stderr == ""
    assert answer.stdout.startswith("3 True __main__ True\n")
    assert "script.py:3(work)" in answer.stdout
    answer = run_module("-o", tmp_path / "out", script)
    assert answer.stdout == "1 True __main__ True\n"
    assert any(key[2] == "work" for key in pstats.Stats(str(tmp_path / "out")).stats)
    answer = run_module("-m", "this")
    assert "Beautiful is better than ugly." in answer.stdout


def test_command_line_errors(tmp_path):
    answer = run_module()
    assert (answer.returncode, answer.stdout.split()[0]) == (2, "Usage:")
    answer = run_module("-s", "demo", "x")
    assert "option -s: invalid choice: 'demo'" in answer.stderr
    script = tmp_path / "script.py"
    script.write_text("raise SystemExit(3)")
    assert "script.py" in run_module(script).stdout
    script.write_text("1 / 0")
    answer = run_module(script)
    assert answer.returncode == 1
    assert "ZeroDivisionError" in answer.stderr


def test_command_line_beyond(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import threading\n"
        "def work(): pass\n"
        "t = threading.Thread(target=work); t.start(); t.join()\n"
    )
    for options in (
        ["--threads", "all"],
        ["--subtract-overhead", "--threads", "all"],
        ["--clock", "cpu", "--threads", "all"],
    ):
        answer = run_module(*options, script)
        assert answer.stderr == ""
        assert "script.py:2(work)" in answer.stdout
