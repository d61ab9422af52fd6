# SPDX-License-Identifier: MIT
"""What hasten.cProfile prints: the standard module's text to the letter, by hasten.pstats."""

import contextlib
import cProfile as standard
import io
import itertools
import pstats
import re
import sys

import hasten.pstats
import pytest
from hasten import cProfile
from hasten.cProfile import label

SORTS = [-1, 0, 1, 2, "cumulative", "tottime", ("ncalls", "stdname"), pstats.SortKey.NAME]
TIME = re.compile(r"\d+\.\d{3}")


def leaf(n):
    return len(str(n))


def down(n):
    return leaf(n) if n == 0 else down(n - 1)


def work():
    return sorted((down(i) for i in range(5)), key=lambda n: -n)


def printed(function, *args):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        function(*args)
    return out.getvalue()


@pytest.fixture
def profile():
    """One whose numbers stay as they are."""
    profile = cProfile.Profile(itertools.count().__next__, 0.001)
    profile.runcall(work)
    return profile


@pytest.mark.parametrize("sort", SORTS, ids=str)
def test_print_stats_is_the_standard_text(profile, sort):
    ours = printed(profile.print_stats, sort)
    keys = sort if isinstance(sort, tuple) else (sort,)
    theirs = printed(lambda: pstats.Stats(profile).strip_dirs().sort_stats(*keys).print_stats())
    assert ours == theirs
    assert "(down)" in ours
    assert "15/5" in ours


@pytest.mark.parametrize("sort", [0, "demo", 3.5], ids=str)
def test_sort_keys_are_the_standard_ones(profile, sort):
    def outcome(module):
        try:
            return printed(module.Profile.print_stats, profile, sort)
        except Exception as error:
            return type(error), str(error)

    assert outcome(cProfile) == outcome(standard)


@pytest.mark.parametrize("name", ["run", "runctx"])
def test_run_is_the_standard_text(name):
    names = {"work": work, "down": down, "leaf": leaf}
    rest = (names, {}) if name == "runctx" else ()
    statement = "work()" if name == "runctx" else "sorted([3, 1], key=abs)"
    ours = printed(getattr(cProfile, name), statement, *rest)
    theirs = printed(getattr(standard, name), statement, *rest)
    assert TIME.sub("#", ours) == TIME.sub("#", theirs)
    assert "function calls" in ours


@pytest.mark.parametrize("name", ["print_stats", "run", "runctx", "-s"])
def test_printed_by_hasten_pstats(monkeypatch, tmp_path, profile, name):
    used = []

    class Watched(hasten.pstats.Stats):
        def print_stats(self, *amount):
            used.append(self)
            return super().print_stats(*amount)

    monkeypatch.setattr(hasten.pstats, "Stats", Watched)
    if name == "print_stats":
        printed(profile.print_stats)
    elif name == "run":
        printed(cProfile.run, "pass")
    elif name == "runctx":
        printed(cProfile.runctx, "pass", {}, {})
    else:
        script = tmp_path / "script.py"
        script.write_text("pass\n")
        monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
        monkeypatch.setattr(sys, "argv", ["cProfile", "-s", "tottime", str(script)])
        monkeypatch.setattr(sys, "path", list(sys.path))
        printed(cProfile.main)
    assert len(used) == 1


def test_printing_a_profile_that_is_enabled_counts_nothing_of_ours():
    """Once pstats is imported, as with the standard module."""
    profile = cProfile.Profile()
    profile.enable()
    printed(profile.print_stats)
    files = {label(entry.code)[0] for entry in profile.getstats()}
    assert not [file for file in files if "importlib" in file]
