# SPDX-License-Identifier: MIT
"""The short form of `make stress`, with the module as it is installed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

STRESS = Path(__file__).resolve().parents[1] / "stress"


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a compiler")
def test_no_block_of_many_threads_is_lost_or_invented(tmp_path):
    library = tmp_path / "blocks.so"
    compiler = ["cc", "-O2", "-shared", "-fPIC", "-pthread", "-o", library]
    subprocess.run([*compiler, STRESS / "blocks.c"], check=True)
    operations = os.environ.get("HASTEN_TEST_STEPS", "400000")
    answer = subprocess.run(
        [sys.executable, STRESS / "traced_blocks.py", library, operations],
        check=False,
        capture_output=True,
        text=True,
        timeout=3600,
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    told = json.loads(answer.stdout)
    assert told["native"] == int(operations)
    assert told["own"] > 0
    assert told["alive"] > 1000
    assert told["snapshots"] > 0
