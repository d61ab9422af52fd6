"""What the documents say: paths, links, targets and options exist, and the example runs."""

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(sysconfig.get_path("scripts")) / "hasten"


def test_documents_agree_with_the_tree():
    answer = subprocess.run(
        [sys.executable, ROOT / "tools" / "check_docs.py"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert answer.stdout == ""
    assert answer.returncode == 0, answer.stderr


def test_python_example_of_the_readme(tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    program = "sum(n * n for n in range(2_000_000))"
    record = [COMMAND, "run", "--no-report", "-o", "app.hasten", "-c", program]
    subprocess.run(record, cwd=tmp_path, check=True)
    answer = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    first, *rows = answer.stdout.splitlines()
    assert re.fullmatch(r"\d+ samples", first)
    assert any("<genexpr>" in row for row in rows)


def test_make_lists_every_target():
    listed = subprocess.run(["make"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    for target in phony.split():
        assert re.search(rf"^make {target} +\S", listed, re.MULTILINE)
