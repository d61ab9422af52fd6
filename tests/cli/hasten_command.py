# SPDX-License-Identifier: MIT
"""The hasten executable as users call it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
HASTEN = os.environ.get("HASTEN_EXE", str(ROOT / ".venv" / "bin" / "hasten"))
GOLDEN = ROOT / "tests" / "golden"
# Much longer than anything here takes: only a hang is that slow.
PATIENCE_S = 120
# Works long enough to be seen, and says nothing.
BUSY = "import time\nend = time.monotonic() + {seconds}\nwhile time.monotonic() < end: pass\n"

Result = subprocess.CompletedProcess[str]


def environment(**more: str) -> dict[str, str]:
    """The user's without what changes the look of reports or the choice of Python."""
    drop = {"NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "VIRTUAL_ENV"}
    kept = {name: value for name, value in os.environ.items() if name not in drop}
    return kept | {"LC_ALL": "C.UTF-8", "TERM": "xterm"} | more


class Hasten:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = sys.executable
        self.started: list[subprocess.Popen[str]] = []

    def __call__(
        self, *arguments: object, env: dict[str, str] | None = None, **more: Any
    ) -> Result:
        options: dict[str, Any] = {
            "cwd": self.folder,
            "capture_output": True,
            "text": True,
            "timeout": PATIENCE_S,
            "env": environment(**(env or {})),
        }
        if "stdin" not in more and "input" not in more:
            options["stdin"] = subprocess.DEVNULL
        command = [HASTEN, *map(str, arguments)]
        return subprocess.run(command, check=False, **(options | more))

    def run(self, *arguments: object, **more: Any) -> Result:
        """hasten run on this Python, without the report."""
        return self("run", "--python", self.python, "--no-report", *arguments, **more)

    def start(self, *arguments: object, **more: Any) -> subprocess.Popen[str]:
        options: dict[str, Any] = {
            "cwd": self.folder,
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
            "env": environment(),
        }
        process = subprocess.Popen([HASTEN, *map(str, arguments)], **(options | more))
        self.started.append(process)
        return process

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate()

    def script(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path


def wait_until(condition: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)


def check_golden(path: Path, text: str) -> None:
    """Compares with a golden file; HASTEN_UPDATE_GOLDEN=1 writes it anew."""
    if os.environ.get("HASTEN_UPDATE_GOLDEN") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()
