# SPDX-License-Identifier: MIT
"""`hasten report` on good, cut, foreign and missing files."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from hasten_command import HASTEN, Hasten, environment

PROGRAM = """
import time
def busy(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
def rest():
    time.sleep(0.3)
busy(0.9)
rest()
"""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    hasten = Hasten(tmp_path_factory.mktemp("recording"))
    hasten.script("app.py", PROGRAM)
    assert hasten.run("app.py").returncode == 0
    return hasten.folder / "app.hasten"


def report(recording: Path, *arguments: str, **env: str) -> str:
    hasten = Hasten(recording.parent)
    result = hasten("report", *arguments, recording.name, env=env)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


def test_text(recording: Path) -> None:
    text = report(recording)
    assert "of the time is spent in busy (app.py:" in text
    assert "while time.monotonic() < end:" in text
    assert "sleep" in text
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "\x1b" not in text


def test_relative_files_are_found_from_elsewhere(recording: Path, tmp_path: Path) -> None:
    text = Hasten(tmp_path)("report", recording).stdout
    assert "while time.monotonic() < end:" in text


def test_json(recording: Path) -> None:
    found = json.loads(report(recording, "--json"))
    assert found["version"] == 1
    assert found["complete"] is True
    assert found["exit_status"] == "0"
    assert found["samples"] > 0 and found["failed"] >= 0
    assert found["duration_s"] > 0
    assert [process["label"] for process in found["processes"]] == ["main"]
    assert [thread["is_main"] for thread in found["threads"]] == [True]
    for key in ("functions", "lines"):
        for row in found[key]:
            assert {
                "file",
                "line",
                "name",
                "self_s",
                "total_s",
                "self_share",
                "total_share",
            } <= set(row)
            assert 0 <= row["self_share"] <= row["total_share"] <= 1
            assert row["self_s"] <= row["total_s"]
        whole = sum(row["self_s"] for row in found[key]) + found["time"]["outside_s"]
        assert abs(whole - found["time"]["counted_s"]) < 1e-6
    assert found["functions"][0]["name"] == "busy"
    sleep = next(row for row in found["waiting"] if row["kind"] == "sleep")
    assert sleep["main_s"] > 0 and sleep["place"]["name"] == "rest"
    assert found["facts"]["exit.status"] == "0"


def test_limit_sort_filter(recording: Path) -> None:
    names = [
        row["name"] for row in json.loads(report(recording, "--json", "--limit", "2"))["functions"]
    ]
    assert len(names) == 2
    rows = json.loads(report(recording, "--json", "--sort", "total"))["functions"]
    assert [row["total_s"] for row in rows] == sorted(
        (row["total_s"] for row in rows), reverse=True
    )
    rows = json.loads(report(recording, "--json", "--sort", "name"))["functions"]
    assert [row["name"] for row in rows] == sorted(row["name"] for row in rows)
    rows = json.loads(report(recording, "--json", "--filter", "app.py:rest"))["functions"]
    assert [row["name"] for row in rows] == ["rest"]
    assert "none passes the filter" in report(recording, "--filter", "nowhere")
    assert "Functions, by total" in report(recording, "--sort", "total")


def test_options_after_the_file(recording: Path) -> None:
    hasten = Hasten(recording.parent)
    assert hasten("report", recording.name, "--json").stdout == report(recording, "--json")


@pytest.mark.parametrize(
    ("env", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"CLICOLOR_FORCE": "1"}, True),
        ({"FORCE_COLOR": "0"}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True),
    ],
)
def test_colour(recording: Path, env: dict[str, str], coloured: bool) -> None:
    assert ("\x1b[" in report(recording, **env)) is coloured


@pytest.mark.parametrize(
    ("env", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"CLICOLOR": "0"}, False)],
)
def test_colour_on_a_terminal(recording: Path, env: dict[str, str], coloured: bool) -> None:
    terminal, end = os.openpty()
    process = subprocess.Popen(
        [HASTEN, "report", recording], stdout=end, stdin=end, env=environment(**env)
    )
    os.close(end)
    seen = b""
    while True:
        try:
            more = os.read(terminal, 65536)
        except OSError:
            break
        seen += more
    assert process.wait() == 0
    os.close(terminal)
    assert b"Functions" in seen
    assert (b"\x1b[" in seen) is coloured


def test_width_and_alphabet(recording: Path) -> None:
    wide = report(recording, COLUMNS="120")
    assert max(map(len, wide.splitlines())) <= 120
    assert report(recording, LC_ALL="C").isascii()
    assert "█" in report(recording)


def test_a_reader_that_goes_away(recording: Path) -> None:
    command = f"{HASTEN} report --json {recording} | head -c 1; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert (result.returncode, result.stderr) == (0, b"")


def test_full_output(recording: Path) -> None:
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [HASTEN, "report", recording],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert result.returncode == 1
    assert result.stderr == "hasten: cannot write the report: No space left on device\n"


def test_changed_sources_are_not_shown(recording: Path, tmp_path: Path) -> None:
    hasten = Hasten(tmp_path)
    hasten.script("app.py", PROGRAM)
    hasten.run("app.py")
    hasten.script("app.py", PROGRAM.replace("while", "until"))
    text = hasten("report", "app.hasten").stdout
    assert "until" not in text
    assert "Source files that changed since the recording are not shown." in text


@pytest.mark.parametrize(
    "content", [b"", b"x", b"hello, this is a text file\n" * 10, b"SQLite format 3\0" + bytes(100)]
)
def test_what_is_not_a_recording(hasten: Hasten, content: bytes) -> None:
    (hasten.folder / "x").write_bytes(content)
    result = hasten("report", "x")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("hasten: cannot read x: ")
    assert result.stderr.count("\n") == 1


def test_what_is_not_there(hasten: Hasten) -> None:
    for path in ("missing.hasten", "."):
        result = hasten("report", path)
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr.startswith(f"hasten: cannot read {path}: ")


def test_damaged_recordings_are_never_a_crash(hasten: Hasten, recording: Path) -> None:
    whole = recording.read_bytes()
    for position in range(0, len(whole), max(1, len(whole) // 40)):
        damaged = bytearray(whole)
        damaged[position : position + 4] = b"\xff\xff\xff\xff"
        for content in (bytes(damaged), whole[:position]):
            (hasten.folder / "x").write_bytes(content)
            assert hasten("report", "x").returncode in (0, 1)
