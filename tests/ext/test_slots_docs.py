# SPDX-License-Identifier: MIT
"""The examples of docs/slots.md print what they say."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "slots.md"
EXAMPLES = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", PAGE.read_text(), re.DOTALL)


def same_everywhere(text):
    """Sizes of objects differ by version, and so do the order of their attributes and what an
    error says besides."""
    text = re.sub(r"[\d,]+ objects", "N objects", text)
    text = re.sub(r"[\d.]+ [KM]iB( +\d+ +\d+)?", "SIZE", text)
    text = text.replace(" and no __dict__ for setting new attributes", "")
    return [sorted(re.split(r"[ ,{}]+", line)) for line in text.splitlines()]


def test_there_are_examples():
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize(("code", "output"), EXAMPLES)
def test_example(code, output, tmp_path):
    (tmp_path / "example.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert same_everywhere(done.stdout) == same_everywhere(output)
