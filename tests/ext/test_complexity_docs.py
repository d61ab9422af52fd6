# SPDX-License-Identifier: MIT
"""The examples of docs/complexity.md and docs/pytest.md run as they stand."""

import re
from pathlib import Path

import hasten
import pytest

pytest_plugins = ["pytester"]

DOCS = Path(__file__).resolve().parents[2] / "docs"


def examples(name: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / name).read_text(), re.DOTALL)


@pytest.mark.parametrize("example", examples("complexity.md"))
def test_complexity(example: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(example, {"hasten": hasten})
    if "print(" in example:
        assert capsys.readouterr().out.startswith("time    ")


def test_pytest(pytester: pytest.Pytester) -> None:
    found = examples("pytest.md")
    assert len(found) == 2
    setup = (
        "import pytest\nfrom types import SimpleNamespace\n"
        "def parse(text):\n    return SimpleNamespace(value=eval(text))\n"
    )
    pytester.makepyfile(**{f"test_{i}": setup + example for i, example in enumerate(found)})
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--benchmark-max-time=0.01")
    result.assert_outcomes(passed=2)
