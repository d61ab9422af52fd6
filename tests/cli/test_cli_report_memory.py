# SPDX-License-Identifier: MIT
"""`hasten report` on recordings that have measured memory."""

import json
from pathlib import Path

import pytest
from hasten_command import ROOT, Hasten

RECORDINGS = ROOT / "tests" / "golden" / "recordings"
AMOUNTS = {
    f"{kind}_{unit}"
    for kind in ("peak", "allocated", "temporary", "live")
    for unit in ("bytes", "blocks", "native_bytes")
}


def report(folder: Path, *arguments: str, **env: str) -> str:
    result = Hasten(folder)("report", *arguments, env=env)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


@pytest.mark.parametrize("form", ["log", "sqlite"])
def test_text(tmp_path: Path, form: str) -> None:
    path = str(RECORDINGS / f"good-v2.{form}")
    text = report(tmp_path, path)
    assert "Functions" in text and "Memory\n" in text
    assert "at the peak  5.00 MiB" in text
    assert "Memory at the peak" not in text  # too little to tell in a report on time
    text = report(tmp_path, "--memory", path)
    assert "Functions" not in text
    assert "/app/app.py:12" in text and "100.0  5.00 MiB" in text
    assert "9.00 MiB" in text and "after 1.3 ms" in text
    assert report(tmp_path, "--memory", path, LC_ALL="C").isascii()
    assert max(map(len, report(tmp_path, "--memory", path, COLUMNS="60").splitlines())) <= 60
    assert "\x1b[" in report(tmp_path, "--memory", path, FORCE_COLOR="1")


def test_json(tmp_path: Path) -> None:
    found = json.loads(report(tmp_path, "--json", str(RECORDINGS / "good-v2.sqlite")))["memory"]
    assert AMOUNTS | {"mode", "interval_bytes", "verdict", "peak_error"} <= set(found)
    assert found["peak_bytes"] == 5 << 20
    for table in ("own_lines", "lines"):
        (line,) = found[table]
        assert AMOUNTS | {"file", "line", "name"} <= set(line)
        assert (line["file"], line["line"], line["name"]) == ("/app/app.py", 12, "Tree.walk")
        assert line["peak_bytes"] == 5 << 20
    assert found["native"] == []
    (process,) = found["processes"]
    assert (process["process"], process["pid"]) == (0, 4242)
    assert (process["resident_most_bytes"], process["resident_most_at_s"]) == (9 << 20, 0.0013)
    rss, heap = found["series"]
    assert (rss["name"], rss["unit"], rss["point_count"]) == ("rss.bytes", "bytes", 4)
    assert rss["points"][0] == [0.001, 8 << 20]
    assert heap["points"] == [[0.0014, 5 << 20], [0.0124, 5 << 20]]


def test_recordings_without(tmp_path: Path) -> None:
    path = str(RECORDINGS / "good-v1.sqlite")
    assert "Memory" not in report(tmp_path, path)
    assert "says nothing of memory" in report(tmp_path, "--memory", path)
    assert json.loads(report(tmp_path, "--json", path))["memory"] is None
