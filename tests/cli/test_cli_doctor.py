# SPDX-License-Identifier: MIT
"""`hasten doctor` on the machine at hand."""

import json

from hasten_command import Hasten


def test_text(hasten: Hasten) -> None:
    result = hasten("doctor", env={"VIRTUAL_ENV": ""})
    assert result.returncode in (0, 1)
    for name in ("ptrace scope", "capabilities", "seccomp", "container", "user namespace",
                 "child processes", "reading a child", "Python"):  # fmt: skip
        assert f"  {name} " in result.stdout
    assert "\x1b" not in result.stdout
    assert "\x1b[" in hasten("doctor", env={"FORCE_COLOR": "1"}).stdout
    assert not list(hasten.folder.iterdir())


def test_json(hasten: Hasten) -> None:
    result = hasten("doctor", "--json")
    found = json.loads(result.stdout)
    assert found["version"] == 1
    assert found["can_sample"] is (result.returncode == 0)
    assert {check["verdict"] for check in found["checks"]} <= {"good", "note", "bad"}
    python = [check for check in found["checks"] if check["name"] == "Python"]
    assert any("sampling works" in check["found"] for check in python) is found["can_sample"]
    for check in found["checks"]:
        assert check["found"]
        assert check["verdict"] == "good" or check["advice"] or check["name"] in (
            "user namespace", "child processes", "Python")  # fmt: skip


def test_nothing_is_left_in_the_temporary_folder(hasten: Hasten) -> None:
    hasten("doctor", env={"TMPDIR": str(hasten.folder)})
    assert not list(hasten.folder.iterdir())


def test_an_unwritable_temporary_folder(hasten: Hasten) -> None:
    result = hasten("doctor", env={"TMPDIR": "/nowhere"})
    assert result.returncode == 1
    assert "cannot write in /nowhere" in " ".join(result.stdout.split())
