# SPDX-License-Identifier: MIT
"""pytest's fixture `benchmark`: call forms, numbers, options, limits."""

import json

import pytest

pytest_plugins = ["pytester"]

SETUP = """
import asyncio
import time
import hasten
import pytest
calls = []
"""
QUICK = ("--benchmark-max-time=0.01", "--benchmark-min-rounds=5")


@pytest.fixture
def run(pytester):
    """Runs tests given as text in a process of their own."""

    def start(text, *options):
        pytester.makepyfile(SETUP + text)
        return pytester.runpytest_subprocess("--strict-markers", "-p", "no:cacheprovider", *options)

    return start


def test_call_forms(run):
    result = run(
        """
def test_call(benchmark):
    assert benchmark(divmod, 7, 2) == (3, 1)
    stats = benchmark.stats.stats
    assert 0 < stats.min <= stats.median <= stats.max
    assert stats.q1 <= stats.median <= stats.q3 and stats.iqr == stats.q3 - stats.q1
    assert stats.min <= stats.ld15iqr <= stats.hd15iqr <= stats.max
    assert stats.rounds == len(stats.data) >= 5
    assert benchmark.stats["mean"] == stats.mean and benchmark.stats.iterations > 100
    assert stats.interval[0] <= stats.median <= stats.interval[1]
    assert stats.ops == pytest.approx(1 / stats.mean)
    assert set(stats.as_dict()) >= {"min", "max", "mean", "stddev", "median", "outliers"}

def test_keywords(benchmark):
    assert benchmark(sorted, [1, 2], reverse=True) == [2, 1]

def test_decorator(benchmark):
    @benchmark
    def result():
        return 5
    assert result == 5

def test_own_name(hasten_benchmark):
    assert hasten_benchmark(int, "12") == 12

def test_both_names_are_one(benchmark, hasten_benchmark):
    assert benchmark is hasten_benchmark

def test_once(benchmark):
    benchmark(int)
    with pytest.raises(Exception, match="Fixture can only be used once"):
        benchmark(int)

def test_raises(benchmark):
    with pytest.raises(ValueError):
        benchmark(int, "x")
    assert benchmark.has_error

def test_unused(benchmark):
    pass

class TestClass:
    @pytest.mark.parametrize("size", [1, 2])
    def test_method(self, benchmark, size):
        benchmark.extra_info["size"] = size
        benchmark(range, size)
""",
        *QUICK,
    )
    result.assert_outcomes(passed=10)
    result.stdout.fnmatch_lines(
        [
            "*- benchmark: 7 measured -*",
            "name *least *median *95 % interval *rounds *iterations *outliers",
            "test_call * ns *",
        ]
    )


def test_pedantic(run):
    result = run(
        """
def test_rounds(benchmark):
    seen = []
    def prepare():
        seen.append("setup")
        return (1,), {"b": 2}
    def function(a, b):
        assert (a, b) == (1, 2)
        seen.append("call")
        return 7
    answer = benchmark.pedantic(
        function, setup=prepare, teardown=lambda a, b: seen.append("down"), rounds=3,
        warmup_rounds=1,
    )
    assert answer == 7
    assert seen == ["setup", "call", "down"] * 4
    assert benchmark.stats.stats.rounds == 3

def test_iterations(benchmark):
    assert benchmark.pedantic(lambda x: x + 1, args=(4,), rounds=2, iterations=10) == 5
    assert benchmark.stats.iterations == 10

@pytest.mark.parametrize("more", [
    {"rounds": 0}, {"iterations": "x"}, {"warmup_rounds": -1},
    {"iterations": 2, "setup": lambda: None},
])
def test_refused(benchmark, more):
    with pytest.raises(ValueError):
        benchmark.pedantic(int, **more)

def test_not_both(benchmark):
    with pytest.raises(TypeError):
        benchmark.pedantic(int, args=(1,), setup=lambda: ((2,), {}))
"""
    )
    result.assert_outcomes(passed=7)


def test_coroutines(run):
    result = run(
        """
async def twice(x):
    await asyncio.sleep(0)
    return 2 * x

def test_coroutine_function(benchmark):
    assert benchmark(twice, 3) == 6
    assert benchmark.stats.stats.rounds >= 5

def test_in_a_loop(benchmark):
    async def main():
        return await benchmark(twice, 4)
    assert asyncio.run(main()) == 8
    assert benchmark.stats.stats.min > 0

def test_pedantic(benchmark):
    assert benchmark.pedantic(twice, args=(5,), rounds=2) == 10
""",
        *QUICK,
    )
    result.assert_outcomes(passed=3)


def test_marker_and_groups(run, pytester):
    result = run(
        """
ticks = iter(range(10**9))

@pytest.mark.benchmark(group="a", min_rounds=3, max_time=0, timer=lambda: next(ticks),
                       warmup=False)
def test_clock(benchmark):
    benchmark(calls.append, 1)
    assert benchmark.stats.stats.data == [1.0, 1.0, 1.0]
    assert benchmark.stats.stats.median == 1
    assert benchmark.group == "a" and benchmark.stats.group == "a"
    assert len(calls) == 5  # one to calibrate, three rounds, one for the result

now = [0.0]

@pytest.mark.benchmark(min_rounds=3, max_time=0, timer=lambda: now[0], warmup=False)
def test_first_call_is_slow(benchmark):
    def function():
        now[0] += 1e-6 if now[0] else 5e-3
    benchmark(function)
    assert benchmark.stats.iterations >= 100
    assert benchmark.stats.stats.median == pytest.approx(1e-6)

@pytest.mark.benchmark(group="a")
def test_other(benchmark):
    benchmark(int)

def test_own_group(benchmark):
    benchmark.group = "b"
    benchmark(int)

@pytest.mark.benchmark(often=3)
def test_unknown(benchmark):
    pass

@pytest.mark.benchmark(disable_gc=True)
def test_collector(benchmark):
    import gc
    seen = set()
    benchmark(lambda: seen.add(gc.isenabled()))
    assert False in seen and gc.isenabled()
""",
        *QUICK,
        "--benchmark-json=out.json",
    )
    result.assert_outcomes(passed=5, errors=1)
    result.stdout.fnmatch_lines(
        ["*ValueError: benchmark does not know often", "*benchmark 'a': 2 measured*",
         "*benchmark 'b': 1 measured*"]
    )  # fmt: skip
    report = json.loads((pytester.path / "out.json").read_text())
    (clock,) = [row for row in report["benchmarks"] if row["name"] == "test_clock"]
    assert clock["group"] == "a"
    assert clock["fullname"] == "test_marker_and_groups.py::test_clock"
    assert clock["stats"]["median"] == 1 and clock["stats"]["rounds"] == 3
    assert clock["stats"]["data"] == [1, 1, 1] and clock["options"]["min_rounds"] == 3


def test_limits(run):
    result = run(
        """
def slow():
    return sum(range(20000))

def large():
    return len(bytes(3_000_000))

@pytest.mark.benchmark(limit="1 ns")
def test_above(benchmark):
    benchmark(slow)

@pytest.mark.benchmark(limit="1 h")
def test_below(benchmark):
    benchmark(slow)

@hasten.budget(time="1 ns", memory="1 MB")
def test_budget(benchmark):
    benchmark(large)

@hasten.budget(time="1 h", memory="8 MB", complexity="n log n")
def test_within(benchmark):
    benchmark(large)

@hasten.budget(memory="1 MB")
def limited():
    return large()

def test_budget_of_function(benchmark):
    assert benchmark(limited) == 3_000_000

def pairs(n):
    return sum(1 for a in range(n) for b in range(n))

@hasten.budget(complexity="n")
def test_growth_above(benchmark):
    assert benchmark.complexity(pairs, budget=2).time.growth == "O(n^2)"

@hasten.budget(complexity="n^2")
def test_growth_within(benchmark):
    benchmark.complexity(pairs, budget=2)
""",
        *QUICK,
    )
    result.assert_outcomes(passed=3, failed=4)
    result.stdout.fnmatch_lines(
        [
            "Above its budget: it was limited to 1.00 ns but takes *",
            "Above its budget: it was limited to 1.00 ns but takes *",
            "it was limited to 1.0 MiB but its peak is 2.9 MiB",
            "Above its budget: it was limited to 1.0 MiB but its peak is 2.9 MiB",
            "Above its budget: it was limited to O(n) but is O(n^2)*",
        ]
    )


def test_disabled_skipped_only(run):
    text = """
def test_benchmark(benchmark):
    assert benchmark(lambda: calls.append(1) or 5) == 5
    assert calls == [1] and benchmark.stats is None and benchmark.disabled

def test_other():
    pass
"""
    pedantic = """
def test_pedantic(benchmark):
    setup = lambda: calls.append("setup") or ((3,), {})
    down = calls.append
    assert benchmark.pedantic(lambda x: x + 1, setup=setup, teardown=down, rounds=2) == 4
    assert calls == ["setup", 3]
"""
    growth = """
def test_growth(benchmark):
    result = benchmark.complexity(lambda n: calls.append(n))
    assert len(calls) == 1 and result.sizes == [] and result.time.growth is None
    assert result.time.doubt == "few sizes" and result.time.is_at_most("n") is None
    assert str(result.time)
"""
    run(growth, "--benchmark-disable").assert_outcomes(passed=1)
    run(pedantic, "--benchmark-disable").assert_outcomes(passed=1)
    result = run(text, "--benchmark-disable")
    result.assert_outcomes(passed=2)
    result.stdout.no_fnmatch_line("*measured*")
    run(text, "--benchmark-skip").assert_outcomes(passed=1, skipped=1)
    run(text, "--benchmark-only", "--hasten-benchmark-disable").assert_outcomes(passed=1, skipped=1)


def test_weave(run):
    result = run(
        """
def test_named(benchmark_weave, benchmark):
    original = time.sleep
    benchmark_weave("time.sleep")
    time.sleep(0)
    assert benchmark.stats.stats.rounds >= 1 and time.sleep is original

def test_left_alone(benchmark):
    original = time.sleep
    benchmark.patch("time.sleep")
    assert time.sleep is not original
    calls.append(original)

def test_is_back():
    assert time.sleep is calls[-1]
""",
        *QUICK,
    )
    result.assert_outcomes(passed=3)


def test_no_files_stay_open(run):
    result = run(
        """
import os

@pytest.mark.parametrize("number", range(4))
def test_files(benchmark, number):
    benchmark(int)
    calls.append(len(os.listdir("/proc/self/fd")))
    assert calls[number] == calls[0]
""",
        *QUICK,
    )
    result.assert_outcomes(passed=4)


def test_memory_where_the_standard_module_traces(run):
    result = run(
        """
import tracemalloc

@pytest.fixture
def traced():
    tracemalloc.start()
    yield
    assert tracemalloc.is_tracing()
    tracemalloc.stop()

@hasten.budget(memory="1 MB")
def test_above(traced, benchmark):
    benchmark(bytes, 3_000_000)
""",
        *QUICK,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*it was limited to 1.0 MiB but its peak is 2.9 MiB"])


def test_memory_of_pedantic_and_coroutines(run):
    result = run(
        """
async def make(size):
    await asyncio.sleep(0)
    return bytes(size)

@hasten.budget(memory="1 MB")
def test_coroutine(benchmark):
    benchmark(make, 3_000_000)

@hasten.budget(memory="1 MB")
def test_pedantic(benchmark):
    down = []
    benchmark.pedantic(bytes, setup=lambda: ((3_000_000,), {}), teardown=down.append)
    assert down == [3_000_000]

@hasten.budget(memory="1 MB")
def test_setup_is_not_counted(benchmark):
    benchmark.pedantic(len, setup=lambda: ((bytes(3_000_000),), {}))

@hasten.budget(memory="1 MB")
def test_not_once_more(benchmark):
    left = iter([((3_000_000,), {})])
    benchmark.pedantic(bytes, setup=lambda: next(left))
""",
        *QUICK,
    )
    result.assert_outcomes(failed=2, passed=2)
    result.stdout.fnmatch_lines(["*its peak is 2.9 MiB", "*its peak is 2.9 MiB"])


def test_saved_runs(run, pytester):
    text = """
def test_it(benchmark):
    benchmark.extra_info["a"] = 1
    benchmark(int)

@pytest.mark.benchmark(timer=time.perf_counter)
def test_slow(benchmark):
    benchmark.pedantic(time.sleep, (0.001,), rounds=3)
"""
    result = run(text, *QUICK, "--benchmark-save=first")
    result.assert_outcomes(passed=2)
    result.stderr.fnmatch_lines(["Saved benchmark data in: *0001_first.json"])
    (folder,) = (pytester.path / ".benchmarks").iterdir()
    first = json.loads((folder / "0001_first.json").read_text())
    assert [row["name"] for row in first["benchmarks"]] == ["test_it", "test_slow"]
    assert first["benchmarks"][0]["extra_info"] == {"a": 1}
    assert "data" not in first["benchmarks"][0]["stats"]
    result = run(
        text, *QUICK, "--benchmark-autosave", "--benchmark-save-data", "--benchmark-compare"
    )
    result.stderr.fnmatch_lines(
        ["Comparing against benchmarks from: *0001_first.json", "Saved benchmark data in: *0002_*"]
    )
    result.stdout.fnmatch_lines(
        ["*compared with 0001_first.json*", "name *was *is *change*", "test_it * ns *%*"]
    )
    (second,) = folder.glob("0002_*.json")
    assert len(json.loads(second.read_text())["benchmarks"][1]["stats"]["data"]) == 3
    # A saved run that was a thousand times as fast.
    for row in first["benchmarks"]:
        row["stats"] = dict.fromkeys(row["stats"], 1e-12)
    (folder / "0003_fast.json").write_text(json.dumps(first))
    words = (*QUICK, "--benchmark-compare=3")
    for limit, is_over in (("min:5%", True), ("mean:0.0005", True), ("mean:100", False)):
        result = run(text, *words, f"--benchmark-compare-fail={limit}")
        assert result.ret == (4 if is_over else 0)
        assert ("Performance has regressed" in result.stderr.str()) is is_over
    text += "def test_fails(): assert not 'here'\n"
    result = run(text, *words, "--benchmark-compare-fail=mean:0.0005", "--junit-xml=out.xml")
    assert result.ret == 4
    assert "test_slow: mean was 1e-12 s and is 0.001" in result.stderr.str()
    # What else there is to say is said.
    result.stdout.fnmatch_lines(["*assert not 'here'*", "*compared with 0003_fast.json*"])
    assert 'failures="1"' in (pytester.path / "out.xml").read_text()


def test_saved_runs_that_are_not_there(run, pytester):
    text = "def test_it(benchmark):\n    benchmark(int)\n"
    result = run(text, *QUICK, "--benchmark-compare")
    assert result.ret == 0
    result.stderr.fnmatch_lines(
        ["*Can't compare. No benchmark files in '*'. Can't load the previous benchmark."]
    )
    for words, reason in (
        (
            ("--benchmark-save=asd:f?",),
            r"Must not contain any of these characters: /:*?<>|\ (it has",
        ),
        (("--benchmark-save=",), "Can't be empty."),
        (("--benchmark-compare-fail=?",), "Could not parse value: '?'."),
        (("--benchmark-storage=elasticsearch+http://x", "--benchmark-autosave"), "takes file://"),
    ):
        result = run(text, *words)
        assert result.ret == 4 and reason in result.stderr.str()
    run(text, *QUICK, "--benchmark-save=x")
    (folder,) = (pytester.path / ".benchmarks").iterdir()
    (folder / "0002_broken.json").write_text('{"benchmarks": [{}]}')
    result = run(text, *QUICK, "--benchmark-compare")
    assert result.ret == 4 and "0002_broken.json is no saved run" in result.stderr.str()
    result = run(text, *QUICK, "--benchmark-compare=9")
    assert result.ret == 0 and "No benchmark files match '9'." in result.stderr.str()
    (pytester.path / "taken").write_text("")
    result = run(text, *QUICK, "--benchmark-save=x", "--benchmark-storage=taken")
    assert result.ret == 0 and "benchmarks cannot be saved: " in result.stderr.str()


def test_wrong_options(run):
    result = run("def test_it(benchmark):\n    benchmark(int)\n", "--benchmark-timer=no.such")
    result.stdout.fnmatch_lines(["*there is no clock no.such*"])


def test_steps_back_where_pytest_benchmark_is(pytester, monkeypatch):
    """A plugin of that name and module stands for it."""
    package = pytester.mkpydir("pytest_benchmark")
    (package / "plugin.py").write_text(
        "import pytest\n"
        "def pytest_addoption(parser):\n"
        "    parser.getgroup('benchmark').addoption('--benchmark-json')\n"
        "def pytest_configure(config):\n"
        "    config.addinivalue_line('markers', 'benchmark: theirs')\n"
        "@pytest.fixture\n"
        "def benchmark():\n"
        "    return 'theirs'\n"
    )
    information = pytester.path / "pytest_benchmark-5.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Name: pytest-benchmark\nVersion: 5.0\n")
    (information / "entry_points.txt").write_text(
        "[pytest11]\nbenchmark = pytest_benchmark.plugin\n"
    )
    pytester.makepyfile(
        "def test_both(benchmark, hasten_benchmark):\n"
        "    assert benchmark == 'theirs'\n"
        "    assert hasten_benchmark(int, '3') == 3\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(pytester.path))
    result = pytester.runpytest_subprocess(
        "-p", "no:cacheprovider", "--hasten-benchmark-max-time=0.01", "--benchmark-json=theirs"
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*benchmark: 1 measured*"])
    blocked = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:benchmark")
    blocked.assert_outcomes(failed=1)  # the fixture is hasten's then


def test_marker_is_listed(run):
    result = run("", "--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.benchmark(*"])
