# SPDX-License-Identifier: MIT
"""The judge of CPython's tests can say no."""

import pytest
from judging import Deviation, judge, read_deviations

PASSED = ("passed", "")
FAILED = ("failed", "Traceback")
KNOWN = [Deviation("test.a.T.known", ("3.12",), "because")]


@pytest.mark.parametrize(
    ("tests", "version", "complaints"),
    [
        ({"test.a.T.x": PASSED}, "3.11", []),
        ({"test.a.T.x": PASSED, "test.a.T.known": FAILED}, "3.12", []),
        ({"test.a.T.x": PASSED, "test.a.T.y": FAILED}, "3.12", ["y fails", "known deviation"]),
        ({"test.a.T.x": PASSED, "test.a.T.known": FAILED}, "3.11", ["known fails"]),
        ({"test.a.T.known": PASSED}, "3.12", ["passed: take it off"]),
        ({"test.a.T.x": PASSED, "test.a.T.known": ("skipped", "")}, "3.12", ["skipped: take"]),
        ({"test.a.T.x": PASSED}, "3.12", ["missing: take it off"]),
        ({}, "3.11", ["no test passed"]),
        ({"test.a.T.x": ("skipped", "")}, "3.11", ["no test passed"]),
    ],
)
def test_judge(tests, version, complaints):
    found = list(judge(tests, KNOWN, version, "test.a"))
    assert len(found) == len(complaints)
    for text, part in zip(found, complaints):
        assert part in text


def test_deviations_of_other_suites_do_not_count():
    assert list(judge({"test.b.T.x": PASSED}, KNOWN, "3.12", "test.b")) == []


@pytest.mark.parametrize(
    "text",
    [
        '[[deviation]]\ntest = "test.a"\nversions = ["3.11"]\n',
        '[[deviation]]\ntest = "test.a"\nversions = ["3.11"]\nreason = " "\n',
        '[[deviation]]\ntest = "test.a"\nversions = []\nreason = "why"\n',
    ],
)
def test_deviation_without_a_reason_is_refused(text, tmp_path):
    path = tmp_path / "deviations.toml"
    path.write_text(text)
    with pytest.raises(ValueError):
        read_deviations(path)
