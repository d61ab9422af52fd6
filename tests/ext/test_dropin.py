# SPDX-License-Identifier: MIT
"""hasten.dropin: the program runs as `python` would run it, only on hasten's modules, and
nothing is replaced that was not asked for."""

import os
import subprocess
import sys
import types
from pathlib import Path

import _hasten_dropin
import pytest

DROPIN = [sys.executable, "-m", "hasten.dropin"]
# Which module answers to the name, in this interpreter and in others.
WHICH = "import pstats; print(pstats.__name__)"


def run(*command, **options):
    options = {"capture_output": True, "text": True, "timeout": 60} | options
    return subprocess.run([str(word) for word in command], check=False, **options)


@pytest.fixture
def script(tmp_path):
    def write(text, name="app.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


# As python runs it.

SHOW = """\
import sys, os
print(__name__, __file__, __spec__ is None, __package__, sys.argv, sys.path[0], sys.flags)
print(sys.modules["__main__"].__dict__ is globals(), sorted(k for k in globals()))
print(sys.stdin.read())
"""


@pytest.mark.parametrize(
    "options", [[], ["-O", "-X", "utf8"], ["-P"], ["-I"], ["-W", "error", "-B"]]
)
def test_script_sees_what_python_would_show_it(script, options):
    path = script(SHOW)
    answers = [
        run(sys.executable, *options, *way, path, "--an", "argument", input="in")
        for way in ([], ["-m", "hasten.dropin"], ["-mhasten.dropin"])
    ]
    assert answers[0].returncode == 0
    for answer in answers[1:]:
        assert answer.stdout == answers[0].stdout
        assert answer.stderr == ""


def test_options_joined_with_m(script):
    path = script("import sys; print(sys.flags.optimize, sys.flags.dont_write_bytecode)")
    assert run(sys.executable, "-OBm", "hasten.dropin", path).stdout == "1 1\n"


def test_module_and_code_and_stdin(tmp_path, script):
    script("import sys\nprint(sys.argv[1:], __spec__.name)\n" + WHICH, "tool.py")
    answer = run(*DROPIN, "-m", "tool", "-m", "x", cwd=tmp_path)
    assert answer.stdout == "['-m', 'x'] tool\nhasten.pstats\n"
    assert run(*DROPIN, "-c", WHICH, "x").stdout == "hasten.pstats\n"
    assert run(*DROPIN, "-", input=WHICH).stdout == "hasten.pstats\n"


def test_traceback_is_the_programs(script):
    path = script("def f():\n    raise SystemError('here')\n\nf()\n")
    answers = [run(sys.executable, path), run(*DROPIN, path)]
    assert answers[0].stderr == answers[1].stderr
    assert answers[0].returncode == answers[1].returncode == 1


@pytest.mark.parametrize("text", ["raise SystemExit(7)", "import os; os.kill(os.getpid(), 9)"])
def test_exit_code_is_the_programs(script, text):
    path = script(text)
    assert run(*DROPIN, path).returncode == run(sys.executable, path).returncode != 0


def test_missing_script():
    answers = [run(sys.executable, "no-such.py"), run(*DROPIN, "no-such.py")]
    assert answers[0].stderr == answers[1].stderr
    assert answers[0].returncode == answers[1].returncode == 2


# What is replaced.


def test_standard_names_are_ours(script):
    path = script(
        "import importlib, pstats, sys\n"
        "from pstats import Stats, SortKey\n"
        "import hasten.pstats\n"
        "assert pstats is hasten.pstats is sys.modules['pstats']\n"
        "assert Stats is hasten.pstats.Stats\n"
        "assert pstats.__spec__.name == 'hasten.pstats' == pstats.__name__\n"
        "assert importlib.import_module('pstats') is pstats\n"
        "assert importlib.reload(pstats) is pstats\n"
        "assert Stats.__mro__[2].__module__ == 'pstats', Stats.__mro__\n"
    )
    answer = run(*DROPIN, path)
    assert answer.stderr == ""


def test_our_module_first_then_the_standard_name():
    code = "import hasten.pstats, pstats; print(pstats is hasten.pstats, pstats.Stats.__mro__[2])"
    assert run(*DROPIN, "-c", code).stdout == "True <class 'pstats.Stats'>\n"


def test_standard_modules_that_import_it_have_ours(script):
    # profile imports pstats when it prints.
    path = script(
        "import warnings; warnings.simplefilter('ignore')\n"
        "import profile, sys\n"
        "profile.run('1 + 1', sort='calls')\n"
        "print(sys.modules['pstats'].__name__)\n"
    )
    answer = run(*DROPIN, path)
    assert answer.stdout.endswith("\nhasten.pstats\n")
    assert "function calls in" in answer.stdout


def test_run_as_a_module():
    answer = run(*DROPIN, "-m", "pstats", input="quit\n")
    assert answer.stdout == "Welcome to the profile statistics browser.\n% Goodbye.\n"
    assert answer.stderr == ""


CHILDREN = """\
import concurrent.futures, multiprocessing, os, pstats, subprocess, sys

WHICH = "import pstats; print(pstats.__name__)"

def which():
    import pstats
    return pstats.__name__

if __name__ == "__main__":
    for options in [], ["-I"], ["-E", "-s"], ["-O"]:
        subprocess.run([sys.executable, *options, "-c", WHICH], check=True)
    subprocess.run([sys.executable, "-S", "-c", WHICH], check=True)
    for way in "fork", "spawn", "forkserver":
        context = multiprocessing.get_context(way)
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
            print(way, pool.submit(which).result())
"""


def test_children_have_them_too(script):
    answer = run(*DROPIN, script(CHILDREN))
    assert answer.stderr == ""
    # Without site (-S) Python reads nothing that could replace anything.
    expected = ["hasten.pstats"] * 4 + ["pstats"]
    expected += [f"{way} hasten.pstats" for way in ("fork", "spawn", "forkserver")]
    # Children write when they end, we when we end.
    assert sorted(answer.stdout.split("\n")[:-1]) == sorted(expected)


def test_only(script):
    code = "import pstats, cProfile; print(pstats.__name__, cProfile.__name__)"
    assert run(*DROPIN, "--only", "pstats", "-c", code).stdout == "hasten.pstats cProfile\n"
    assert run(*DROPIN, "--only=pstats", "-c", code).stdout == "hasten.pstats cProfile\n"


def test_nothing_is_replaced_unasked():
    environment = {k: v for k, v in os.environ.items() if k != _hasten_dropin.VARIABLE}
    code = (
        WHICH + "; import sys; print(len(sys.meta_path), [n for n in sys.modules if 'hasten' in n])"
    )
    answer = run(sys.executable, "-c", code, env=environment)
    assert answer.stdout.startswith("pstats\n")
    assert answer.stdout.endswith(" []\n")
    environment[_hasten_dropin.VARIABLE] = ""
    assert run(sys.executable, "-c", code, env=environment).stdout == answer.stdout


# Refusals.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to run; try --help"),
        (["-m"], "nothing to run; try --help"),
        (["--only"], "--only wants names"),
        (["--only", "json", "x.py"], "there is no module in place of 'json'; there are "),
        (["--all", "x.py"], "there is no option --all; try --help"),
        (["-x", "x.py"], "there is no option -x; try --help"),
    ],
)
def test_refusals(arguments, message):
    answer = run(*DROPIN, *arguments)
    assert answer.returncode == 2
    assert answer.stderr.startswith("hasten.dropin: " + message)
    assert answer.stdout == ""


def test_refuses_without_site(tmp_path):
    folder = Path(_hasten_dropin.__file__).parent
    environment = os.environ | {"PYTHONPATH": str(folder)}
    answer = run(sys.executable, "-S", "-m", "hasten.dropin", "-c", "", env=environment)
    assert answer.returncode == 2
    assert "Python was started with -S" in answer.stderr
    # A copy where Python does not look when it starts.
    for name in ("hasten", "_hasten_dropin.py", "hasten-dropin.pth"):
        (tmp_path / name).symlink_to(folder / name)
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); import _hasten_dropin as d;"
    code += f"d.__file__ = {str(tmp_path / '_hasten_dropin.py')!r};"
    code += "import pathlib; pathlib.Path.resolve = pathlib.Path.absolute;"
    code += "import hasten.dropin as m; m._check_start()"
    answer = run(sys.executable, "-c", code, tmp_path)
    assert answer.returncode == 2
    assert "does not look when it starts" in answer.stderr


def test_help():
    answer = run(*DROPIN, "--help")
    assert answer.returncode == 0
    assert answer.stdout.startswith("Usage: python -m hasten.dropin [--only NAME,...] ")
    assert run(*DROPIN, "-h").stdout == answer.stdout


# Modules that are imported already, as functools is when Python starts.


@pytest.fixture
def stand_ins(monkeypatch):
    """A standard module, ours for it, and one that took names out of the standard one."""

    def old_cache():
        return "old"

    def other():
        return "other"

    def new_cache():
        return "new"

    standard = types.ModuleType("fake_standard")
    vars(standard).update(cache=old_cache, other=other, limit=7, __all__=["cache", "other"])
    ours = types.ModuleType("hasten.fake")
    vars(ours).update(cache=new_cache, limit=7, __all__=["cache"], kept=old_cache)
    user = types.ModuleType("fake_user")
    vars(user).update(cache=old_cache, renamed=old_cache, limit=7)
    for module in (standard, ours, user):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(_hasten_dropin.REPLACEMENTS, "fake", {"fake_standard": "hasten.fake"})
    monkeypatch.setattr(_hasten_dropin, "_finder", _hasten_dropin._Finder())
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    return standard, ours, user, old_cache, new_cache


def test_loaded_module_is_patched(stand_ins):
    standard, ours, user, old_cache, new_cache = stand_ins
    _hasten_dropin.activate(["fake"])
    assert standard.cache is user.cache is user.renamed is new_cache
    assert ours.kept is old_cache  # ours have the standard ones on purpose
    # Ours lacks `other`: it cannot stand for the whole module.
    assert sys.modules["fake_standard"] is standard
    assert standard.other() == "other"
    assert _hasten_dropin.original("fake_standard") is standard


def test_loaded_module_is_replaced_by_one_that_has_all(stand_ins):
    standard, ours, user, _, new_cache = stand_ins
    ours.other = standard.other
    _hasten_dropin.activate(["fake"])
    _hasten_dropin.activate(["fake"])
    assert sys.modules["fake_standard"] is ours
    assert standard.cache is user.cache is new_cache
    assert _hasten_dropin.original("fake_standard") is standard
    assert sum(isinstance(f, _hasten_dropin._Finder) for f in sys.meta_path) == 1


def test_unknown_names_in_the_environment_are_passed_over():
    environment = os.environ | {_hasten_dropin.VARIABLE: "nonsense,pstats"}
    answer = run(sys.executable, "-c", WHICH, env=environment)
    assert answer.stdout == "hasten.pstats\n"
    assert answer.stderr == ""
