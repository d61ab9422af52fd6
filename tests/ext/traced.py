# SPDX-License-Identifier: MIT
"""What the tests of `hasten run --trace` share."""

import subprocess
import sys
from pathlib import Path

HASTEN = [sys.executable, "-m", "hasten"]


def run(*command, **options):
    options = {"capture_output": True, "text": True, "timeout": 60} | options
    return subprocess.run([str(word) for word in command], check=False, **options)


def calls(report, file="app.py"):
    """Numbers of calls by function of one file."""
    return {
        function["name"]: function["calls"]
        for function in report["functions"]
        if Path(function["file"]).name == file
    }
