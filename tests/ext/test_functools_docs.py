# SPDX-License-Identifier: MIT
"""The examples of docs/caching.md print what they say."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "caching.md"
SERVER = "redis://localhost:6379/0"
EXAMPLES = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_all_examples_are_executed():
    assert len(EXAMPLES) == PAGE.read_text().count("```python")


@pytest.mark.parametrize(("code", "output"), EXAMPLES)
def test_example(code, output, tmp_path, request):
    if SERVER in code:
        code = code.replace(SERVER, request.getfixturevalue("server").url)
    (tmp_path / "example.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert done.stderr == ""
    assert done.stdout == output
