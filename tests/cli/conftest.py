# SPDX-License-Identifier: MIT
"""Fixtures: hasten as a command in a folder of its own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "targets")]

from hasten_command import Hasten  # noqa: E402 (found where the line above says)
from repositories import BENCH, FAST, Repository  # noqa: E402


@pytest.fixture
def hasten(tmp_path: Path) -> Iterator[Hasten]:
    command = Hasten(tmp_path)
    yield command
    command.end()


@pytest.fixture
def repository(hasten: Hasten) -> Repository:
    """A project under git with one benchmark, committed."""
    repository = Repository(hasten)
    repository.write(worker=FAST, bench_work=BENCH)
    repository.commit()
    return repository
