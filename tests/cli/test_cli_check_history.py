# SPDX-License-Identifier: MIT
"""The history of a project's benchmarks: what is recorded, what is seen in it."""

import json
import os
import random
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hasten_command import HASTEN, Hasten, environment
from repositories import SLOW, Repository


def check(hasten: Hasten, repository: Repository, *words: str) -> Any:
    return hasten(
        "check", "--python", sys.executable, "--budget", "0.5", "--threshold", "100", *words,
        cwd=repository.folder, env=repository.env,
    )  # fmt: skip


def test_recorded(hasten: Hasten, repository: Repository) -> None:
    path = repository.folder / "hasten-history.jsonl"
    result = check(hasten, repository, "--record")
    assert result.returncode == 0, result.stderr
    assert result.stderr == (
        f"hasten: check: made {path}; with `hasten-history.jsonl merge=union` in .gitattributes "
        "git merges it\n"
    )
    (line,) = path.read_text().splitlines()
    run = json.loads(line)
    assert run["hasten_history"] == 1
    assert run["commit"] == repository.git("rev-parse", "HEAD")
    assert run["committed"] == int(repository.git("log", "-1", "--format=%ct"))
    assert run["dirty"] is False
    assert run["python"] == sys.version.split()[0]
    found = run["benchmarks"]["bench_work.py::bench_work"]
    assert found["low_s"] <= found["time_s"] <= found["high_s"]
    # Against a revision what is recorded is the working tree.
    repository.write(worker=SLOW)
    result = check(hasten, repository, "--record", "--against", "HEAD", "--budget", "10")
    assert result.returncode == 1 and result.stderr == ""
    second = json.loads(path.read_text().splitlines()[1])
    assert second["dirty"] is True and second["against"] == second["commit"] == run["commit"]
    assert second["benchmarks"]["bench_work.py::bench_work"]["time_s"] > 2 * found["time_s"]
    result = check(hasten, repository, "--history")
    assert result.stdout.startswith("bench_work.py::bench_work\n  2 runs, ")
    assert "no change that is more than chance" in result.stdout


def write_history(
    path: Path, levels: list[float], machine: str = "m", peaks: list[float] | None = None
) -> None:
    """A run a day, with noise of a percent."""
    noise = random.Random(1)
    lines = []
    for day, level in enumerate(levels):
        when = 1_760_000_000 + 86400 * day
        times = {"x.py::bench_x": {"time_s": level * noise.gauss(1, 0.01)},
                 "x.py::bench_y": {"time_s": 3e-6 * noise.gauss(1, 0.01)}}  # fmt: skip
        if peaks is not None and day < len(peaks):
            times["x.py::bench_y"]["peak_bytes"] = peaks[day]
        lines.append(json.dumps({
            "hasten_history": 1, "commit": f"{day:04d}abcdef0123456789", "committed": when,
            "measured": when, "dirty": False, "machine": machine, "python": "3.13.0",
            "benchmarks": times,
        }))  # fmt: skip
    noise.shuffle(lines)  # as merges leave them
    path.write_text("".join(f"{line}\n" for line in lines))


UP_AND_DOWN = [1e-5] * 15 + [1.2e-5] * 10 + [0.8e-5] * 8


def test_changes(hasten: Hasten) -> None:
    write_history(hasten.folder / "hasten-history.jsonl", UP_AND_DOWN)
    result = hasten("check", "--history", "--python", sys.executable, "--json")
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    changed, same = answer["benchmarks"]
    assert [change["commit"][:4] for change in changed["changes"]] == ["0015", "0025"]
    assert changed["changes"][0]["after"].startswith("0014")
    assert changed["changes"][0]["ratio"] == pytest.approx(1.2, abs=0.02)
    assert len(changed["runs"]) == len(UP_AND_DOWN) and same["changes"] == []
    assert answer["worse"] == 0

    text = hasten("check", "--history", "--python", sys.executable).stdout
    assert "  +20 % with 0015abcdef (2025-10-24; the run before was of 0014abcdef): 10" in text
    picture = text.splitlines()[2]
    assert picture.count("\u2588") + picture.count("\u2587") >= 9
    plain = hasten("check", "--history", "--python", sys.executable, env={"LC_ALL": "C"}).stdout
    assert plain.isascii()


def test_fails_where_the_last_change_is_for_the_worse(hasten: Hasten) -> None:
    path = hasten.folder / "h.jsonl"
    words = ["check", "--history", "--python", sys.executable, "--history-file", "h.jsonl"]
    write_history(path, UP_AND_DOWN)
    assert hasten(*words, "--fail-if-worse").returncode == 0
    write_history(path, UP_AND_DOWN[:25])
    assert hasten(*words).returncode == 0
    assert hasten(*words, "--fail-if-worse").returncode == 1


def test_memory_changes(hasten: Hasten) -> None:
    path = hasten.folder / "hasten-history.jsonl"
    words = ["check", "--history", "--python", sys.executable]
    # Some kilobytes are what an interpreter keeps; of the last runs memory is not known.
    peaks = [2e6] * 6 + [2e6 + 3000] * 6 + [3e6] * 8
    write_history(path, [1e-5] * 22, peaks=peaks)
    answer = json.loads(hasten(*words, "--json").stdout)
    other, changed = answer["benchmarks"]
    assert changed["changes"] == [] and other["memory_changes"] == []
    (change,) = changed["memory_changes"]
    assert change["commit"].startswith("0012") and change["after"].startswith("0011")
    assert change["ratio"] == pytest.approx(1.5, abs=0.01)
    assert change["before_bytes"] == pytest.approx(2e6, abs=3001) and change["after_bytes"] == 3e6
    assert changed["runs"][0]["peak_bytes"] == 2e6 and changed["runs"][21]["peak_bytes"] is None
    assert answer["worse"] == 1
    assert hasten(*words, "--fail-if-worse").returncode == 1
    text = hasten(*words).stdout
    assert "  +50 % memory with 0012abcdef (2025-10-21; the run before was of 0011abcdef)" in text
    assert text.count("no change that is more than chance") == 1


def test_other_machines_are_left_out(hasten: Hasten) -> None:
    path = hasten.folder / "hasten-history.jsonl"
    write_history(path, [1e-5] * 10)
    text = path.read_text()
    write_history(path, [9e-5] * 10, machine="other")
    # The last run decides where none is of this machine.
    path.write_text(text.replace("176", "177") + path.read_text())
    result = hasten("check", "--history", "--python", sys.executable)
    assert "10 runs on other machines than m are left out." in result.stdout
    assert "90." not in result.stdout


def test_merge_conflicts_do_not_matter(hasten: Hasten) -> None:
    path = hasten.folder / "hasten-history.jsonl"
    write_history(path, [1e-5] * 4)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(
        "".join([lines[0], "<<<<<<< HEAD\n", *lines[1:3], "=======\n", lines[3], ">>>>>>> b\n"])
    )
    result = hasten("check", "--history", "--python", sys.executable, "--json")
    assert len(json.loads(result.stdout)["benchmarks"][0]["runs"]) == 4


def test_two_at_once(hasten: Hasten, repository: Repository) -> None:
    started = [
        hasten.start(
            "check", "--python", sys.executable, "--budget", "0.3", "--record",
            cwd=repository.folder, env=os.environ | repository.env,
        )
        for _ in range(3)
    ]  # fmt: skip
    assert [process.wait(60) for process in started] == [0, 0, 0]
    lines = (repository.folder / "hasten-history.jsonl").read_text().splitlines()
    assert len([json.loads(line) for line in lines]) == 3


def test_full_disk(hasten: Hasten, repository: Repository) -> None:
    path = repository.folder / "hasten-history.jsonl"
    path.write_text("\n" * 900)
    result = subprocess.run(
        [HASTEN, "check", "--python", sys.executable, "--budget", "0.3", "--record"],
        cwd=repository.folder, env=environment(**repository.env), capture_output=True, text=True,
        check=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )  # fmt: skip
    assert result.returncode == 2
    assert "hasten-history.jsonl: " in result.stderr
    assert path.read_text() == "\n" * 900


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "No such file or directory; `hasten check --record` writes it"),
        ("", "there are no runs in "),
        ("{}\n", "the line at byte 0 is not of a history: hasten_history is missing"),
        ("not json\n", "the line at byte 0 is not of a history: not JSON"),
        ('{"hasten_history": 7}\n', "written by a newer hasten (version 7)"),
    ],
)
def test_no_history(hasten: Hasten, text: str | None, expected: str) -> None:
    if text is not None:
        (hasten.folder / "hasten-history.jsonl").write_text(text)
    result = hasten("check", "--history", "--python", sys.executable)
    assert result.returncode == 2
    assert expected in result.stderr and result.stdout == ""


def test_recording_needs_a_repository(hasten: Hasten) -> None:
    hasten.script("bench_x.py", "def bench_x(): pass\n")
    env = {"GIT_CEILING_DIRECTORIES": str(hasten.folder.parent)}
    result = hasten(
        "check", "--python", sys.executable, "--budget", "0.3", "--record", env=env
    )  # fmt: skip
    assert result.returncode == 2
    assert "a history needs commits: fatal: not a git repository" in result.stderr
