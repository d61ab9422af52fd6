# SPDX-License-Identifier: MIT
"""hasten.timeit is the standard module to the letter, and knows a target time everywhere.

CPython's own test_timeit runs in tests/upstream; here is what it does not ask."""

import contextlib
import io
import subprocess
import sys

import pytest
from hasten import timeit

standard = timeit._standard


class Clock:
    """Counts how often the statement ran; a second or a part of it each time."""

    def __init__(self, step):
        self.step = step
        self.now = 0.0

    def __call__(self):
        return self.now

    def run(self):
        self.now += self.step


def answers(module, arguments, step=0.01):
    """What the command line prints, and its exit code."""
    clock = Clock(step)
    module.ticking = clock.run
    out, errors = io.StringIO(), io.StringIO()
    path = sys.path[:]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            code = module.main(arguments, _wrap_timer=lambda _: clock)
        except Exception as error:
            code = repr(error)
        finally:
            sys.path[:] = path
            del module.ticking
    return code, out.getvalue().replace("hasten.", ""), errors.getvalue().count("Error")


@pytest.mark.parametrize(
    "arguments",
    [
        ["ticking()"],
        ["-v", "ticking()"],
        ["-vv", "-r3", "ticking()"],
        ["-n", "7", "-r", "2", "-u", "msec", "ticking()"],
        ["-s", "x = 1", "--setup", "y = x", "-n1", "ticking()", "y"],
        ["--number=3", "--repeat", "2", "--", "-ticking() if 0 else ticking()"],
        ["-n1", "ticking(); 1/0"],
        ["-p", "-n2", "ticking()"],
        ["-u", "parsec", "ticking()"],
        ["-r-3", "-n1", "ticking()"],
        ["-n", "word", "ticking()"],
        ["--no-such-option"],
        ["-n"],
        ["-h"],
        ["-n1", "("],
    ],
)
def test_command_line_is_the_same(arguments):
    assert answers(timeit, arguments) == answers(standard, arguments)


def test_worst_time_warns_as_the_standard_module_does():
    class Slower(Clock):
        def run(self):
            self.now += self.step
            self.step *= 5

    for module in (timeit, standard):
        clock = Slower(1)
        module.ticking = clock.run
        with pytest.warns(UserWarning, match="worst time"), contextlib.redirect_stdout(None):
            module.main(["-n1", "ticking()"], _wrap_timer=lambda _, clock=clock: clock)
        del module.ticking


@pytest.mark.parametrize(
    "options",
    [
        ["--target-time", "1"],
        ["--target-time=1"],
        pytest.param(
            ["-t1"],
            marks=pytest.mark.skipif(sys.version_info < (3, 13), reason="-t is another option"),
        ),
        pytest.param(
            ["-vt", "1"],
            marks=pytest.mark.skipif(sys.version_info < (3, 13), reason="-t is another option"),
        ),
    ],
)
def test_target_time(options):
    code, text, _ = answers(timeit, [*options, "ticking()"], 1 / 1024)
    assert code is None
    assert text.endswith("2000 loops, best of 5: 977 usec per loop\n")


def test_autorange_with_a_target_time():
    clock = Clock(1 / 1024)
    timer = timeit.Timer(clock.run, timer=clock)
    assert timer.autorange(target_time=1.0) == (2000, 2000 / 1024)
    assert timer.autorange() == (500, 500 / 1024)


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="-t has a value there")
def test_the_old_option_without_effect():
    assert answers(timeit, ["-t", "ticking()"]) == answers(standard, ["-t", "ticking()"])


def test_names_of_the_standard_module():
    missing = {name for name in vars(standard) if not name.startswith("_")} - set(vars(timeit))
    assert missing == set()
    assert issubclass(timeit.Timer, standard.Timer)
    assert timeit.__doc__ == standard.__doc__


def test_what_is_replaced_here_is_used(monkeypatch):
    monkeypatch.setattr(timeit, "template", timeit.template.replace("_t1 - _t0", "'mine'"))
    assert timeit.timeit(number=1) == "mine"
    assert standard.timeit(number=1) != "mine"


def test_module_as_a_program():
    command = [sys.executable, "-m", "hasten.timeit", "-n1", "-r1", "-s", "import json", "1 + 1"]
    answer = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0
    assert answer.stdout.startswith("1 loop, best of 1: ")
    command[-1] = "1 / 0"
    answer = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 1
    assert "1 / 0" in answer.stderr
