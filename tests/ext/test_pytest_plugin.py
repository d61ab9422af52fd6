# SPDX-License-Identifier: MIT
"""pytest's markers limit_memory and limit_leaks."""

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

SETUP = """
import asyncio
import time
import pytest
kept = []
"""


@pytest.fixture
def run(pytester):
    """Runs tests given as text in a process of their own."""

    def start(text, *options):
        pytester.makepyfile(SETUP + text)
        return pytester.runpytest_subprocess("--strict-markers", "-p", "no:cacheprovider", *options)

    return start


def test_limit_memory(run):
    result = run(
        """
@pytest.mark.limit_memory("1 MB")
def test_above():
    rows = [bytes(1000) for _ in range(3000)]
    time.sleep(0.2)

@pytest.mark.limit_memory("1MB")
def test_above_and_gone():
    data = bytes(3_000_000)
    del data

@pytest.mark.limit_memory("4 MB")
def test_below():
    rows = [bytes(1000) for _ in range(3000)]
    assert len(rows) == 3000

@pytest.mark.limit_memory("4 MB")
def test_fails_by_itself():
    assert kept
"""
    )
    result.assert_outcomes(passed=1, failed=3)
    result.stdout.fnmatch_lines(
        [
            "*Test was limited to 1.0 MiB but allocated 3.* MiB",
            "Largest allocations near the peak:",
            "* MiB  in * blocks  *test_limit_memory.py:8",
            "*Test was limited to 1.0 MiB but allocated 2.9 MiB",
            "*assert kept*",
        ]
    )


def test_limit_leaks(run):
    result = run(
        """
@pytest.mark.limit_leaks("1 KB")
def test_leaks():
    kept.append(bytes(5000))

@pytest.mark.limit_leaks("1 KB", warmups=1, iterations=6)
def test_leaks_each_time():
    kept.append(bytes(5000))

@pytest.mark.limit_leaks("1 KB", filter_fn=lambda stack: stack.frames[0].function != "known")
def test_known():
    def known():
        kept.append(bytes(5000))
    known()

@pytest.mark.limit_leaks("10 KB")
def test_little():
    kept.append(bytes(5000))

cache = {}

@pytest.mark.limit_leaks("1 KB", warmups=1)
def test_warm():
    if not cache:
        cache[1] = bytes(5000)

@pytest.mark.limit_leaks("1 KB")
def test_cycle():
    cycle = [bytes(5000)]
    cycle.append(cycle)
"""
    )
    result.assert_outcomes(passed=4, failed=2)
    result.stdout.fnmatch_lines(
        [
            "Test was allowed to leak 1.0 KiB per location but at least one location leaked more",
            "* 4.9 KiB  in * blocks  *test_limit_leaks.py:8",
            "Held by:",
            "*test_limit_leaks.kept[[]0[]]  (4.9 KiB each time)",
            "*Nothing removes its items*",
            "Test was allowed to leak 1.0 KiB per location in each of 6 iterations but*",
            "* 4.9 KiB  in * blocks  *test_limit_leaks.py:12",
            "Held by:",
            "*test_limit_leaks.kept[[]*[]]  (4.9 KiB each time)",
        ]
    )


def test_fixtures_and_parameters(run):
    result = run(
        """
@pytest.fixture
def size():
    kept.append(bytes(100_000))
    return 5000

@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.limit_leaks("1 KB", iterations=2)
def test_leaks(size, times):
    kept.append(bytes(size * times))

class TestClass:
    @pytest.mark.limit_memory("1 MB")
    def test_method(self, size):
        kept.append(bytes(size))
"""
    )
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["* 4.9 KiB  in ? blocks*", "* 9.8 KiB  in ? blocks*"])


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ('limit_memory("24 Mega")', "a limit is a number and a unit*24 Mega*"),
        ("limit_memory()", "limit_memory takes one limit"),
        ('limit_memory("1 MB", current_thread_only=True)', "*counts all threads*"),
        ('limit_leaks("1 MB", often=3)', "limit_leaks does not know often"),
        ('limit_leaks("1 MB", iterations=0)', "*iterations 1 or more"),
    ],
)
def test_wrong_markers(run, marker, message):
    result = run(f"@pytest.mark.{marker}\ndef test_it():\n    pass\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*ValueError: {message}*"])


def test_not_both(run):
    result = run(
        '@pytest.mark.limit_memory("1 MB")\n@pytest.mark.limit_leaks("1 MB")\n'
        "def test_it():\n    pass\n"
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*do not go together*"])


def test_tracing_of_the_program_goes_on(run):
    result = run(
        """
import tracemalloc

@pytest.mark.limit_memory("4 MB")
def test_traced():
    kept.append(bytes(100_000))

def test_is_off():
    assert not tracemalloc.is_tracing()
"""
    )
    result.assert_outcomes(passed=2)


def test_markers_are_listed(run):
    result = run("", "--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.limit_memory(*", "@pytest.mark.limit_leaks(*"])


def test_without_markers_nothing_is_imported():
    code = (
        "import sys, pytest\n"
        "status = pytest.main(['-q', '-p', 'no:cacheprovider', sys.argv[1]])\n"
        "wrong = {'hasten', 'hasten.leaks', 'hasten._leaks', 'tracemalloc'} & set(sys.modules)\n"
        "assert '_hasten_pytest' in sys.modules\n"
        "sys.exit(str(wrong) if wrong or status else 0)\n"
    )
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "test_plain.py").write_text("def test_it():\n    pass\n")
        done = subprocess.run(
            [sys.executable, "-c", code, folder], check=False, capture_output=True, text=True
        )
    assert done.returncode == 0, done.stderr + done.stdout
