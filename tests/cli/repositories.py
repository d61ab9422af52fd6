# SPDX-License-Identifier: MIT
"""Small git repositories whose revisions are compared, and a cache of their own."""

import os
import subprocess
from pathlib import Path

from hasten_command import Hasten

# A build backend in the tree: nothing has to be downloaded. The wheel holds what is in src/.
BACKEND = """\
import pathlib, zipfile

def get_requires_for_build_wheel(settings=None):
    return []

def build_wheel(folder, settings=None, metadata=None):
    name = "worker-1.0-py3-none-any.whl"
    info = "worker-1.0.dist-info"
    files = {f"{info}/METADATA": "Metadata-Version: 2.1\\nName: worker\\nVersion: 1.0\\n",
             f"{info}/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}
    for path in pathlib.Path("src").rglob("*.py"):
        files[str(path.relative_to("src"))] = path.read_text()
    record = "".join(f"{name},,\\n" for name in files) + f"{info}/RECORD,,\\n"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        for path, text in (files | {f"{info}/RECORD": record}).items():
            wheel.writestr(path, text)
    return name
"""
PACKAGED = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "worker"
version = "1.0"
"""
FAST = "def work():\n    return sum(range(200)) * 0\n"
SLIGHTLY_SLOWER = "def work():\n    return sum(range(260)) * 0\n"
SLOW = "def work():\n    return sum(range(4000)) * 0\n"
BENCH = "import worker\n\ndef bench_work():\n    return worker.work()\n"


class Repository:
    def __init__(self, hasten: Hasten) -> None:
        self.folder = hasten.folder / "project"
        self.cache = hasten.folder / "cache"
        self.env = {"XDG_CACHE_HOME": str(self.cache)}
        self.folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *words: str) -> str:
        who = {f"GIT_{role}_{what}": "x@y" for role in ("AUTHOR", "COMMITTER")
               for what in ("NAME", "EMAIL")}  # fmt: skip
        env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        return subprocess.run(
            ["git", *words], cwd=self.folder, check=True, capture_output=True, text=True,
            env=env | who | {"GIT_CONFIG_GLOBAL": os.devnull},
        ).stdout.strip()  # fmt: skip

    def write(self, **files: str) -> None:
        """`src__worker` is src/worker.py."""
        for name, text in files.items():
            path = self.folder / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def commit(self, message: str = "change") -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def entries(self) -> list[Path]:
        """What is built, or was begun."""
        folder = self.cache / "hasten" / "revisions"
        return sorted(p for p in folder.glob("*") if p.name != "objects")
