# SPDX-License-Identifier: MIT
"""The judge of impossible stacks itself: it accepts every real stack and refuses false ones."""

import subprocess

import oracle
import pytest
from hasten_program import TARGETS, Interpreter
from oracle_judge import Judge

# Runs in the interpreter in question: the stack at every call, as Python itself sees it.
OBSERVE = """
import sys
sys.argv = ["oracle.py", "0.05"]
import oracle, oracle_judge
judge, seen, wrong = oracle_judge.Judge(), set(), set()
def observe(frame, event, argument):
    if event != "call":
        return
    stack = []
    while frame is not None:
        stack.append((frame.f_code.co_filename, frame.f_code.co_qualname, frame.f_lineno))
        frame = frame.f_back
    stack = tuple(reversed(stack))
    if stack not in seen:
        seen.add(stack)
        wrong.add(judge.judge(stack))
sys.setprofile(observe)
oracle.main()
sys.setprofile(None)
print(len(seen), wrong - {None})
"""


def test_real_stacks_are_possible(interpreter: Interpreter) -> None:
    answer = subprocess.run(
        [interpreter.path, "-c", OBSERVE],
        cwd=TARGETS,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    count, _, wrong = answer.stdout.splitlines()[-1].partition(" ")
    assert int(count) > 60
    assert wrong == "set()"


def call_line(caller: str, callee: str) -> int:
    return min(Judge().call_lines[caller, callee])


@pytest.mark.parametrize(
    "names",
    [
        ("main", "alternating", "beta", "alpha_leaf"),
        ("main", "left", "shared", "only_right"),
        ("main", "alpha"),
        ("main", "chain", "one", "three"),
        ("alternating", "alpha"),
        ("main", "living", "__del__", "fill"),
        ("main", "ping_pong", "pong"),
    ],
)
def test_false_stacks_are_refused(names: tuple[str, ...]) -> None:
    assert Judge().judge([("oracle.py", name, None) for name in names]) is not None


def test_false_lines_are_refused() -> None:
    line, other = call_line("main", "left"), call_line("main", "right")
    inside = call_line("left", "shared")
    frames = [("oracle.py", "main", line), ("oracle.py", "left", inside)]
    assert Judge().judge(frames) is None
    assert Judge().judge([("oracle.py", "main", other), frames[1]]) is not None
    assert Judge().judge([frames[0], ("oracle.py", "left", other)]) is not None


def test_every_call_in_the_tree_has_a_line() -> None:
    known = Judge().call_lines

    def check(caller: str, tree: dict[str, dict]) -> None:
        for callee, below in tree.items():
            if not caller.startswith("<"):
                assert (caller, callee) in known
            check(callee, below)

    check("main", oracle.TREE)
