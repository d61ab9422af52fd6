# SPDX-License-Identifier: MIT
"""Compares what became of CPython's tests with the list of known deviations."""

import tomllib
from dataclasses import dataclass


@dataclass(frozen=True)
class Deviation:
    test: str
    versions: tuple[str, ...]
    reason: str


def read_deviations(path):
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("deviation", [])
    found = []
    for entry in entries:
        if set(entry) != {"test", "versions", "reason"}:
            raise ValueError(f"a deviation has a test, versions and a reason: {entry}")
        if not entry["reason"].strip() or not entry["versions"]:
            raise ValueError(f"reason or versions are missing: {entry}")
        found.append(Deviation(entry["test"], tuple(entry["versions"]), entry["reason"]))
    return found


def judge(tests, deviations, version, suite):
    """The complaints about `tests`, {id: (outcome, traceback)}, which the suite ran."""
    if not any(outcome == "passed" for outcome, _ in tests.values()):
        yield "no test passed: did any run?"
    known = {deviation.test for deviation in deviations if version in deviation.versions}
    for test, (outcome, text) in tests.items():
        if outcome == "failed" and test not in known:
            yield f"{test} fails:\n{text}"
    for test in sorted(known):
        # One suite runs tests of another again: only the owner must have them all.
        if test in tests or test.startswith(suite + "."):
            outcome = tests.get(test, ("missing", ""))[0]
            if outcome != "failed":
                yield f"{test} is a known deviation, but {outcome}: take it off the list"
