# SPDX-License-Identifier: MIT
"""Programs for hasten to find an interpreter in, and the tool that prints what it finds."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hasten_program import PATIENCE_S, ROOT, Interpreter

# Prints what a test needs to know of an interpreter, from inside.
TELL = """
import os, sys, sysconfig
name = sysconfig.get_config_var("INSTSONAME") or ""
shared = bool(sysconfig.get_config_var("Py_ENABLE_SHARED")) and ".so" in name
for line in open("/proc/self/maps"):
    path = line.split(None, 5)[-1].strip()
    if os.path.basename(path).startswith("libpython"):
        break
else:
    path, shared = "", False
print(hex(sys.hexversion), int(shared), sys.base_prefix, os.path.realpath(sys.executable), path,
      sep="\\n")
"""
# Says that it runs, and stays.
WAIT = "import sys, time; print('ready', flush=True); time.sleep(600)"
# Goes on as another program, the same process: with arguments PROGRAM, its
# arguments and NAME=VALUE for its environment in front.
BECOME = """
import os, sys
words = sys.argv[1:]
while "=" in words[0]:
    name, value = words.pop(0).split("=", 1)
    os.environ[name] = value
os.execv(words[0], words)
"""


def probe_path() -> str:
    named = os.environ.get("HASTEN_PROBE")
    places = [named] if named else sorted(ROOT.glob("build/*/tests/core/probe"))
    assert places, "the probe is not built: meson compile -C build/test, or set HASTEN_PROBE"
    # Not the sanitizers' build where there is another: it takes its time.
    return str(min(places, key=lambda place: "sanitize" in str(place)))


@dataclass(frozen=True)
class Facts:
    """What an interpreter says of itself."""

    version: str
    shared: bool
    prefix: str
    executable: str
    library: str


def facts_of(interpreter: Interpreter) -> Facts:
    answer = subprocess.run(
        [interpreter.path, "-c", TELL], check=True, capture_output=True, text=True
    )
    version, shared, prefix, executable, library = answer.stdout.split("\n")[:5]
    return Facts(version, shared == "1", prefix, executable, library)


def probe(pid: int, *options: str, **more: Any) -> dict[str, str]:
    """What hasten finds: the lines of its answer by their first word."""
    answer = subprocess.run(
        [probe_path(), str(pid), *options],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        **more,
    )
    lines = (line.partition(" ") for line in answer.stdout.splitlines())
    return {name: value for name, _, value in lines}


@contextmanager
def running(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A program that has printed "ready"; killed at the end."""
    program = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, **options
    )
    try:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        yield program
    finally:
        program.send_signal(signal.SIGKILL)
        program.wait(PATIENCE_S)
        if program.stdout is not None:
            program.stdout.close()


def copy_out(interpreter: Interpreter, path: str, target: Path) -> None:
    """Copies a file that only the interpreter may see to where both do."""
    code = "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2])"
    subprocess.run([interpreter.path, "-c", code, path, str(target)], check=True)


@dataclass(frozen=True)
class Copy:
    """An interpreter whose own binary (the file that has the runtime) is a copy in
    a folder of the test."""

    binary: Path
    enter: list[str]
    """Runs the words behind it where the interpreter is."""
    words: list[str]
    """Environment and program; "-c" and code follow."""

    @property
    def command(self) -> list[str]:
        return [*self.enter, *self.words, "-c"]


def copy_of(interpreter: Interpreter, folder: Path) -> Copy:
    facts = facts_of(interpreter)
    original = facts.library if facts.shared else facts.executable
    binary = folder / Path(original).name
    copy_out(interpreter, original, binary)
    enter = [interpreter.path, "-c", BECOME]
    if facts.shared:
        # A preloaded library stands in for the one of the same name.
        return Copy(binary, enter, [f"LD_PRELOAD={binary}", facts.executable])
    return Copy(binary, enter, [f"PYTHONHOME={facts.prefix}", str(binary)])


def compiler() -> str | None:
    return shutil.which("cc") or shutil.which("gcc")
