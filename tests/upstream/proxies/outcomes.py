# SPDX-License-Identifier: MIT
"""Writes what became of each test into the file HASTEN_OUTCOMES, as JSON. What is expected to
fail and does not has passed."""

import json
import os

tests = {}


def pytest_runtest_logreport(report):
    name = report.nodeid.rpartition("/")[2]
    if report.failed:
        tests[name] = ("failed", str(report.longrepr))
    elif report.when == "call":
        is_expected = hasattr(report, "wasxfail")
        tests.setdefault(name, ("passed" if report.passed or is_expected else "skipped", ""))
    elif report.skipped:
        tests.setdefault(name, ("skipped", ""))


def pytest_sessionfinish():
    with open(os.environ["HASTEN_OUTCOMES"], "w", encoding="utf-8") as file:
        json.dump(tests, file)
