# SPDX-License-Identifier: MIT
"""Lets tests import what they share, and the programs that they look at."""

import json
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "targets")]

from traced import HASTEN, run  # noqa: E402 (found where the line above says)


@pytest.fixture
def trace(tmp_path):
    """Traces a program given as text; answers what it printed and the report."""

    def start(text, *options, expect=0, **keywords):
        script = tmp_path / "app.py"
        script.write_text(text)
        recording = tmp_path / "app.hasten"
        command = [*HASTEN, "run", "--trace", "--python", sys.executable, "--no-report"]
        done = run(*command, *options, "-o", recording, script, **keywords)
        assert done.returncode == expect, done.stderr
        shown = run(*HASTEN, "report", "--json", recording)
        assert shown.returncode == 0, shown.stderr
        assert not list(tmp_path.glob("app.hasten.*")), "parts are removed"
        return done, json.loads(shown.stdout)

    return start
