# SPDX-License-Identifier: MIT
"""hasten check: what is a regression, what is none, and who is told how. Differences are of
many times, and thresholds of a hundred percent: nothing depends on the machine's pace."""

import json
import re
import sys
from typing import Any
from xml.etree import ElementTree

import pytest
from hasten_command import Hasten
from repositories import FAST, SLIGHTLY_SLOWER, SLOW, Repository


def check(hasten: Hasten, repository: Repository, *words: str, **more: Any) -> Any:
    options: dict[str, Any] = {"cwd": repository.folder, "env": repository.env}
    return hasten(
        "check", "--python", sys.executable, "--budget", "10", "--threshold", "100", *words,
        **(options | more),
    )  # fmt: skip


def verdicts(result: Any) -> dict[str, str]:
    return {entry["name"]: entry["verdict"] for entry in json.loads(result.stdout)["benchmarks"]}


def test_slower_fails(hasten: Hasten, repository: Repository) -> None:
    repository.write(worker=SLOW)
    result = check(hasten, repository, "--against", "HEAD", "--json")
    assert result.returncode == 1, result.stderr
    answer = json.loads(result.stdout)
    (entry,) = answer["benchmarks"]
    assert entry["name"] == "bench_work.py::bench_work"
    assert (entry["verdict"], entry["reason"]) == ("slower", "slower by more than 100 %")
    assert entry["interval"][0] > 2 and entry["p"] <= 0.05
    assert entry["was"]["median_s"] < entry["is"]["median_s"]
    assert answer["exit_status"] == 1
    assert answer["working_tree"]["dirty"] is True
    assert answer["against"] == {"revision": "HEAD", "commit": repository.git("rev-parse", "HEAD")}


def test_faster_and_slightly_slower_are_fine(hasten: Hasten, repository: Repository) -> None:
    repository.write(worker=SLOW)
    repository.commit()
    repository.write(worker=FAST)
    result = check(hasten, repository, "--against", "HEAD")
    assert result.returncode == 0, result.stderr
    assert "the working tree, with changes not committed, against HEAD (" in result.stdout
    assert "1 benchmark: 1 faster\n" in result.stdout
    repository.commit()
    # A little slower, and within a hundred percent, which is clear on any machine. What is
    # the same would be faster by chance now and then.
    repository.write(worker=SLIGHTLY_SLOWER)
    result = check(hasten, repository, "--against", "HEAD", "--json")
    assert result.returncode == 0
    assert verdicts(result) == {"bench_work.py::bench_work": "fine"}


PARAMETRISED = """\
import worker

def bench_some(count):
    for _ in range(count):
        worker.work()

bench_some.params = [1, 3]

def bench_other():
    return sum(range(1000))
"""


def test_settings_of_the_project(hasten: Hasten, repository: Repository) -> None:
    repository.write(worker=SLOW, perf__bench_more=PARAMETRISED, other__bench_no="1 / 0")
    (repository.folder / "pyproject.toml").write_text(
        "[tool.hasten.check]\n"
        'files = ["perf/*.py"]\nthreshold = "200 %"\nbudget = "1 s"\n'
        "[tool.hasten.check.benchmarks.bench_other]\nthreshold = 300\n"
        '[tool.hasten.check.benchmarks."bench_some[3]"]\nthreshold = 100000\n'
    )
    result = hasten(
        "check", "--python", sys.executable, "--against", "HEAD", "--json",
        cwd=repository.folder, env=repository.env,
    )  # fmt: skip
    # A threshold beyond what makes sense is refused.
    assert result.returncode == 2
    assert "threshold shall be a percentage" in result.stderr
    text = (repository.folder / "pyproject.toml").read_text()
    (repository.folder / "pyproject.toml").write_text(text.replace("100000", "1000"))
    result = hasten(
        "check", "--python", sys.executable, "--against", "HEAD", "--json",
        cwd=repository.folder, env=repository.env,
    )  # fmt: skip
    answer = json.loads(result.stdout)
    assert {e["name"]: e["threshold"] for e in answer["benchmarks"]} == {
        "perf/bench_more.py::bench_some[1]": 2,
        "perf/bench_more.py::bench_some[3]": 10,
        "perf/bench_more.py::bench_other": 3,
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[tool.hasten.check]\nthreshold = true", "threshold shall be a percentage"),
        ("[tool.hasten.check]\nbudget = '10 days'", "budget shall be a time"),
        ("[tool.hasten.check]\nfile = 'x'", "there is no setting file"),
        ("[tool.hasten.check]\nfiles = 3", "files shall be a list of patterns"),
        ("[tool.hasten.check]\nfiles = ['../x.py']", "files are in the project: ../x.py"),
        ("[tool.hasten]\ncheck = 3", "check shall be a table"),
        ("[tool.hasten.check.benchmarks]\nbench_x = 3", "shall have a table a benchmark"),
        ("[tool.hasten.check.benchmarks.x]\nnone = 3", "there is no setting none"),
        ("[tool", "pyproject.toml: "),
    ],
)
def test_wrong_settings(hasten: Hasten, text: str, expected: str) -> None:
    (hasten.folder / "pyproject.toml").write_text(text)
    result = hasten("check", "--python", sys.executable)
    assert result.returncode == 2
    assert result.stderr.startswith("hasten: check: ") and expected in result.stderr


def test_other_peoples_files_are_left_out(hasten: Hasten, repository: Repository) -> None:
    for folder in ("env", "node_modules/x", ".hidden", "build"):
        (repository.folder / folder).mkdir(parents=True)
        (repository.folder / folder / "bench_not.py").write_text("1 / 0")
    (repository.folder / "env" / "pyvenv.cfg").write_text("")
    result = check(hasten, repository, "--json")
    assert verdicts(result) == {"bench_work.py::bench_work": "fine"}


def test_new_benchmark_is_no_regression(hasten: Hasten, repository: Repository) -> None:
    repository.write(
        worker=FAST + "def more():\n    return 1\n",
        bench_more="import worker\ndef bench_more():\n    return worker.more()\n",
    )
    result = check(hasten, repository, "--budget", "1", "--against", "HEAD", "--json")
    assert verdicts(result)["bench_more.py::bench_more"] == "new"
    assert result.returncode == 0
    # With nothing to compare it has not been checked.
    result = check(hasten, repository, "--budget", "1", "--against", "HEAD", "bench_more.py")
    assert result.returncode == 2
    assert "cannot run it" in result.stdout


def test_reference_that_hangs_is_not_new(hasten: Hasten, repository: Repository) -> None:
    repository.write(worker="import time\ndef work(): time.sleep(100)\n")
    repository.commit()
    repository.write(worker=FAST)
    result = check(hasten, repository, "--against", "HEAD", "--timeout", "1", "--json")
    assert result.returncode == 2, result.stderr
    (entry,) = json.loads(result.stdout)["benchmarks"]
    assert entry["verdict"] == "failed"
    assert re.fullmatch(r"HEAD \(\w{10}\) does not come to an end in time", entry["reason"])
    assert "did not come to an end in time" in result.stderr


UNCLEAR = """\
import random, time

def bench_unclear():
    time.sleep(random.choice((0.001, 0.1)))
"""


def unclear(hasten: Hasten, repository: Repository, *words: str) -> tuple[int, dict[str, Any]]:
    """The exit status and the answer of a check that nothing comes out of; by chance, 1 in 20 has
    a verdict."""
    for _ in range(8):
        result = check(
            hasten, repository, "--against", "HEAD", "--threshold", "0", "--budget", "1", "--json",
            *words,
        )  # fmt: skip
        answer = json.loads(result.stdout)
        (entry,) = answer["benchmarks"]
        if entry["verdict"] == "unclear":
            return result.returncode, answer
        assert result.returncode == (1 if entry["verdict"] == "slower" else 0), result.stdout
    raise AssertionError(result.stdout)


def test_strict(hasten: Hasten, repository: Repository) -> None:
    """What is different each time is unclear at a threshold of nothing."""
    (repository.folder / "bench_work.py").unlink()
    repository.write(bench_unclear=UNCLEAR)
    repository.commit()
    status, _ = unclear(hasten, repository, "--junit", "out.xml")
    assert status == 0
    suite = ElementTree.parse(repository.folder / "out.xml").getroot()[0]
    assert (suite.get("errors"), suite.get("skipped")) == ("0", "1")
    assert unclear(hasten, repository, "--strict")[0] == 2
    (repository.folder / "pyproject.toml").write_text("[tool.hasten.check]\nstrict = true\n")
    status, answer = unclear(hasten, repository, "--junit", "out.xml")
    assert status == answer["exit_status"] == 2
    suite = ElementTree.parse(repository.folder / "out.xml").getroot()[0]
    assert (suite.get("errors"), suite.get("skipped")) == ("1", "0")


def test_different_results(hasten: Hasten, repository: Repository) -> None:
    repository.write(worker="def work():\n    return 'other'\n")
    result = check(hasten, repository, "--budget", "1", "--against", "HEAD")
    assert result.returncode == 2
    words = " ".join(result.stdout.split())
    assert "bench_work: it does not return the same (--allow-different permits that)" in words
    result = check(hasten, repository, "--budget", "1", "--against", "HEAD", "--allow-different")
    assert result.returncode == 0, result.stdout


def test_what_fails_is_told_and_the_rest_measured(hasten: Hasten, repository: Repository) -> None:
    repository.write(
        worker=SLIGHTLY_SLOWER,
        bench_bad="def bench_raises():\n    return {}['x']\n",
        bench_worse="import no_such_module\n",
    )
    result = check(hasten, repository, "--budget", "1", "--against", "HEAD", "--json")
    assert result.returncode == 2
    found = verdicts(result)
    assert found["bench_worse.py"] == found["bench_bad.py::bench_raises"] == "failed"
    assert found["bench_work.py::bench_work"] in ("fine", "unclear")
    assert "KeyError: 'x'" in result.stderr and "no_such_module" in result.stderr
    assert "hasten: check: bench_worse.py raised an exception\n" in result.stderr


def test_everybody_is_told(hasten: Hasten, repository: Repository) -> None:
    """One run: text, JUnit, GitHub's annotations and summary."""
    repository.write(
        worker=SLOW,
        bench_odd="def bench_odd(text):\n    {}['x']\nbench_odd.params = ['<&\"\\x01']\n",
    )
    summary = hasten.folder / "summary.md"
    summary.write_text("before\n")
    env = repository.env | {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    result = check(hasten, repository, "--against", "HEAD", "--junit", "junit.xml", env=env)
    assert result.returncode == 1, result.stderr
    lines = result.stdout.splitlines()
    assert lines[1].split() == [
        "benchmark", "was", "is", "change", "95", "%", "memory", "verdict"
    ]  # fmt: skip
    assert lines[2].endswith("failed") and lines[3].endswith("slower")
    assert "  bench_work.py::bench_work: slower by more than 100 %" in lines
    assert "2 benchmarks: 1 slower, 1 failed" in lines
    assert max(len(line) for line in lines if not line.startswith("::")) <= 80

    suite = ElementTree.parse(repository.folder / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    assert [suite.get(key) for key in ("tests", "failures", "errors", "skipped")] == [
        "2", "1", "1", "0"
    ]  # fmt: skip
    failed, slow = suite.findall("testcase")
    assert slow.get("classname") == "bench_work.py" and slow.get("name") == "bench_work"
    failure = slow.find("failure")
    assert failure is not None and failure.get("message") == "slower by more than 100 %"
    assert failed.find("error") is not None

    assert (
        "\n::error file=bench_work.py,title=bench_work.py%3A%3Abench_work::"
        "slower by more than 100 %25: x"
    ) in result.stdout
    text = summary.read_text()
    assert text.startswith("before\n### hasten check\n\n2 benchmarks: 1 slower, 1 failed\n\n| ")
    assert "bench\\_work.py::bench\\_work" in text


def test_junit_that_cannot_be_written(hasten: Hasten) -> None:
    hasten.script("bench_budgets.py", BUDGETS)
    words = ["--python", sys.executable, "--budget", "0.3", "--junit", "/no/such/folder/x"]
    result = hasten("check", *words)
    assert result.returncode == 2
    assert "cannot write /no/such/folder/x: No such file or directory" in result.stderr


BUDGETS = """\
def bench_tight():
    return sum(range(10000))

bench_tight.__hasten_budget__ = {"time_ns": 10}

def bench_loose():
    return 1

bench_loose.__hasten_budget__ = {"time_ns": 60_000_000_000}

def bench_none():
    return 1
"""


def test_budgets_without_a_reference(hasten: Hasten) -> None:
    hasten.script("bench_budgets.py", BUDGETS)
    result = hasten("check", "--python", sys.executable, "--budget", "1", "--json")
    assert result.returncode == 1, result.stderr
    entries = json.loads(result.stdout)["benchmarks"]
    assert [entry["verdict"] for entry in entries] == ["over budget", "fine", "fine"]
    assert [entry["reason"] for entry in entries] == [
        "over its budget of 10.0 ns", "within its budget of 60.0 s", "it has no budget"
    ]  # fmt: skip
    assert entries[0]["budget"] == {"time_s": 1e-08}
    assert entries[2]["is"] is None
    # What there is not is null.
    for key in ("ratio", "interval", "p", "same_results", "was"):
        assert entries[0][key] is None


def test_nothing_to_check(hasten: Hasten) -> None:
    result = hasten("check", "--python", sys.executable)
    assert result.returncode == 2
    assert "check: there are no files bench_*.py in " in result.stderr
    hasten.script("bench_x.py", "def other(): pass\n")
    result = hasten("check", "--python", sys.executable)
    assert result.stderr == "hasten: check: the files have no functions named bench_*\n"
    result = hasten("check", "--python", sys.executable, "nowhere.py")
    assert result.stderr == "hasten: check: there is no file nowhere.py\n"
    result = hasten("check", "--against", "x", "--", "true")
    assert result.returncode == 2


def test_memory(hasten: Hasten, repository: Repository) -> None:
    repository.write(worker="def work():\n    return sum(range(20000)) * len([0] * 10_001)\n")
    repository.commit()
    repository.write(worker="def work():\n    return sum(range(20000)) * len([0] * 10_000 + [0])\n")
    words = ["--budget", "1", "--against", "HEAD", "--threshold", "1000"]
    result = check(hasten, repository, *words, "--json")
    assert result.returncode == 1, result.stderr
    (entry,) = json.loads(result.stdout)["benchmarks"]
    assert entry["verdict"] == "more memory"
    assert 80_000 <= entry["was"]["peak_bytes"] < 85_000
    assert 160_000 <= entry["is"]["peak_bytes"] < 165_000
    pattern = r"needs 15\d KiB at its peak, was 78\.\d KiB; 5 % more is allowed"
    assert re.fullmatch(pattern, entry["reason"])
    result = check(hasten, repository, *words, "--memory-threshold", "150")
    assert result.returncode == 0, result.stdout
    assert "+100 %" in result.stdout


def test_memory_budget(hasten: Hasten) -> None:
    hasten.script(
        "bench_memory.py",
        "def bench_much(): return len(bytes(3_000_000))\n"
        "bench_much.__hasten_budget__ = {'memory_bytes': 2_000_000}\n"
        "def bench_little(): return len(bytes(100))\n"
        "bench_little.__hasten_budget__ = {'memory_bytes': 2_000_000}\n",
    )
    result = hasten("check", "--python", sys.executable, "--budget", "0.5", "--json")
    assert result.returncode == 1, result.stderr
    much, little = json.loads(result.stdout)["benchmarks"]
    assert much["reason"] == "needs 2.86 MiB, over its budget of 1.91 MiB"
    assert (little["verdict"], little["reason"]) == ("fine", "within its budget of 1.91 MiB")


GROWING = """\
import time
import hasten

SIZES = [20, 40, 80, 160, 320, 640]

def spend(seconds):
    # By the clock: the least of some is as long on any machine, whatever else it does.
    end = time.perf_counter() + seconds
    while time.perf_counter() < end: pass

@hasten.budget(complexity="n log n")
def bench_linear(n):
    spend(n * 1e-6)

@hasten.budget(complexity="n log n")
def bench_cube(n):
    spend(n ** 3 * 2e-9)

@hasten.budget(complexity="n")
def bench_few(n):
    return n

bench_linear.params = SIZES
bench_cube.params = [16, 32, 64, 128, 256]
bench_few.params = [1, 2]
"""


def test_growth(hasten: Hasten) -> None:
    hasten.script("bench_growing.py", GROWING)
    result = hasten("check", "--python", sys.executable, "--budget", "0.5", "--json")
    assert result.returncode == 1, result.stderr
    found = {entry["name"]: entry for entry in json.loads(result.stdout)["benchmarks"]}
    assert len(found) == 13
    cube = found["bench_growing.py::bench_cube[256]"]
    assert cube["verdict"] == "over budget"
    assert re.fullmatch(r"grows like O\(.*\), over its budget of O\(n log n\)", cube["reason"])
    assert cube["budget"] == {"complexity": "O(n log n)"}
    # How noisy the machine is decides whether the other can be told; it is never over.
    linear = found["bench_growing.py::bench_linear[640]"]
    assert linear["verdict"] in ("fine", "unclear")
    few = found["bench_growing.py::bench_few[2]"]
    assert few["verdict"] == "unclear" and "cannot be told (few sizes)" in few["reason"]
