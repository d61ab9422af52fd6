# SPDX-License-Identifier: MIT
"""The examples of docs/leaks.md print what they say."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "leaks.md"
EXAMPLES = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", PAGE.read_text(), re.DOTALL)


def same_everywhere(text):
    """Sizes of objects differ by version, and with them what is first."""
    text = re.sub(r"[\d.]+ (B|KiB)", "SIZE", text)
    text = re.sub(r"\['user\d+'\]", "['userN']", text)
    return re.sub(r"(iterations: )(.*)", lambda match: match[1] + str(sorted(match[2])), text)


def test_there_are_examples():
    assert len(EXAMPLES) == 2


@pytest.mark.parametrize(("code", "output"), EXAMPLES)
def test_example(code, output, tmp_path):
    (tmp_path / "example.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert same_everywhere(done.stdout) == same_everywhere(output)
