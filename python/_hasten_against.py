# SPDX-License-Identifier: MIT
"""pytest --hasten-against=REV: is any benchmark slower than it was in another revision?

What was measured is judged where the test ends, so that it fails like any other: before the first
test runs, all benchmarks were measured side by side with those of the revision
(hasten/_against.py). The test runs of both sides load this plugin too and take turns.
"""

import os
import socket
import sys
from pathlib import Path

import pytest

# Where a test run of a side finds who compares: the number of a descriptor.
VARIABLE = "HASTEN_TURNS"
COLUMNS = ("name", "was", "is", "change", "95 % interval", "verdict")
# Options of one letter that take a value: what follows is no file.
WITH_VALUE = ("-c", "-k", "-m", "-n", "-o", "-p", "-r", "-W")
UNSAID = ("", "fine", "faster", "slower", "not measured")


def add_options(group):
    group.addoption(
        "--hasten-against", metavar="REV",
        help="compare each benchmark with that of this git revision; slower ones fail",
    )  # fmt: skip
    group.addoption(
        "--hasten-against-budget", type=float, default=5.0, metavar="SECONDS",
        help="time to compare a benchmark (default: 5)",
    )  # fmt: skip
    group.addoption(
        "--hasten-against-threshold", default="1", metavar="PERCENT",
        help="by how much a benchmark may get slower (default: 1)",
    )  # fmt: skip
    group.addoption(
        "--hasten-against-timeout", type=float, default=60.0, metavar="SECONDS",
        help="time until a block of executions is given up (default: 60)",
    )  # fmt: skip


def make(config, names):
    """What this test run has to do with comparisons: it makes one, is a side of one, nothing."""
    if VARIABLE in os.environ:
        return TakesTurns(config, names)
    return Against(config, names) if config.getoption("hasten_against") else None


def parse_share(text):
    """ "5 %" and 5 as 0.05."""
    try:
        share = float(str(text).strip().removesuffix("%")) / 100
    except ValueError:
        share = -1.0
    if not 0 <= share < 100:
        raise ValueError(f'a threshold is a share in percent, like "5 %", not {text!r}')
    return share


def _uses(item, names):
    return bool(names & set(getattr(item, "fixturenames", ())))


class Against:
    """Of the test run that the user has started: measures before, judges afterwards."""

    def __init__(self, config, names):
        self.config = config
        self.names = names
        self.found = {}
        self.label = config.getoption("hasten_against")
        option = config.getoption
        if not hasattr(sys.modules["_hasten_benchmark"], "pytest_pyfunc_call"):
            raise pytest.UsageError("--hasten-against needs pluggy 1.2 or later")
        if option("numprocesses", None) or option("tx", None):
            raise pytest.UsageError("--hasten-against measures one after the other: leave out -n")
        if option("hasten_benchmark_disable") and not option("hasten_benchmark_enable"):
            raise pytest.UsageError("--hasten-against measures, --benchmark-disable does not")
        if not (0 < option("hasten_against_budget") < 86400):
            raise pytest.UsageError("--hasten-against-budget is a number of seconds above 0")
        if not (option("hasten_against_timeout") > 0):
            raise pytest.UsageError("--hasten-against-timeout is a number of seconds above 0")
        try:
            self.threshold = parse_share(option("hasten_against_threshold"))
        except ValueError as error:
            raise pytest.UsageError(f"--hasten-against-threshold: {error}") from None

    @pytest.hookimpl(tryfirst=True, hookwrapper=True)
    def pytest_runtestloop(self, session):
        items = [item for item in session.items if _uses(item, self.names)]
        broken = session.testsfailed and not session.config.option.continue_on_collection_errors
        if items and not broken and not session.config.option.collectonly:
            from hasten._against import Refused

            try:
                self.compare(items)
            except Refused as error:
                raise pytest.UsageError(f"--hasten-against: {error}") from None
        yield

    def say(self, text, is_progress=True):
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None:
            return
        if not is_progress:
            reporter.write_line(f"hasten: {text}")
        elif reporter.isatty:
            reporter.rewrite(f"hasten: {text}", erase=True)

    def compare(self, items):
        from hasten.__main__ import find_command
        from hasten._against import Comparison, Refused, prepare

        tests = self.tests(items)
        directory = str(self.config.invocation_params.dir)
        command = find_command()
        if command is None:
            raise Refused("the hasten command is not installed here; reinstall the package")
        revisions = []
        for name in (self.config.getoption("hasten_against"), "."):
            self.say(f"building {'the working tree' if name == '.' else name}")
            revisions.append(prepare(command, sys.executable, name, directory))
        self.label = revisions[0].label
        paths = sorted({str(item.path) for item in items})
        if not any(Path(revisions[0].moved(os.path.realpath(path))).exists() for path in paths):
            for test in tests:
                test.fail("new", f"{self.label} has no such file")
            return
        comparison = Comparison(
            revisions, lambda revision: self.arguments(revision, paths), tests,
            self.config.getoption("hasten_against_timeout"), self.say,
        )  # fmt: skip
        seconds = comparison.rounds + sum(test.budget_s for test in tests)
        self.say(
            f"{len(tests)} benchmarks are compared with {self.label}, for some {seconds:.0f} s",
            is_progress=False,
        )
        comparison.run()
        self.say("")

    def tests(self, items):
        from hasten._against import Compared

        budget_s = self.config.getoption("hasten_against_budget")
        for item in items:
            marker = item.get_closest_marker("benchmark")
            threshold = None if marker is None else marker.kwargs.get("threshold")
            try:
                share = self.threshold if threshold is None else parse_share(threshold)
            except ValueError as error:
                raise pytest.UsageError(f"{item.nodeid}: {error}") from None
            self.found[item.nodeid] = Compared(item.nodeid, share, budget_s)
        return list(self.found.values())

    def arguments(self, revision, paths):
        """What this test run was started with, for one of that revision."""
        from hasten._against import Refused

        root = os.path.realpath(self.config.rootpath)
        if root != revision.top and not root.startswith(os.path.join(revision.top, "")):
            raise Refused(f"the tests' root, {root}, is not in the repository {revision.top}")
        given = list(map(str, self.config.invocation_params.args))
        before = ["", *given]
        kept = [
            revision.moved(text)
            for text, previous in zip(given, before)
            if text not in self.config.args or previous in WITH_VALUE
        ]
        option = self.config.getoption
        if option("xmlpath", None):
            kept.append("--junit-xml=")
        if self.config.pluginmanager.hasplugin("_cov"):
            kept.append("--no-cov")
        kept += ["--maxfail=0", f"--rootdir={revision.moved(root)}"]
        moved = [revision.moved(os.path.realpath(path)) for path in paths]
        return kept + [path for path in moved if Path(path).exists()]

    def measured(self, item):
        """Iterations and seconds, where they were taken here."""
        found = self.found.get(item.nodeid)
        if found is None or not found.log_ratios or not found.loops:
            return None
        return found.loops[1], found.seconds[1]

    def judge_before(self, item):
        found = self.found.get(item.nodeid)
        if found is not None and found.is_hanging:
            pytest.fail(f"It could not be compared: {found.reason}", pytrace=False)

    def judge(self, item):
        """A sentence where the test is slower than it may be, or nobody knows."""
        found = self.found.get(item.nodeid)
        if found is None or found.verdict not in ("slower", "failed"):
            return None
        if found.verdict == "failed":
            return f"It could not be compared: {found.reason}"
        return f"Slower than it was: {found.reason}"

    def pytest_terminal_summary(self, terminalreporter):
        from _hasten_benchmark import aligned

        shown = [test for test in self.found.values() if test.verdict not in ("", "not measured")]
        if not shown:
            return
        verdicts = [test.verdict for test in shown]
        order = ("slower", "failed", "unclear", "new", "faster", "fine")
        counts = [f"{verdicts.count(v)} {v}" for v in order if v in verdicts]
        terminalreporter.write_sep("-", f"against {self.label}: {', '.join(counts)}")
        for line in aligned([COLUMNS, *map(_row, shown)]):
            terminalreporter.write_line(line)
        for test in shown:
            if test.verdict not in UNSAID:
                terminalreporter.write_line(f"{test.name}: {test.verdict}: {test.reason}")


def _row(test):
    from _hasten_benchmark import time_text

    was, now = test.median(0), test.median(1)
    known = bool(test.log_ratios)
    is_interval = known and test.low > 0
    return (
        test.name,
        "" if was is None else time_text(was),
        "" if now is None else time_text(now),
        f"{100 * (test.ratio - 1):+.1f} %" if known else "",
        f"{100 * (test.low - 1):+.1f} % to {100 * (test.high - 1):+.1f} %" if is_interval else "",
        test.verdict,
    )


class TakesTurns:
    """Of a test run that is one side: runs the tests it is told to."""

    def __init__(self, config, names):
        from hasten._turns import Channel, Partner

        descriptor = int(os.environ.pop(VARIABLE))
        # What the tests start must not keep the socket open, nor take part.
        os.set_inheritable(descriptor, False)
        self.channel = Channel(socket.socket(fileno=descriptor))
        self.partner = Partner(self.channel)
        self.names = names
        self.failed = {}
        self.reports = []
        # A debugger would wait for someone to answer.
        pdb = config.pluginmanager.get_plugin("pdbinvoke")
        if pdb is not None:
            config.pluginmanager.unregister(pdb)

    def pytest_collectreport(self, report):
        if report.failed:
            self.failed[report.nodeid] = _last_line(report)

    def pytest_runtest_logreport(self, report):
        self.reports.append(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        from hasten._turns import Ended

        items = {item.nodeid: item for item in session.items if _uses(item, self.names)}
        try:
            self.channel.send({"ready": list(items), "failed": self.failed})
            while True:
                message = self.channel.receive()
                if "test" in message:
                    self.run(items[message["test"]], items.get(message["next"]))
        except Ended:
            return True

    def run(self, item, after):
        self.reports.clear()
        item.ihook.pytest_runtest_protocol(item=item, nextitem=after)
        bad = [report for report in self.reports if report.failed]
        skipped = any(report.skipped for report in self.reports)
        self.channel.send(
            {
                "end": "failed" if bad else "skipped" if skipped else "passed",
                "text": _last_line(bad[0]) if bad else "",
                "apart": _from_elsewhere(),
            }
        )


def _last_line(report):
    """What went wrong, in a line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = report.longreprtext if crash is None else crash.message
    lines = [line for line in text.splitlines() if line.strip()] or ["for no reason"]
    return (lines[-1] if crash is None else lines[0]).removeprefix("E").strip()


def _from_elsewhere():
    """What was imported from the working tree is not what the revision has."""
    top = os.environ.get("HASTEN_BENCH_APART")
    for name, module in list(sys.modules.items()) if top is not None else ():
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or not file.startswith(os.path.join(top, "")):
            continue
        if not file.startswith((sys.prefix, sys.base_prefix)) and "-packages" not in file:
            return f"{name} was imported from the working tree, not from its revision"
    return ""
