# SPDX-License-Identifier: MIT
"""pytest --hasten-against=REV: a test suite's benchmarks beside those of another revision."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hasten_command import HASTEN, PATIENCE_S, environment
from repositories import FAST, SLOW, Repository

COMMON = """\
import asyncio
import os
import pytest
import worker

@pytest.fixture(scope="module")
def shared():
    return {"made": []}

def test_same(benchmark):
    assert benchmark(sum, range(100)) == 4950

def test_worker(benchmark, shared):
    assert not shared["made"]
    assert benchmark(worker.work) == 0
    assert benchmark.stats.stats.rounds >= 5
    benchmark.extra_info["seen"] = 1

@pytest.mark.benchmark(threshold="9000 %")
def test_lenient(benchmark):
    benchmark(worker.work)

def test_plain():
    pass

def test_quick(benchmark):
    benchmark(worker.quick)

@pytest.mark.parametrize("factor", [1, 2])
def test_pedantic(benchmark, factor):
    made = []
    def prepare():
        made.append(1)
        return (factor,), {}
    assert benchmark.pedantic(worker.twice, setup=prepare, rounds=4, warmup_rounds=1) == 2 * factor
    assert len(made) <= 5

def test_coroutine(benchmark):
    async def wait():
        await asyncio.sleep(0)
        return worker.work()
    assert benchmark(wait) == 0

def test_unused(benchmark):
    pass

def test_skipped(benchmark):
    pytest.skip("not today")

def test_fails_there(benchmark):
    assert worker.IS_NEW, "older than that"
    benchmark(int)
"""
NEW = "\ndef test_new(benchmark):\n    benchmark(int)\n"
OLD_WORKER = FAST + "IS_NEW = False\ntwice = lambda x: 2 * x\nquick = lambda: sum(range(3000))\n"
NEW_WORKER = SLOW + "IS_NEW = True\ntwice = lambda x: 2 * x\nquick = lambda: sum(range(30))\n"


@pytest.fixture
def suite(repository: Repository) -> Repository:
    repository.write(worker=OLD_WORKER, test_worker=COMMON)
    (repository.folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n")
    repository.commit()
    return repository


def run(repository: Repository, *words: str, **more: str) -> Any:
    kept = {"PATH": f"{Path(HASTEN).parent}:{os.environ['PATH']}"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
        cwd=repository.folder, env=environment(**(repository.env | kept | more)), check=False,
        capture_output=True, text=True, timeout=PATIENCE_S, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def verdicts(path: Path) -> dict[str, Any]:
    answer = json.loads(path.read_text())
    return {row["name"]: row for row in answer["benchmarks"]}


def test_verdicts(suite: Repository) -> None:
    suite.write(worker=NEW_WORKER, test_worker=COMMON + NEW)
    path = suite.folder / "out.json"
    result = run(
        suite, "--hasten-against=HEAD", "--hasten-against-budget=0.3", f"--benchmark-json={path}",
        "--hasten-against-threshold=50", "-v",
    )  # fmt: skip
    text = result.stdout
    assert result.returncode == 1, text + result.stderr
    found = verdicts(path)
    against = {name: row.get("against", {}) for name, row in found.items()}
    assert {name: row.get("verdict") for name, row in against.items()} == {
        "test_worker": "slower",
        "test_lenient": "fine",
        "test_quick": "faster",
        "test_pedantic[1]": against["test_pedantic[1]"]["verdict"],
        "test_pedantic[2]": against["test_pedantic[2]"]["verdict"],
        "test_same": against["test_same"]["verdict"],
        "test_coroutine": "slower",
        "test_new": "new",
        "test_fails_there": "new",
    }, text
    # What is the same is no more than unclear on the busiest machine.
    for name in ("test_same", "test_pedantic[1]", "test_pedantic[2]"):
        assert against[name]["verdict"] in ("fine", "unclear", "faster"), text
    worker = against["test_worker"]
    assert 1.5 < worker["interval"][0] <= worker["ratio"] <= worker["interval"][1]
    assert worker["was_s"] < worker["is_s"] and worker["rounds"] >= 9
    assert against["test_lenient"]["threshold"] == 90
    # What the test sees is what was measured of the working tree.
    stats = found["test_worker"]["stats"]
    assert stats["median"] == pytest.approx(worker["is_s"])
    assert found["test_worker"]["extra_info"] == {"seen": 1}
    lines = text.splitlines()
    assert "failed" in lines[-1] and "2 failed" in lines[-1], text
    assert any("against HEAD (" in line and "2 slower" in line for line in lines), text
    assert any("Slower than it was: it takes " in line for line in lines), text
    assert any(line.endswith("test_new: new: it is not there") for line in lines), text
    there = [line for line in lines if "test_fails_there: new: fails at HEAD" in line]
    assert there and "older than that" in there[0], text


HANGS = """\
import os, time, pytest, worker

def test_hangs(benchmark):
    benchmark(worker.hang)

def test_ends(benchmark):
    benchmark(worker.end)

def test_same(benchmark):
    benchmark(int)
"""


def test_what_cannot_be_measured(suite: Repository) -> None:
    """The reference hangs, or ends; the test fails, and the others are measured."""
    old = "import os, time\ndef hang(): time.sleep(100)\ndef end(): os._exit(3)\n"
    suite.write(worker=old, test_worker=HANGS)
    suite.commit()
    suite.write(worker="def hang(): pass\ndef end(): pass\n")
    path = suite.folder / "out.json"
    result = run(
        suite, "--hasten-against=HEAD", "--hasten-against-budget=0.1", "-k", "not skipped",
        "--hasten-against-timeout=6", "--hasten-against-threshold=80", f"--benchmark-json={path}",
    )  # fmt: skip
    assert result.returncode == 1, result.stdout
    assert "It could not be compared: HEAD (" in result.stdout
    assert "did not come to an end in 6 s" in result.stdout
    assert "has ended (status 3)" in result.stdout
    assert "2 failed" in result.stdout.splitlines()[-1]
    assert verdicts(path)["test_same"]["against"]["rounds"] >= 9


@pytest.mark.parametrize(
    "words, reason",
    [
        (("--hasten-against=nowhere",), "nowhere"),
        (("--hasten-against=HEAD", "--benchmark-disable"), "--benchmark-disable does not"),
        (("--hasten-against=HEAD", "--hasten-against-budget=0"), "number of seconds above 0"),
        (("--hasten-against=HEAD", "--hasten-against-threshold=x"), "like \"5 %\", not 'x'"),
    ],
)
def test_refused(suite: Repository, words: tuple[str, ...], reason: str) -> None:
    result = run(suite, *words)
    assert result.returncode == 4, result.stdout
    assert reason in result.stderr, result.stdout + result.stderr
    assert "Traceback" not in result.stderr + result.stdout


def test_no_git_and_no_build(suite: Repository) -> None:
    result = run(suite, "--hasten-against=HEAD", PATH=str(suite.folder))
    assert result.returncode == 4
    assert "revisions need git" in result.stderr
    (suite.folder / "pyproject.toml").write_text('[tool.hasten]\ninstall = "exit 7"\n')
    suite.commit()
    result = run(suite, "--hasten-against=HEAD")
    assert result.returncode == 4
    assert "cannot be built" in result.stderr and "exit status 7" in result.stderr


def test_without_benchmarks_nothing_is_built(suite: Repository) -> None:
    result = run(suite, "--hasten-against=nowhere", "-k", "plain")
    assert result.returncode == 0, result.stdout + result.stderr
    result = run(suite, "--hasten-against=nowhere", "--collect-only")
    assert result.returncode == 0, result.stdout + result.stderr
    assert suite.entries() == []
