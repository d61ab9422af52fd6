# SPDX-License-Identifier: MIT
"""The compiled-in layout tables against the headers of every interpreter there is."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hasten_program import ROOT, Interpreter

GENERATE = ROOT / "tools" / "layout" / "generate.py"
# What the interpreter has to say before the check can run where it is.
ASK = """
import os, shutil, sysconfig
headers = os.path.join(sysconfig.get_paths()["include"], "internal", "pycore_frame.h")
print(os.path.exists(headers) and bool(shutil.which("cc")))
"""


def test_tables_agree_with_headers(interpreter: Interpreter) -> None:
    can = subprocess.run([interpreter.path, "-c", ASK], check=True, capture_output=True, text=True)
    if can.stdout.strip() != "True":
        pytest.skip(f"CPython {interpreter.title}: no headers or no compiler")
    answer = subprocess.run(
        [interpreter.path, GENERATE, "--check", "--self"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    assert "agrees with layout_3" in answer.stdout


def test_a_wrong_table_is_noticed(interpreter: Interpreter, tmp_path: Path) -> None:
    """The check itself: one number changed in a copy of the table."""
    can = subprocess.run([interpreter.path, "-c", ASK], check=True, capture_output=True, text=True)
    if can.stdout.strip() != "True":
        pytest.skip(f"CPython {interpreter.title}: no headers or no compiler")
    for part in ("tools/layout", "src/core/pyabi", "include"):
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(ROOT / part, tmp_path / part)
    table = tmp_path / "src/core/pyabi" / f"layout_{''.join(map(str, interpreter.version))}.c"
    text = table.read_text()
    assert ".frame_previous = " in text
    table.write_text(text.replace(".frame_previous = ", ".frame_previous = 1"))
    answer = subprocess.run(
        [interpreter.path, tmp_path / "tools/layout/generate.py", "--check", "--self"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 1
    assert ".frame_previous" in answer.stderr
