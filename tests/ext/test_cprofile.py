"""hasten.cProfile as the standard module: what no comparison of numbers shows."""

import contextlib
import gc
import itertools
import marshal
import math
import pstats
import subprocess
import sys

import pytest
from hasten import _cprofile, cProfile
from profiles import HAS_MONITORING, by_name, nothing


def test_stats_are_what_pstats_reads(tmp_path):
    profiler = cProfile.Profile()
    profiler.runcall(lambda: [nothing() for _ in range(3)])
    profiler.dump_stats(tmp_path / "profile")
    stats = marshal.loads((tmp_path / "profile").read_bytes())
    key = cProfile.label(nothing.__code__)
    assert stats[key][:2] == (3, 3)
    assert pstats.Stats(str(tmp_path / "profile")).stats == stats
    assert pstats.Stats(profiler).total_calls >= 4


def test_stats_are_the_same():
    """Functions of one name and place are one in stats, though not in entries."""
    names = [{}, {}]
    for own in names:
        exec("def same(): pass\ndef calls(f):\n    f()\n    f()", own)

    def program():
        for caller in names:
            for callee in names:
                caller["calls"](callee["same"])
                sorted([2, 1], key=abs)

    def stats(module):
        profiler = module.Profile(itertools.count().__next__)
        profiler.runcall(program)
        profiler.create_stats()
        return profiler.stats

    found = stats(cProfile)
    assert found == stats(__import__("cProfile"))
    # The entry of the last code object wins; its callers are those of all.
    assert found["<string>", 1, "same"][0] == 4
    (callers,) = found["<string>", 1, "same"][4].values()
    assert callers[:2] == (4, 4)


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
import itertools
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
