# SPDX-License-Identifier: MIT
"""Shares of time are those that the programs measured themselves."""

import pytest
from hasten_program import Hasten, Interpreter, Outcome, target

SECONDS = 3


def tolerance(samples: int) -> float:
    """Two points for a program that shares its machine, and 2.6 standard errors of a share
    of one half, which 99 % of all runs are within. benchmarks/accuracy.py asks for one point."""
    return float(0.02 + 2.6 * (0.25 / samples) ** 0.5)


def check(outcome: Outcome, metric: str) -> None:
    assert outcome.code == 0, outcome.err
    outcome.recording.check_consistency()
    truth = outcome.told["shares"]
    seen, samples = outcome.recording.shares(list(truth), metric)
    assert samples > 200  # a busy machine leaves a few hundred
    assert seen == pytest.approx(truth, abs=tolerance(samples))
    failed, taken = (
        int(outcome.recording.facts["samples.failed"]),
        int(outcome.recording.facts["samples"]),
    )
    assert failed <= 0.01 * (taken + failed)


@pytest.mark.parametrize(
    ("program", "metric"),
    [
        ("shares.py", "self"),
        ("deep.py 30", "self"),
        ("deep.py 200", "self"),
        ("recursive.py", "self"),
        ("short_leaves.py", "total"),
        ("generators.py", "self"),
        ("c_heavy.py", "total"),
        ("exec_heavy.py", "self"),
        ("asyncio_tasks.py", "total"),
        ("gc_heavy.py", "total"),
    ],
)
def test_shares(hasten: Hasten, interpreter: Interpreter, program: str, metric: str) -> None:
    name, *rest = program.split()
    check(hasten.run(interpreter, target(name), SECONDS, *rest), metric)


@pytest.mark.parametrize("program", ["shares.py", "short_leaves.py"])
def test_shares_of_a_stopped_process(
    hasten: Hasten, interpreter: Interpreter, program: str
) -> None:
    metric = "self" if program == "shares.py" else "total"
    check(hasten.run(interpreter, target(program), SECONDS, options=("--blocking",)), metric)


@pytest.mark.parametrize("mode", ["cpu", "gil"])
def test_shares_in_other_modes(hasten: Hasten, interpreter: Interpreter, mode: str) -> None:
    check(hasten.run(interpreter, target("shares.py"), SECONDS, options=("--mode", mode)), "self")


def test_report_agrees_with_the_recording(hasten: Hasten, interpreter: Interpreter) -> None:
    outcome = hasten.run(interpreter, target("shares.py"), 1.5)
    functions = {row["name"]: row for row in outcome.report["functions"]}
    for name in ("ten", "twenty", "thirty", "forty"):
        row = outcome.recording.functions[name]
        assert functions[name]["self_s"] == pytest.approx(row["self"], rel=0.02, abs=0.01)
        assert functions[name]["total_s"] == pytest.approx(row["total"], rel=0.02, abs=0.01)
        assert functions[name]["line"] == row["line"]
    assert outcome.report["samples"] == int(outcome.recording.facts["samples"])
    assert outcome.report["failed"] == int(outcome.recording.facts["samples.failed"])
    lines = [row for row in outcome.report["lines"] if row["name"] == "forty"]
    assert sum(row["self_s"] for row in lines) == pytest.approx(
        functions["forty"]["self_s"], rel=0.01
    )


def test_generators_are_seen_as_often_as_they_run(hasten: Hasten, interpreter: Interpreter) -> None:
    """They give way to their callers some ten million times a second."""
    names = ["squares", "resumed", "<genexpr>", "driven"]
    program = target("short_generators.py")
    running = hasten.run(interpreter, program, SECONDS, options=("-r", 2000))
    stopped = hasten.run(interpreter, program, SECONDS, options=("-r", 2000, "--blocking"))
    seen, samples = running.recording.shares(names, "self")
    right, _ = stopped.recording.shares(names, "self")
    assert samples > 200
    assert right["squares"] > 0.1
    # 25 points where they are not looked for; up to 5 are chance and what is left.
    assert seen == pytest.approx(right, abs=0.1)
