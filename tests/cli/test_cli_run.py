# SPDX-License-Identifier: MIT
"""What `hasten run` itself decides: the interpreter, the file, when to end."""

import json
import os
import sqlite3
import stat
import sys
from pathlib import Path

import pytest
from hasten_command import BUSY, Hasten

SHOW = "import sys; print(sys.executable)"


def facts(path: Path) -> dict[str, str]:
    with sqlite3.connect(path) as database:
        return dict(database.execute("select name, value from facts"))


def report(hasten: Hasten, path: Path) -> dict[str, object]:
    result = hasten("report", "--json", path)
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout))


def make_python(folder: Path, name: str) -> Path:
    """Something that runs as the Python of a folder and says which it was."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho {path}\n")
    path.chmod(0o755)
    return path


def test_which_python(hasten: Hasten) -> None:
    given = make_python(hasten.folder / "given", "py")
    own = make_python(hasten.folder / "venv" / "bin", "python")
    named = make_python(hasten.folder / "bin", "python9")
    path = f"{hasten.folder / 'bin'}:{os.environ['PATH']}"
    venv = {"VIRTUAL_ENV": str(own.parent.parent), "PATH": path}
    quiet = ("run", "--no-report")
    assert hasten(*quiet, "--python", given, "-c", "", env=venv).stdout == f"{given}\n"
    assert hasten(*quiet, "--python", "python9", "-c", "", env=venv).stdout == f"{named}\n"
    assert hasten(*quiet, "-c", "", env=venv).stdout == f"{own}\n"
    # Without either: the one beside hasten, else the one on PATH.
    assert hasten(*quiet, "-c", SHOW).stdout.strip()


def test_a_virtual_environment_is_kept(hasten: Hasten) -> None:
    """The interpreter is started by its link: it finds its packages that way."""
    link = hasten.folder / "env" / "bin" / "python"
    link.parent.mkdir(parents=True)
    link.symlink_to(Path(sys.executable).resolve())
    (hasten.folder / "env" / "pyvenv.cfg").write_text(
        f"home = {Path(sys.executable).resolve().parent}\n"
    )
    result = hasten("run", "--no-report", "-c", "import sys; print(sys.prefix)",
                    env={"VIRTUAL_ENV": str(hasten.folder / "env")})  # fmt: skip
    assert result.stdout == f"{hasten.folder / 'env'}\n"


def test_not_found_and_not_executable(hasten: Hasten) -> None:
    plain = hasten.script("plain", "#!/bin/sh\n")
    plain.chmod(stat.S_IRUSR)
    result = hasten("run", "--", "./missing")
    assert result.stderr == "hasten: cannot run ./missing: it was not found\n"
    assert result.returncode == 127
    result = hasten("run", "--", "./plain")
    assert result.stderr == "hasten: cannot run ./plain: Permission denied\n"
    assert result.returncode == 126
    result = hasten("run", "--python", "./missing", "-c", "")
    assert result.stderr == "hasten: cannot run ./missing: it was not found\n"
    assert result.returncode == 127
    result = hasten("run", "--python", "no-such-python", "-c", "")
    assert result.returncode == 127
    assert "no Python was found for --python no-such-python" in result.stderr
    assert list(hasten.folder.iterdir()) == [plain]  # no recording of nothing


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["app.py"], "app"),
        (["./folder/app.py"], "app"),
        (["folder"], "folder"),
        (["."], "program"),
        (["-m", "http.nothing"], "http.nothing"),
        (["-c", "pass"], "command"),
    ],
)
def test_names_of_recordings(hasten: Hasten, arguments: list[str], name: str) -> None:
    hasten.script("app.py", "")
    hasten.script("__main__.py", "")
    (hasten.folder / "folder").mkdir()
    (hasten.folder / "folder" / "app.py").touch()
    (hasten.folder / "folder" / "__main__.py").touch()
    for expected in (f"{name}.hasten", f"{name}-2.hasten", f"{name}-3.hasten"):
        hasten.run(*arguments)
        assert (hasten.folder / expected).exists()


def test_an_earlier_recording_is_replaced_only_when_asked(hasten: Hasten) -> None:
    hasten.run("-o", "x.hasten", "-c", "1")
    before = (hasten.folder / "x.hasten").read_bytes()
    hasten.run("-o", "x.hasten", "-c", BUSY.format(seconds=0.2))
    assert (hasten.folder / "x.hasten").read_bytes() != before
    assert sorted(path.name for path in hasten.folder.iterdir()) == ["x.hasten"]


def test_other_files_are_not_overwritten(hasten: Hasten) -> None:
    precious = hasten.script("app.py", "print('precious')")
    result = hasten.run("-o", "app.py", "-c", "open('ran', 'w')")
    assert result.returncode == 1
    assert result.stderr == (
        "hasten: will not overwrite app.py, which is not a recording; name another file with -o\n"
    )
    assert precious.read_text() == "print('precious')"
    assert not (hasten.folder / "ran").exists()


@pytest.mark.parametrize("path", ["missing/x.hasten", "/dev/full", ".", "/proc/x.hasten"])
def test_where_nothing_can_be_written(hasten: Hasten, path: str) -> None:
    result = hasten.run("-o", path, "-c", "open('ran', 'w')")
    assert result.returncode == 1
    assert path in result.stderr and "with -o" in result.stderr
    assert not (hasten.folder / "ran").exists()


def test_an_unwritable_folder(hasten: Hasten) -> None:
    result = hasten.run("-c", "print('ran')", cwd="/proc")
    assert (result.returncode, result.stdout) == (1, "")
    assert "cannot write command.hasten in the current directory" in result.stderr
    assert "name a place with -o FILE" in result.stderr


def test_facts(hasten: Hasten) -> None:
    hasten.run("-o", "x.hasten", "-r", "250", "--mode", "cpu", "-c", "raise SystemExit(3)", "a b")
    seen = facts(hasten.folder / "x.hasten")
    assert seen["command"] == f"{hasten.python} -c 'raise SystemExit(3)' 'a b'"
    assert seen["python"] == hasten.python
    assert seen["mode"] == "cpu"
    assert seen["interval_ns"] == "4000000"
    assert seen["exit.status"] == "3"
    assert seen["directory"] == str(hasten.folder)
    assert seen["hasten.version"] == hasten("--version").stdout.split()[1]


def test_the_report_goes_to_standard_error(hasten: Hasten) -> None:
    hasten.script(
        "app.py",
        f"def work():\n    {BUSY.format(seconds=1).replace(chr(10), chr(10) + '    ')}\nwork()\n",
    )
    result = hasten("run", "--python", hasten.python, "app.py")
    assert result.returncode == 0
    assert result.stdout == ""
    assert "of the time is spent in work (app.py:" in result.stderr
    assert "Functions" in result.stderr and "Lines" in result.stderr
    assert result.stderr.endswith(
        "hasten: recorded in app.hasten; `hasten report app.hasten` shows this again\n"
    )
    assert "\x1b" not in result.stderr
    assert hasten("report", "app.hasten").stdout in result.stderr


def test_duration_ends_the_watching_only(hasten: Hasten) -> None:
    hasten.script("long.py", BUSY.format(seconds=2) + "print('finished')\nraise SystemExit(4)\n")
    result = hasten.run("-o", "x.hasten", "-d", "0.5", "long.py")
    assert (result.returncode, result.stdout) == (4, "finished\n")
    duration = report(hasten, hasten.folder / "x.hasten")["duration_s"]
    assert isinstance(duration, float) and duration < 1.9


def test_a_program_that_is_not_python(hasten: Hasten) -> None:
    result = hasten("run", "-o", "x.hasten", "--", "sleep", "0.3")
    assert result.returncode == 0
    assert "No Python code was seen" in result.stderr


def test_a_python_below_another_program(hasten: Hasten) -> None:
    hasten.script("app.py", BUSY.format(seconds=0.5))
    result = hasten(
        "run", "-o", "x.hasten", "--no-report", "--", "sh", "-c", f"{hasten.python} app.py; true"
    )
    assert result.returncode == 0
    found = report(hasten, hasten.folder / "x.hasten")
    functions = found["functions"]
    assert isinstance(functions, list)
    assert any(row["file"].endswith("app.py") for row in functions)
