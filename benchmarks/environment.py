# SPDX-License-Identifier: MIT
"""The interpreters that targets run on, and the environment of the other profilers."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TARGETS = ROOT / "tests" / "targets"
RECORDINGS = ROOT / "tests" / "integration"  # where the reader of recordings is
PROGRAMS = HERE / "programs"
PEERS = ROOT / ".cache" / "venv" / "bench"


@dataclass(frozen=True)
class Interpreter:
    command: str
    enter: tuple = ()
    """What goes before a command that is to run where the interpreter is."""

    @cached_property
    def version(self):
        code = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
        return subprocess.run(
            [self.command, "-c", code], check=True, capture_output=True, text=True
        ).stdout.strip()

    @property
    def minor(self):
        return tuple(map(int, self.version.split(".")[:2]))


def of_command(command):
    """`command` may be a path or a name; interpreters made by tools/interpreters.py know
    the root that they live in."""
    for interpreter in known():
        if command in (interpreter.command, ".".join(map(str, interpreter.minor))):
            return interpreter
    return Interpreter(shutil.which(command) or command)


def known():
    """Every interpreter that tools/interpreters.py finds or has made."""
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import interpreters as tool
    finally:
        sys.path.pop(0)
    return [Interpreter(found.command, found.enter) for found in tool.find_all()]


def make_peers():
    """The folder of programs of the other profilers; None where they cannot be had."""
    programs = PEERS / "bin"
    wanted = (HERE / "requirements.txt").read_text()
    stamp = PEERS / ".requirements"
    if not (stamp.exists() and stamp.read_text() == wanted):
        print(
            "benchmarks: installing the other profilers:",
            " ".join(line for line in wanted.splitlines() if not line.startswith("#")),
            file=sys.stderr,
        )
        base = getattr(sys, "_base_executable", sys.executable)
        made = subprocess.run([base, "-m", "venv", PEERS], check=False).returncode == 0
        pip = [programs / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        if (
            not made
            or subprocess.run([*pip, "-r", HERE / "requirements.txt"], check=False).returncode != 0
        ):
            print("benchmarks: they could not be installed; measuring without", file=sys.stderr)
            return None
        stamp.write_text(wanted)
    return programs


def hasten_command():
    return os.environ.get("HASTEN_EXE", str(ROOT / ".venv" / "bin" / "hasten"))


def with_package(interpreter):
    """The command that runs the interpreter with hasten installed, built now; None where it
    could not be built."""
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import interpreters as tool
        import package
    finally:
        sys.path.pop(0)
    minor = ".".join(map(str, interpreter.minor))
    return package.install(tool.Interpreter(minor, interpreter.command, tuple(interpreter.enter)))


def pyperformance_programs():
    """The folder of pyperformance's programs; None where they cannot be had."""
    if make_peers() is None:
        return None
    found = sorted(PEERS.glob("lib/python*/site-packages/pyperformance/data-files/benchmarks"))
    return found[-1] if found else None
