# SPDX-License-Identifier: MIT
"""Builds the package for an interpreter and installs it into a venv of its own."""

import os
import subprocess
from pathlib import Path

from interpreters import Interpreter

ROOT = Path(__file__).resolve().parent.parent


def venv_of(interpreter: Interpreter) -> Path:
    return ROOT / ".cache" / "venv" / interpreter.version


def install(interpreter: Interpreter) -> list[str] | None:
    """The command that runs the interpreter with the package as it is now; None, with
    what went wrong on standard error, where it could not be built."""
    venv = venv_of(interpreter)
    python = [*interpreter.enter, str(venv / "bin" / "python")]
    pip = [*python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]

    def run(*command: str | Path, **more: str) -> bool:
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"} | more
        words = [str(word) for word in command]
        return subprocess.run(words, check=False, cwd=ROOT, env=environment).returncode == 0

    if not (venv / "pyvenv.cfg").exists() and not run(interpreter.command, "-m", "venv", venv):
        return None
    stamp = venv / ".requirements"
    requirements = [f"tools/requirements/{name}.txt" for name in ("build", "test")]
    wanted = "".join((ROOT / name).read_text() for name in requirements)
    if not stamp.exists() or stamp.read_text() != wanted:
        if not run(*pip, *(f"-r{name}" for name in requirements)):
            return None
        stamp.write_text(wanted)
    options = [
        "--no-build-isolation",
        "--no-deps",
        "--force-reinstall",
        f"--config-settings=build-dir=build/python{interpreter.version}",
        "--config-settings=setup-args=-Dwerror=true",
    ]
    # meson-python looks for meson and ninja on PATH.
    path = f"{venv / 'bin'}:{os.environ['PATH']}"
    return python if run(*pip, *options, ".", PATH=path) else None
