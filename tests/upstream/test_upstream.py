# SPDX-License-Identifier: MIT
"""CPython's own tests of the modules that hasten replaces, run on hasten's.

They are the interpreter's (its package `test`), unchanged, and run under hasten.dropin in
the environment that runs pytest; `make test-all` has one of each version.
"""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import _hasten_dropin
import pytest
from judging import judge, read_deviations

HERE = Path(__file__).resolve().parent
VERSION = "{}.{}".format(*sys.version_info)
# No suite takes this long.
TIME_LIMIT_S = 600
# Test module -> standard modules that must be ours in it.
SUITES = {
    "test.test_cprofile": ["cProfile", "_lsprof", "pstats"],
    "test.test_functools": ["functools"],
    "test.test_profile": ["cProfile", "pstats"],
    "test.test_profiling.test_tracing_profiler": ["profiling.tracing", "_lsprof", "pstats"],
    "test.test_pstats": ["pstats"],
    "test.test_timeit": ["timeit"],
    "test.test_tracemalloc": ["tracemalloc"],
}
# Versions that have a suite, where not all do.
ONLY_IN = {
    "test.test_cprofile": ("3.11", "3.12", "3.13", "3.14"),
    "test.test_profiling.test_tracing_profiler": ("3.15",),
}


def replaceable():
    """Standard modules that this hasten has its own for."""
    return {
        standard
        for name in _hasten_dropin.available()
        for standard in _hasten_dropin.REPLACEMENTS[name]
    }


def run_suite(suite, modules, folder):
    outcomes = folder / "outcomes.json"
    command = [sys.executable, "-m", "hasten.dropin", HERE / "run_suite.py"]
    answer = subprocess.run(
        [*command, suite, outcomes, ",".join(modules)],
        cwd=folder,
        check=False,
        timeout=TIME_LIMIT_S,
        capture_output=True,
        text=True,
        errors="backslashreplace",
    )
    assert outcomes.exists(), answer.stderr
    return json.loads(outcomes.read_text(encoding="utf-8"))


@pytest.mark.parametrize("suite", SUITES)
def test_suite_of_cpython(suite, tmp_path):
    modules = [name for name in SUITES[suite] if name in replaceable()]
    if VERSION not in ONLY_IN.get(suite, (VERSION,)):
        pytest.skip(f"CPython {VERSION} has no {suite}")
    if SUITES[suite][0] not in modules:
        pytest.skip(f"hasten has no {SUITES[suite][0]} of its own")
    # Debian has it in a package of its own: see tools/setup and tools/interpreters.py.
    assert importlib.util.find_spec("test.test_pstats"), "this interpreter has no package `test`"
    answer = run_suite(suite, modules, tmp_path)
    for standard, standing in answer["replaced"].items():
        assert standing.startswith("hasten."), standard
    complaints = list(
        judge(answer["tests"], read_deviations(HERE / "deviations.toml"), VERSION, suite)
    )
    assert not complaints, "\n".join(complaints)


def test_list_of_deviations_is_of_this_suite():
    for deviation in read_deviations(HERE / "deviations.toml"):
        assert deviation.test.startswith(tuple(suite + "." for suite in SUITES))
        assert set(deviation.versions) <= {"3.11", "3.12", "3.13", "3.14", "3.15"}
