# SPDX-License-Identifier: MIT
"""Fixtures: hasten as a command in a folder of its own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from hasten_command import Hasten
from repositories import BENCH, FAST, Repository


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
