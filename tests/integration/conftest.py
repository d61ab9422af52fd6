# SPDX-License-Identifier: MIT
"""Fixtures: the interpreters to look at, and hasten as a program."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "targets")]

from hasten_program import Hasten, Interpreter  # noqa: E402


def interpreters() -> list[Interpreter]:
    names = os.environ.get("HASTEN_TEST_PYTHONS") or sys.executable
    return [Interpreter(name) for name in names.split(":") if name]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "interpreter" in metafunc.fixturenames:
        found = interpreters()
        metafunc.parametrize("interpreter", found, ids=[i.title for i in found], scope="session")


@pytest.fixture
def hasten(tmp_path: Path) -> Iterator[Hasten]:
    program = Hasten(tmp_path)
    yield program
    program.end()
