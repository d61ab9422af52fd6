# SPDX-License-Identifier: MIT
"""Runs one of CPython's own test modules and writes what became of each test.

Usage: python -m hasten.dropin run_suite.py MODULE OUTCOMES [REPLACED,...]
OUTCOMES is a JSON file: {"replaced": {standard name: name of the module that stands
there}, "tests": {test id: [outcome, traceback]}}; outcomes are those of unittest.
"""

import importlib
import json
import sys
import unittest


class Recorder(unittest.TextTestResult):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.outcomes = {}

    def record(self, test, outcome, text=""):
        self.outcomes[test.id()] = (outcome, text)

    def addSuccess(self, test):
        super().addSuccess(test)
        # A subtest may have failed before.
        self.outcomes.setdefault(test.id(), ("passed", ""))

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.record(test, "failed", self.failures[-1][1])

    def addError(self, test, error):
        super().addError(test, error)
        self.record(test, "failed", self.errors[-1][1])

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            text = "".join(entry[1] for entry in (self.failures + self.errors)[-1:])
            self.record(test, "failed", f"{subtest}\n{text}")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.outcomes.setdefault(test.id(), ("skipped", reason))

    def addExpectedFailure(self, test, error):
        super().addExpectedFailure(test, error)
        self.record(test, "passed")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.record(test, "failed", "unexpected success")


def main(module, path, replaced):
    standing = {name: importlib.import_module(name).__name__ for name in replaced}
    suite = unittest.defaultTestLoader.loadTestsFromName(module)
    runner = unittest.TextTestRunner(resultclass=Recorder, verbosity=0, stream=sys.stderr)
    result = runner.run(suite)
    with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
        json.dump({"replaced": standing, "tests": result.outcomes}, file, indent=1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3].split(","))
