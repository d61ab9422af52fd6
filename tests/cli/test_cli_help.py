# SPDX-License-Identifier: MIT
"""Help texts, version, completion, and what is said of wrong usage."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hasten_command import GOLDEN, HASTEN, Hasten, check_golden

# Those that the overview lists; a test below holds it to what the command prints.
VERBS = re.findall(r"^  ([a-z]+) ", (GOLDEN / "help" / "overview.txt").read_text(), re.MULTILINE)
HIDDEN = ["revision"]


def test_overview(hasten: Hasten) -> None:
    result = hasten("help")
    check_golden(GOLDEN / "help" / "overview.txt", result.stdout)
    assert result.returncode == 0
    assert hasten("--help").stdout == result.stdout
    assert hasten("-h").stdout == result.stdout


def test_nothing_said_is_a_usage_error(hasten: Hasten) -> None:
    result = hasten()
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == hasten("help").stdout


@pytest.mark.parametrize("verb", [*VERBS, *HIDDEN])
def test_help_of_verbs(hasten: Hasten, verb: str) -> None:
    result = hasten("help", verb)
    check_golden(GOLDEN / "help" / f"{verb}.txt", result.stdout)
    assert result.returncode == 0
    assert hasten(verb, "--help").stdout == result.stdout
    assert hasten(verb, "-h").stdout == result.stdout
    wide = [line for line in result.stdout.splitlines() if len(line) > 81]
    assert not [line for line in wide if not line.startswith("  hasten ")]


def test_version(hasten: Hasten) -> None:
    result = hasten("--version")
    assert result.returncode == 0
    assert result.stdout.startswith("hasten ") and result.stdout.count("\n") == 1
    assert hasten("-V").stdout == result.stdout


def test_version_opens_no_files(tmp_path: Path) -> None:
    """It answers before anything else happens: only the loader opens files."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    log = tmp_path / "log"
    command = [
        "strace",
        "-f",
        "-e",
        "trace=openat,fork,clone,execve",
        "-o",
        log,
        HASTEN,
        "--version",
    ]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("strace does not work here")
    opened = [line for line in log.read_text().splitlines() if "openat" in line]
    assert opened
    assert not [line for line in opened if ".so" not in line and "ld.so" not in line]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["frobnicate"], "no command frobnicate; `hasten help` lists them"),
        (["help", "frobnicate"], "help: no command frobnicate; `hasten help` lists them"),
        (
            ["run"],
            "run: what? A script, -m MODULE, -c CODE or -- COMMAND; `hasten help run` shows how",
        ),
        (
            ["run", "--frobnicate"],
            "run: unknown option --frobnicate; `hasten help run` lists what is possible",
        ),
        (["run", "-x"], "run: unknown option -x; `hasten help run` lists what is possible"),
        (
            ["run", "-o"],
            "run: a value is missing after -o; `hasten help run` lists what is possible",
        ),
        (
            ["run", "--no-report=1", "x.py"],
            "run: takes no value: --no-report=1; `hasten help run` lists what is possible",
        ),
        (["run", "-r", "fast", "x.py"], "run: -r fast: a number from 0.01 to 1000000 is expected"),
        (["run", "-r", "0", "x.py"], "run: -r 0: a number from 0.01 to 1000000 is expected"),
        (["run", "-r", "nan", "x.py"], "run: -r nan: a number from 0.01 to 1000000 is expected"),
        (
            ["run", "--rate=1e9", "x.py"],
            "run: --rate=1e9 1e9: a number from 0.01 to 1000000 is expected",
        ),
        (
            ["run", "-d", "-1", "x.py"],
            "run: -d -1: a number of seconds, at least 0.001, is expected",
        ),
        (
            ["run", "--mode", "warp", "x.py"],
            "run: --mode warp: one of these is expected: wall cpu gil",
        ),
        (["run", "--mode", "", "x.py"], "run: --mode : one of these is expected: wall cpu gil"),
        (
            ["run", "--threads", "some", "x.py"],
            "run: --threads some: one of these is expected: all main",
        ),
        (
            ["run", "--python", "p", "--", "ls"],
            "run: --python goes with a script, not with a command after --",
        ),
        (
            ["run", "sleep", "1"],
            "run: there is no file sleep here; "
            "to run the command of that name: hasten run -- sleep",
        ),
        (["report"], "report: which recording?; `hasten help report` shows how"),
        (["report", "a", "b"], "report: one recording at a time; `hasten help report` shows how"),
        (
            ["report", "--limit", "1.5", "a"],
            "report: --limit 1.5: a whole number from 0 (all) to 1000000 is expected",
        ),
        (
            ["report", "--sort", "size", "a"],
            "report: --sort size: one of these is expected: self total calls name file",
        ),
        (
            ["run", "--trace", "-r", "5", "a"],
            "run: --rate goes with sampling, not with --trace",
        ),
        (["run", "--no-builtins", "a"], "run: --no-builtins goes with --trace"),
        (["export"], "export: which recording?; `hasten help export` shows how"),
        (
            ["export", "--format", "svg", "a"],
            "export: --format svg: one of these is expected: pstats",
        ),
        (["report", "--callers", "", "a"], "report: --callers : a function's name is expected"),
        (
            ["report", "-o", "x", "a"],
            "report: unknown option -o; `hasten help report` lists what is possible",
        ),
        (
            ["attach"],
            "attach: the number of one process is expected; `hasten help attach` shows how",
        ),
        (
            ["attach", "x"],
            "attach: the number of one process is expected; `hasten help attach` shows how",
        ),
        (
            ["attach", "0"],
            "attach: the number of one process is expected; `hasten help attach` shows how",
        ),
        (
            ["attach", "99999999999"],
            "attach: the number of one process is expected; `hasten help attach` shows how",
        ),
        (
            ["attach", "1", "2"],
            "attach: the number of one process is expected; `hasten help attach` shows how",
        ),
        (["completion"], "completion: one of these is expected: bash zsh fish"),
        (["completion", "tcsh"], "completion: one of these is expected: bash zsh fish"),
        (["doctor", "now"], "doctor: no argument is expected; `hasten help doctor` shows how"),
    ],
)
def test_usage_errors(hasten: Hasten, arguments: list[str], expected: str) -> None:
    result = hasten(*arguments)
    assert result.stderr == f"hasten: {expected}\n"
    assert (result.returncode, result.stdout) == (2, "")
    assert not list(hasten.folder.iterdir())


def test_messages_do_not_obey_control_characters(hasten: Hasten) -> None:
    result = hasten("\x1b[31mred\x07")
    assert result.stderr == "hasten: no command \\x1b[31mred\\x07; `hasten help` lists them\n"


def test_full_output_is_a_failure(hasten: Hasten) -> None:
    with open("/dev/full", "w") as full:
        result = hasten("help", stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert result.returncode == 1
    assert result.stderr == "hasten: cannot write to standard output\n"


def complete(script: str, *words: str) -> list[str]:
    line = " ".join(f"'{word}'" for word in words)
    state = f"COMP_WORDS=({line})\nCOMP_CWORD={len(words) - 1}"
    code = f'{script}\n{state}\n_hasten\necho "${{COMPREPLY[*]}}"'
    answer = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    return answer.stdout.split()


def test_bash_completion(hasten: Hasten) -> None:
    script = hasten("completion", "bash").stdout
    assert set(VERBS) <= set(complete(script, "hasten", ""))
    assert complete(script, "hasten", "re") == ["report"]
    assert complete(script, "hasten", "run", "--mode", "") == ["wall", "cpu", "gil"]
    assert complete(script, "hasten", "run", "--p") == ["--python"]
    assert "--json" in complete(script, "hasten", "report", "--")
    assert "--json" not in complete(script, "hasten", "run", "--")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_valid(hasten: Hasten, shell: str) -> None:
    result = hasten("completion", shell)
    assert result.returncode == 0
    assert all(verb in result.stdout for verb in VERBS)
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed; only its words were checked")
    script = hasten.script("completion", result.stdout)
    subprocess.run([shell, "-n", script], check=True)
