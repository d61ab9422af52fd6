# SPDX-License-Identifier: MIT
"""Runs tests of another project that import its names, with those beside this file in its
place, and writes what became of each.

Usage: run_peer.py OUTCOMES TESTS...
OUTCOMES is a JSON file: {test id: [outcome, traceback]}.
"""

import asyncio
import inspect
import json
import sys
from pathlib import Path

import pytest


class Recorder:
    """Also runs tests that are coroutine functions."""

    def __init__(self):
        self.outcomes = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem):
        if not inspect.iscoroutinefunction(pyfuncitem.obj):
            return None
        names = pyfuncitem._fixtureinfo.argnames
        asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
        return True

    def pytest_collectreport(self, report):
        if report.failed:
            self.outcomes[report.nodeid] = ("failed", report.longreprtext)

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.nodeid] = (report.outcome, report.longreprtext)


def main(path, tests):
    recorder = Recorder()
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    options = ["-q", "-p", "no:cacheprovider", "-c", "pytest.ini", "--rootdir=."]
    pytest.main([*options, *tests], plugins=[recorder])
    Path(path).write_text(json.dumps(recorder.outcomes, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
