# SPDX-License-Identifier: MIT
"""hasten imports and hasten run --lazy-imports: what they say; the program is left alone."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from hasten_command import Hasten
from unused_modules import APP, MODULES, USED


@pytest.fixture
def app(hasten: Hasten) -> Hasten:
    for name, text in MODULES.items():
        path = hasten.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (hasten.folder / "app.py").write_text(APP)
    return hasten


def modules_of(path: Path) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    found = json.loads(path.read_text())
    return found, {module["name"]: module for module in found["modules"]}


def test_what_was_used(app: Hasten) -> None:
    result = app("imports", "--python", sys.executable, "--json", "-o", "i.json", "app.py")
    assert (result.returncode, result.stdout) == (3, "1 5 3 4\n")
    assert result.stderr == "hasten: the report on imports is in i.json\n"
    found, modules = modules_of(app.folder / "i.json")
    assert {name: not modules[name]["never_used"] for name in USED} == USED
    assert modules["fails"]["failed"]
    assert not modules["used"]["failed"]
    assert found["knows_use"]


def test_the_tree_and_its_times(app: Hasten) -> None:
    app("imports", "--python", sys.executable, "--json", "-o", "i.json", "app.py")
    found, modules = modules_of(app.folder / "i.json")
    order = found["modules"]
    assert order[modules["below"]["parent"]]["name"] == "used"
    assert order[modules["unused_below"]["parent"]]["name"] == "unused"
    assert modules["below"]["imported_by"] == "used"
    assert modules["by_name"]["imported_by"] == "__main__"
    assert modules["used"]["parent"] is None
    for name in ("below", "unused", "unused_below"):
        assert modules[name]["self"] >= 0.05, "it sleeps as long"
    assert modules["unused"]["total"] >= 0.1
    assert modules["used"]["total"] >= modules["used"]["self"] + modules["below"]["total"] - 1e-6
    assert found["never_used"] >= 0.1
    assert found["never_used_modules"] == sum(m["never_used"] for m in order)
    for module in order:
        below = sum(m["total"] for m in order if m["parent"] is not None
                    and order[m["parent"]] is module)  # fmt: skip
        assert module["self"] == pytest.approx(max(0, module["total"] - below), abs=1e-6)


def test_the_text(app: Hasten) -> None:
    result = app("imports", "--python", sys.executable, "app.py", "--unused")
    assert (result.returncode, result.stdout) == (3, "1 5 3 4\n")
    assert "Imports of app.py --unused: " in result.stderr, "what follows the script is its own"
    assert re.search(r"Never used: \d+ of them, [\d.]+ m?s ", result.stderr)
    assert re.search(
        r"^ +[\d.]+ m?s +[\d.]+ m?s .*  unused +never used$", result.stderr, re.MULTILINE
    )
    assert re.search(r"^ +[\d.]+ m?s .*    unused_below +never used$", result.stderr, re.MULTILINE)
    assert re.search(r"^ +[\d.]+ m?s  unused +__main__$", result.stderr, re.MULTILINE)
    assert "hasten run --lazy-imports app.py --unused" in " ".join(result.stderr.split())


def test_parts_of_the_tree(app: Hasten) -> None:
    def shown(*options: str) -> str:
        text = app("imports", "--python", sys.executable, *options, "app.py").stderr
        return text[text.index(" module ") : text.index(" saves ")]

    assert "used" in shown("--unused")
    assert "below\n" not in shown("--unused").replace("unused_below", "")
    assert "unused_below" not in shown("--depth", "1")
    assert len(shown("--limit", "2").split("more")[0].splitlines()) == 4
    assert "more" in shown("--limit", "2")


def test_modules_and_code(app: Hasten) -> None:
    result = app("imports", "--python", sys.executable, "-m", "used")
    assert "Imports of -m used: " in result.stderr
    result = app("imports", "--python", sys.executable, "-c", "import used; print(used.VALUE)")
    assert (result.returncode, result.stdout) == (0, "1\n")
    assert " used" in result.stderr


def test_other_processes_and_ends(app: Hasten) -> None:
    child = f"import subprocess; subprocess.run([{sys.executable!r}, '-c', 'import used'])"
    result = app("imports", "--python", sys.executable, "-c", child)
    assert result.returncode == 0
    assert "1 more Python process of the program is not shown" in result.stderr
    result = app("imports", "--python", sys.executable, "-c", "import os; os.fork(); import used")
    assert result.stderr.count("Imports of") == 1
    result = app("imports", "--python", sys.executable, "-c", "import os; os._exit(5)")
    assert result.returncode == 5
    assert "nothing is known of the program's imports: it did not end by itself" in result.stderr


def test_a_load_that_goes_on_at_the_end(app: Hasten) -> None:
    (app.folder / "half_way.py").write_text(
        "import unused\nimport threading\nthreading.half_way.set()\nthreading.Event().wait()\n"
    )
    (app.folder / "ends.py").write_text(
        "import threading\nthreading.half_way = threading.Event()\n"
        "def load():\n    import half_way\n"
        "threading.Thread(target=load, daemon=True).start()\nthreading.half_way.wait()\n"
    )
    result = app("imports", "--python", sys.executable, "ends.py")
    assert result.returncode == 0
    assert re.search(r" half_way *$", result.stderr, re.MULTILINE)
    assert re.search(r" unused +never used$", result.stderr, re.MULTILINE)


def test_wrong_usage(app: Hasten) -> None:
    for arguments, complaint in {
        (): "imports: of what? A script, -m MODULE or -c CODE",
        ("--", "ls"): "imports: a Python program is expected, not a command after --",
        ("--depth", "-1", "x.py"): "imports: --depth -1: a number from 0 to 1000 is expected",
    }.items():
        result = app("imports", *arguments)
        assert result.returncode == 2
        assert complaint in result.stderr
    result = app("imports", "--python", "/no/such/python", "app.py")
    assert result.returncode == 127
    result = app("imports", "--python", sys.executable, "-o", "/no/such/folder/x", "app.py")
    assert result.returncode == 1
    assert "cannot write /no/such/folder/x: No such file or directory" in result.stderr


def test_lazy_imports(app: Hasten) -> None:
    """The program is the same, and what it does not use is not loaded."""
    (app.folder / "lazy.py").write_text(
        "import sys\nimport used\nimport unused\n"
        "def main():\n    print(used.VALUE)\ndef never():\n    unused\n"
        "main()\nprint('used' in sys.modules, 'unused' in sys.modules)\n"
    )
    command = ["run", "--no-report", "--python", sys.executable]
    assert app(*command, "lazy.py").stdout == "1\nTrue True\n"
    assert app(*command, "--lazy-imports", "lazy.py").stdout == "1\nTrue False\n"
    assert app(*command, "--trace", "--lazy-imports", "lazy.py").stdout == "1\nTrue False\n"
    result = app("run", "--lazy-imports", "--python", "/bin/true", "lazy.py")
    assert result.returncode == 0 or "hasten is not installed there" in result.stderr
