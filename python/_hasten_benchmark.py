# SPDX-License-Identifier: MIT
"""pytest's fixture `benchmark`, in pytest-benchmark's call forms.

    def test_parse(benchmark):
        assert benchmark(parse, "1 + 1") == 2

`hasten_benchmark` is always this one. Where pytest-benchmark is installed too, `benchmark` and
the options --benchmark-* are its; else they are this one's as well as --hasten-benchmark-*.
Measuring is in hasten._benchmark, which is imported when a test uses a fixture.
"""

import sys

import _hasten_against
import pytest

MARKER = (
    "benchmark(group, min_rounds, max_time, min_time, timer, disable_gc, warmup, limit, ...): how"
    ' a test\'s benchmark is measured; limit="5 ms" fails it where the median is above (hasten)'
)
FIXTURES = ("benchmark", "hasten_benchmark", "benchmark_weave")
COLUMNS = ("name", "least", "median", "95 % interval", "rounds", "iterations", "outliers")


def _theirs_is_installed(pluginmanager):
    import importlib.util

    return (
        not pluginmanager.is_blocked("benchmark")
        and importlib.util.find_spec("pytest_benchmark") is not None
    )


def pytest_addoption(parser, pluginmanager):
    group = parser.getgroup("hasten", "benchmarks (hasten)")
    prefixes = ["--hasten-benchmark-"]
    if not _theirs_is_installed(pluginmanager):
        prefixes.append("--benchmark-")

    def add(name, **more):
        names = [prefix + name for prefix in prefixes]
        group.addoption(*names, dest="hasten_benchmark_" + name.replace("-", "_"), **more)

    def flag(name, text):
        add(name, action="store_true", default=False, help=text)

    add("max-time", type=float, metavar="SECONDS", help="time for a benchmark (default: 1)")
    add("min-time", type=float, metavar="SECONDS", help="least time of a round")
    add("min-rounds", type=int, metavar="NUM", help="least number of rounds (default: 5)")
    add("timer", metavar="FUNC", help="the clock (default: time.perf_counter)")
    add("warmup", nargs="?", const="on", choices=("auto", "on", "off"), help="rounds before")
    add("warmup-iterations", type=int, metavar="NUM", help="most executions of them")
    add("calibration-precision", type=int, metavar="NUM", help="taken, and of no effect")
    add("columns", metavar="LABELS", help="taken, and of no effect")
    flag("verbose", "taken, and of no effect")
    add("json", metavar="PATH", help="write what was measured to this file")
    add("group-by", metavar="LABEL", default="group", help="group (default), name, func, param")
    add("sort", metavar="COL", default="median", help="min, median (default), mean, max or name")
    flag("disable-gc", "no garbage collections while measuring")
    flag("disable", "run benchmarked functions once, without measuring")
    flag("enable", "measure although --benchmark-disable is given")
    flag("skip", "skip tests that use the fixture")
    flag("only", "skip tests that do not")
    _add_saved(add, flag)
    _hasten_against.add_options(group)


def _add_saved(add, flag):
    """Options of saved runs; what reads their values is imported where there are any."""

    def saved(what):
        def convert(text):
            import _hasten_saved

            return getattr(_hasten_saved, what)(text)

        return convert

    add("save", type=saved("name_of_run"), metavar="NAME", help="save this run as NUM_NAME.json")
    flag("autosave", "save this run as NUM_COMMIT_TIME.json")
    flag("save-data", "saved runs have every round")
    add("storage", metavar="URI", default="file://./.benchmarks",
        help="where saved runs are (default: file://./.benchmarks)")  # fmt: skip
    add("compare", nargs="?", const="", metavar="NUM|_ID",
        help="compare with that saved run, the last one by itself")  # fmt: skip
    add("compare-fail", type=saved("expression"), action="append", metavar="EXPR",
        help="fail where it got slower than the saved run: min:5%%, mean:0.001")  # fmt: skip


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    theirs = config.pluginmanager.hasplugin("benchmark")
    if not theirs:
        config.addinivalue_line("markers", MARKER)
    config.hasten_benchmarks = Session(config, theirs)
    config.pluginmanager.register(config.hasten_benchmarks, "hasten_benchmarks")
    if not theirs:
        config.pluginmanager.register(Names(), "hasten_benchmark_names")


def _timer(name):
    import importlib

    module, dot, attribute = name.rpartition(".")
    if not dot:
        raise pytest.UsageError(f"a clock is called like time.perf_counter, not {name!r}")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise pytest.UsageError(f"there is no clock {name}: {error}") from None


def _options_of(config, node):
    """What the command line and the test's marker ask for."""
    from hasten._benchmark import Options

    names = ("max_time", "min_time", "min_rounds", "warmup", "warmup_iterations")
    given = {name: config.getoption("hasten_benchmark_" + name) for name in names}
    values = {name: value for name, value in given.items() if value is not None}
    if config.getoption("hasten_benchmark_disable_gc"):
        values["disable_gc"] = True
    if config.getoption("hasten_benchmark_timer"):
        values["timer"] = _timer(config.getoption("hasten_benchmark_timer"))
    marker = node.get_closest_marker("benchmark")
    if marker is not None:
        if marker.args:
            raise ValueError("benchmark marker can't have positional arguments")
        values |= marker.kwargs
    return Options(values)


def _fixture(request):
    from hasten._benchmark import Benchmark

    node, config = request.node, request.config
    session = config.hasten_benchmarks
    callspec = getattr(node, "callspec", None)
    found = Benchmark(
        _options_of(config, node),
        session.done.append,
        name=node.name,
        fullname=node.nodeid,
        param=None if callspec is None else callspec.id,
        params=None if callspec is None else callspec.params,
        disabled=session.disabled,
        partner=getattr(session.against, "partner", None),
        measured=session.measured(node),
    )
    node.hasten_benchmark = found
    yield found
    found.cleanup()


@pytest.fixture
def hasten_benchmark(request):
    """Measures a function: hasten_benchmark(function, *args, **kwargs) returns its result."""
    yield from _fixture(request)


class Names:
    """The fixtures that pytest-benchmark has too."""

    @pytest.fixture
    def benchmark(self, hasten_benchmark):
        """Measures a function: benchmark(function, *args, **kwargs) returns its result."""
        return hasten_benchmark

    @pytest.fixture
    def benchmark_weave(self, hasten_benchmark):
        """Measures each call of a function that is named: benchmark_weave("time.sleep")."""
        return hasten_benchmark.weave


class Session:
    """What was measured in a run of pytest, and what becomes of it."""

    def __init__(self, config, theirs):
        self.config = config
        self.theirs = theirs
        self.done = []
        # Processes of pytest-xdist disturb each other.
        disabled = config.getoption("hasten_benchmark_disable") or hasattr(config, "workerinput")
        self.disabled = disabled and not config.getoption("hasten_benchmark_enable")
        self.names = {"hasten_benchmark"} if theirs else set(FIXTURES)
        self.against = _hasten_against.make(config, self.names)
        self.saved = self._make_saved(config)
        if self.against is not None:
            config.pluginmanager.register(self.against, "hasten_against")

    def _make_saved(self, config):
        """Saved runs, where they are asked for."""
        names = ("save", "autosave", "compare", "compare_fail")
        given = [config.getoption("hasten_benchmark_" + name) for name in names]
        is_side = isinstance(self.against, _hasten_against.TakesTurns)
        if is_side or hasattr(config, "workerinput") or given in ([None, False, None, None],):
            return None
        from _hasten_saved import Saved

        return Saved(config.getoption, config.rootpath)

    def measured(self, item):
        """What --hasten-against has measured of the test."""
        is_judge = isinstance(self.against, _hasten_against.Against)
        return self.against.measured(item) if is_judge else None

    def pytest_collection_modifyitems(self, config, items):
        skip = config.getoption("hasten_benchmark_skip")
        only = config.getoption("hasten_benchmark_only")
        if not skip and not only:
            return
        for item in items:
            uses = bool(self.names & set(getattr(item, "fixturenames", ())))
            if only and not uses:
                item.add_marker(pytest.mark.skip(reason="not a benchmark"))
            elif skip and not only and uses:
                item.add_marker(pytest.mark.skip(reason="benchmarks are skipped"))

    def pytest_terminal_summary(self, terminalreporter):
        if not self.done:
            return
        option = self.config.getoption
        for title, rows in self.groups(option("hasten_benchmark_group_by")):
            ordered = sorted(rows, key=_sort_key(option("hasten_benchmark_sort")))
            terminalreporter.write_sep("-", f"benchmark{title}: {len(rows)} measured")
            for line in _table(ordered):
                terminalreporter.write_line(line)
        compared = [] if self.saved is None else self.saved.table(self.done, time_text)
        if len(compared) > 1:
            terminalreporter.write_sep("-", f"compared with {self.saved.path.name}")
            for line in aligned(compared):
                terminalreporter.write_line(line)

    def groups(self, label):
        found = {}
        for row in self.done:
            key = {
                "group": row.group,
                "name": row.name,
                "func": row.name.partition("[")[0],
                "param": row.param,
            }.get(label, row.group)
            found.setdefault(key, []).append(row)
        for key in sorted(found, key=lambda key: (key is not None, str(key))):
            yield "" if key is None else f" {key!r}", found[key]

    def pytest_sessionfinish(self, session):
        path = self.config.getoption("hasten_benchmark_json")
        is_side = isinstance(self.against, _hasten_against.TakesTurns)
        if path and not hasattr(self.config, "workerinput") and not is_side:
            from _hasten_saved import write_json

            write_json(path, self.done, getattr(self.against, "found", {}))
        if self.saved is not None:
            self.saved.save(self.done)
            regressions = list(self.saved.regressions(self.done))
            if regressions:
                # An exception would keep others from saying and writing what they have.
                print("ERROR: Performance has regressed:", *regressions, sep="\n", file=sys.stderr)
                session.exitstatus = pytest.ExitCode.USAGE_ERROR


def _sort_key(column):
    if column in ("name", "fullname"):
        return lambda row: row.name
    names = {"least": "min", "min": "min", "max": "max", "mean": "mean"}
    return lambda row: getattr(row.stats, names.get(column, "median"))


def time_text(seconds):
    for unit, factor in (("s", 1), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)):
        if seconds * factor >= 0.9995 or unit == "ns":
            amount = seconds * factor
            digits = 2 if amount < 9.995 else 1 if amount < 99.95 else 0
            return f"{amount:.{digits}f} {unit}"
    raise AssertionError


def _table(rows):
    best = rows[0].stats
    lines = [COLUMNS]
    for row in rows:
        stats = row.stats
        median = time_text(stats.median)
        if len(rows) > 1 and best.median > 0:
            median += f" ({stats.median / best.median:.2f})"
        low, high = stats.interval
        lines.append(
            (
                row.name,
                time_text(stats.min),
                median,
                f"{time_text(low)} to {time_text(high)}" if stats.rounds > 5 else "",
                str(stats.rounds),
                str(row.iterations),
                str(stats.iqr_outliers),
            )
        )
    return aligned(lines)


def aligned(lines):
    """A table's lines; all columns but the first at the right."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    for line in lines:
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]
        yield "  ".join(cells).rstrip()


# Budgets: of the test and of what it measures, by what the fixture has measured; of a test
# that does not use it nothing is known.


def _budgets(item, found):
    """The budgets of the test and of what it has measured."""
    targets = [getattr(item, "obj", None), None if found is None else found.target]
    for target in targets:
        limits = getattr(target, "__hasten_budget__", None)
        if limits is not None:
            yield limits


def _judge_time(limit_s, found):
    """A sentence where the median is above for sure."""
    if found is None or found.stats is None or not found.stats:
        return None
    stats = found.stats.stats
    low = stats.interval[0] if stats.rounds > 5 else stats.min
    if low <= limit_s:
        return None
    return (
        f"it was limited to {time_text(limit_s)} but takes {time_text(stats.median)}"
        f" (95 %: {time_text(stats.interval[0])} to {time_text(stats.interval[1])})"
    )


def _judge_growth(limit, found):
    if found is None or found.growth is None or found.growth.time.is_at_most(limit) is not False:
        return None
    return f"it was limited to {limit} but is {found.growth.time}\n{found.growth}"


def _judge_memory(limit, found):
    """Of one more execution, traced."""
    if found is None or found.again is None or found.disabled:
        return None
    from _hasten_pytest import Tracing, size_text

    try:
        execute, clean_up = found.again()
        with Tracing(1) as module:
            before = module.get_traced_memory()[0]
            module.reset_peak()
            execute()
            peak = module.get_traced_memory()[1] - before
        clean_up()
    except Exception:
        return None  # it cannot be executed once more
    if peak <= limit:
        return None
    return f"it was limited to {size_text(limit)} but its peak is {size_text(peak)}"


def judge(item):
    """Fails the test where what it has measured is above its limits."""
    found = getattr(item, "hasten_benchmark", None)
    wrong = []
    if found is not None and found.options.limit is not None:
        from hasten.budgets import parse_time

        wrong.append(_judge_time(parse_time(found.options.limit) / 1e9, found))
    for limits in _budgets(item, found):
        if limits["time_ns"] is not None:
            wrong.append(_judge_time(limits["time_ns"] / 1e9, found))
        if limits["memory_bytes"] is not None:
            wrong.append(_judge_memory(limits["memory_bytes"], found))
        if limits["complexity"] is not None:
            wrong.append(_judge_growth(limits["complexity"], found))
    wrong = [sentence for sentence in wrong if sentence is not None]
    sentences = ["Above its budget: " + "\n".join(wrong)] if wrong else []
    against = item.config.hasten_benchmarks.against
    if isinstance(against, _hasten_against.Against):
        sentences += filter(None, [against.judge(item)])
    if sentences:
        pytest.fail("\n".join(sentences), pytrace=False)


def _call(pyfuncitem):
    against = pyfuncitem.config.hasten_benchmarks.against
    if isinstance(against, _hasten_against.Against):
        against.judge_before(pyfuncitem)
    result = yield
    judge(pyfuncitem)
    return result


def _refuse(item):
    """With a pluggy before 1.2 a test cannot be failed from around it."""
    marker = item.get_closest_marker("benchmark")
    if marker is not None and "limit" in marker.kwargs:
        pytest.fail("limit needs pluggy 1.2 or later", pytrace=False)


try:
    pytest_pyfunc_call = pytest.hookimpl(wrapper=True)(_call)
except TypeError:
    pytest_runtest_setup = _refuse
