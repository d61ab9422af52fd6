# SPDX-License-Identifier: MIT
"""What a process writes of its imports for `hasten imports`: which were used, by any version."""

import os
import subprocess
import sys

import pytest
from unused_modules import APP, MODULES, USED


@pytest.fixture
def loads(tmp_path):
    """Runs a program; answers its loads by name: the fields of their lines."""
    for name, text in MODULES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def run(text, expect=0):
        folder = tmp_path / "found"
        folder.mkdir()
        (tmp_path / "app.py").write_text(text)
        done = subprocess.run(
            [sys.executable, tmp_path / "app.py"],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            env=os.environ | {"HASTEN_IMPORTS": str(folder)},
        )
        assert (done.returncode, done.stderr) == (expect, "")
        (part,) = folder.iterdir()
        first, process, *lines, last = part.read_text().splitlines()
        assert (first, last) == ("hasten imports 1", "end")
        assert process.split("\t")[0] == "process"
        fields = [line.split("\t") for line in lines]
        return {line[6]: line for line in fields}, [line[6] for line in fields], process

    return run


def test_what_was_used(loads):
    found, _, process = loads(APP, expect=3)
    assert process.split("\t")[2:] == ["1", sys.version.split()[0]]
    assert {name: int(found[name][5]) & 1 == 1 for name in USED} == USED
    assert int(found["fails"][5]) & 2


def test_the_tree(loads):
    found, order, _ = loads(APP, expect=3)
    assert order[int(found["below"][1])] == "used"
    assert order[int(found["routes"][1])] == "half_used"
    assert found["used"][1] == "-1"
    assert found["by_name"][7] == "__main__"
    assert found["pack.inner"][7] == "__main__"
    assert int(found["below"][3]) >= 50_000_000, "it sleeps as long"


def test_imports_while_it_is_written(loads):
    """They are not in it."""
    found, _, _ = loads(
        "import sys, types\n"
        "class Module(types.ModuleType):\n"
        "    @property\n"
        "    def __package__(self):\n"
        "        import used\n"
        "        return ''\n"
        "import below\n"
        "del below.__package__\n"
        "below.__class__ = Module\n"
    )
    assert "below" in found and "used" not in found


def test_threads(loads):
    found, order, _ = loads(
        "import threading\n"
        "def load(name):\n    __import__(name)\n"
        "threads = [threading.Thread(target=load, args=[n]) for n in ('unused', 'used')]\n"
        "for thread in threads:\n    thread.start()\n"
        "for thread in threads:\n    thread.join()\n"
    )
    assert order[int(found["below"][1])] == "used"
    assert order[int(found["unused_below"][1])] == "unused"
    assert found["used"][1] == found["unused"][1] == "-1"
