# SPDX-License-Identifier: MIT
"""Every example of the help texts works as it stands."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hasten_command import HASTEN, PATIENCE_S, ROOT, environment

GOLDEN_HELP = ROOT / "tests" / "golden" / "help"
APP = "import time\nend = time.monotonic() + 0.5\nwhile time.monotonic() < end: pass\n"


def examples() -> list[str]:
    found = []
    for path in sorted(GOLDEN_HELP.glob("*.txt")):
        for line in path.read_text().partition("Examples:\n")[2].splitlines():
            if line.startswith("  hasten "):
                found.append(line.strip())
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the examples take for granted."""
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "data.json").write_text('{"a": [1, 2, 3]}')
    for name in ("benchmarks.py", "bench_sum.py"):
        (tmp_path / name).write_text("def bench_sum():\n    return sum(range(100))\n")
    (tmp_path / "sums.py").write_text(
        "def numbers(n):\n    return list(range(n))\ndef total(x):\n    return sum(x)\n"
    )
    home = tmp_path / "home"
    for name in (".local/share/bash-completion/completions", ".zfunc", ".config/fish/completions"):
        (home / name).mkdir(parents=True)
    subprocess.run(
        [HASTEN, "run", "--python", sys.executable, "--no-report", "app.py"],
        cwd=tmp_path, check=True, timeout=PATIENCE_S,
    )  # fmt: skip
    for words in (["init", "--quiet"], ["add", "--all", "*.py"], ["commit", "-m", "1"],
                  ["commit", "--allow-empty", "-m", "2"]):  # fmt: skip
        subprocess.run(
            ["git", "-c", "user.name=x", "-c", "user.email=x@y", *words],
            cwd=tmp_path, check=True, capture_output=True,
        )  # fmt: skip
    return tmp_path


def test_there_are_examples() -> None:
    assert len(examples()) >= 15


@pytest.mark.parametrize("example", examples())
def test_example(folder: Path, example: str) -> None:
    binaries = folder / "bin"
    binaries.mkdir()
    (binaries / "hasten").symlink_to(HASTEN)
    (binaries / "pip").write_text(f'#!/bin/sh\nexec {sys.executable} -m pip "$@"\n')
    (binaries / "pip").chmod(0o755)
    env = environment(
        PATH=f"{binaries}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        HOME=str(folder / "home"),
    )
    with subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); import time; time.sleep(1.5)"],
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        command = example.replace("1234", str(process.pid))
        result = subprocess.run(
            ["sh", "-c", command], cwd=folder, env=env, capture_output=True, text=True,
            timeout=PATIENCE_S, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        process.kill()
    assert result.returncode == 0, result.stderr
    if " completion " not in f"{example} ":
        assert result.stdout or result.stderr
