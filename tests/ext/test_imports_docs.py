# SPDX-License-Identifier: MIT
"""The examples of docs/imports.md print what they say."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "imports.md"
EXAMPLES = re.findall(
    r"<!-- example -->\n```python\n(.*?)```\n\n```\n(.*?)```", PAGE.read_text(), re.DOTALL
)


def test_there_are_examples():
    assert len(EXAMPLES) == PAGE.read_text().count("<!-- example -->") == 3


@pytest.mark.parametrize(("code", "output"), EXAMPLES)
def test_example(code, output, tmp_path):
    if "was imported lazily" in output and sys.version_info >= (3, 15):
        pytest.skip("the language's own say it otherwise")
    (tmp_path / "example.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == output
