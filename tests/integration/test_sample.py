# SPDX-License-Identifier: MIT
"""The bundled sample is a correct program, and hasten finds what is slow in it."""

import hashlib
import os
import subprocess
from pathlib import Path

from hasten_program import ROOT, Hasten, Interpreter

EXAMPLES = ROOT / "examples"
LINES = 3_000
# SHA-256 of the two reports about a log of 3,000 lines.
GOLDEN = {
    "report.json": "0309817a8bbb4bb9961197df58748ee9276d7078b45dcc937bb6534f1c7e1a14",
    "report.txt": "8337da52567be5cbad90a7a26797042a5c796e0ae73cf2a36e3c3fc76900c772",
}


def digests(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in GOLDEN}


def test_reports_are_the_golden_ones(interpreter: Interpreter, tmp_path: Path) -> None:
    for count, start in enumerate(([EXAMPLES / "logreport"], ["-m", "logreport"])):
        data = tmp_path / str(count)
        command = [interpreter.path, *start, "--data", data, "--lines", str(LINES)]
        answer = subprocess.run(
            command,
            cwd=EXAMPLES,
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": str(count)},
        )
        assert answer.stdout.startswith("3000 records, ")
        assert digests(data / "reports") == GOLDEN


def test_damaged_lines_are_left_out(interpreter: Interpreter, tmp_path: Path) -> None:
    log = tmp_path / "damaged.log"
    good = (
        '10.0.0.1 - - [12/Mar/2025:06:25:24 +0000] "GET /help/1 HTTP/1.1" 200 512 "-" '
        '"curl/8.1.0"\n'
    )
    log.write_text("no log line\n" + good + good[:40] + "\n" + good)
    command = [interpreter.path, EXAMPLES / "logreport", "--data", tmp_path, "--log", log]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("2 records, 1 sessions, 1 visitors")


def test_what_is_slow_is_found(hasten: Hasten, interpreter: Interpreter, tmp_path: Path) -> None:
    outcome = hasten.run(interpreter, EXAMPLES / "logreport", "--data", tmp_path, "--lines", 40_000)
    assert outcome.code == 0, outcome.err
    functions = outcome.recording.functions
    assert functions["country_of"]["total_share"] > 0.15
    assert functions["classify"]["total_share"] > 0.1
    assert functions["add"]["self_share"] > 0.05
    lines = [row for row in outcome.report["lines"] if row["name"] == "SessionBuilder.add"]
    source = (EXAMPLES / "logreport" / "sessions.py").read_text().splitlines()
    hottest = max(lines, key=lambda row: float(row["self_s"]))
    assert source[hottest["line"] - 1].strip() == "if visitor not in self.visitors:"
