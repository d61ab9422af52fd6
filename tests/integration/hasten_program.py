# SPDX-License-Identifier: MIT
"""Starts hasten on a target, as a user would, and reads what it left behind."""

import json
import os
import re
import signal
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from recordings import Recording

ROOT = Path(__file__).resolve().parent.parent.parent
TARGETS = ROOT / "tests" / "targets"
HASTEN = os.environ.get("HASTEN_EXE", str(ROOT / ".venv" / "bin" / "hasten"))
# Much longer than anything here takes: only a hang is that slow.
PATIENCE_S = 120


@dataclass(frozen=True)
class Interpreter:
    path: str

    @cached_property
    def version(self) -> tuple[int, int]:
        code = "import sys; print(*sys.version_info[:2])"
        answer = subprocess.run([self.path, "-c", code], check=True, capture_output=True, text=True)
        major, minor = answer.stdout.split()
        return int(major), int(minor)

    @property
    def title(self) -> str:
        match = re.search(r"3\.\d+", Path(self.path).name)
        return match.group() if match else ".".join(map(str, self.version))


@dataclass
class Outcome:
    """What a run of hasten gave: its own ending and output, and the recording."""

    code: int
    out: str
    err: str
    path: Path

    @cached_property
    def recording(self) -> Recording:
        return Recording(self.path)

    @cached_property
    def report(self) -> dict[str, Any]:
        return report(self.path)

    @cached_property
    def told(self) -> dict[str, Any]:
        """The JSON in the last line that the program printed."""
        return dict(json.loads(self.out.splitlines()[-1]))


def report(path: Path) -> dict[str, Any]:
    command = [HASTEN, "report", str(path), "--json", "--limit", "0"]
    answer = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return dict(json.loads(answer.stdout))


def target(name: str) -> str:
    return str(TARGETS / name)


class Hasten:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0
        self.started: list[subprocess.Popen[str]] = []

    def new_path(self) -> Path:
        self.count += 1
        return self.folder / f"run-{self.count}.hasten"

    def start(
        self, verb: str, *arguments: object, path: Path, **options: Any
    ) -> subprocess.Popen[str]:
        command = [HASTEN, verb, "-o", str(path), "--no-report", *map(str, arguments)]
        options = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
        } | options
        self.started.append(subprocess.Popen(command, **options))
        return self.started[-1]

    def end(self) -> None:
        """Leaves nothing behind of a test that failed in the middle."""
        for process in self.started:
            if process.poll() is None:
                process.terminate()
                process.kill()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
            process.wait()

    def finish(
        self, process: subprocess.Popen[str], path: Path, given: str | None = None
    ) -> Outcome:
        try:
            out, err = process.communicate(given, timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            raise
        return Outcome(process.returncode, out or "", err or "", path)

    def run(
        self,
        interpreter: Interpreter,
        *arguments: object,
        options: tuple[object, ...] = (),
        given: str | None = None,
        **more: Any,
    ) -> Outcome:
        """`hasten run` with the interpreter, a program and its arguments."""
        path = self.new_path()
        if given is not None:
            more["stdin"] = subprocess.PIPE
        process = self.start(
            "run", "--python", interpreter.path, *options, *arguments, path=path, **more
        )
        return self.finish(process, path, given)

    def attach(self, pid: int, *options: object) -> Outcome:
        path = self.new_path()
        return self.finish(self.start("attach", pid, *options, path=path), path)
