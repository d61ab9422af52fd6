# SPDX-License-Identifier: MIT
"""Other revisions of a project: how they are made, kept, and what cannot be made."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hasten_command import Hasten, wait_until
from repositories import BACKEND, BENCH, FAST, PACKAGED, SLOW, Repository


def revision(hasten: Hasten, repository: Repository, *words: str, **more: Any) -> Any:
    options: dict[str, Any] = {"cwd": repository.folder, "env": repository.env}
    return hasten("revision", "--json", "--python", sys.executable, *words, **(options | more))


def bench(hasten: Hasten, repository: Repository, *words: str, **more: Any) -> Any:
    options: dict[str, Any] = {"cwd": repository.folder, "env": repository.env}
    return hasten(
        "bench", "--json", "--budget", "10", "--python", sys.executable, "--vs-rev", *words,
        **(options | more),
    )  # fmt: skip


def source_of(answer: Any, code: str = "import worker; print(worker.__file__)") -> str:
    assert answer.returncode == 0, answer.stderr
    python = json.loads(answer.stdout)["python"]
    return subprocess.run(
        [python, "-P", "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_sources_without_packaging(hasten: Hasten, repository: Repository) -> None:
    repository.write(worker=SLOW)
    answer = revision(hasten, repository, "HEAD")
    root = Path(json.loads(answer.stdout)["root"])
    assert source_of(answer) == str(root / "worker.py")
    assert (root / "worker.py").read_text() == FAST
    now = json.loads(revision(hasten, repository, ".").stdout)
    assert Path(now["root"], "worker.py").read_text() == SLOW
    assert now["commit"] == repository.git("rev-parse", "HEAD")
    # The repository is as it was.
    assert repository.git("status", "--porcelain") == "M worker.py"
    assert repository.git("worktree", "list").count("\n") == 0
    assert "unreachable" not in repository.git("fsck", "--unreachable")


def test_packages_of_the_present_environment_are_there(
    hasten: Hasten, repository: Repository
) -> None:
    answer = revision(hasten, repository, "HEAD")
    assert source_of(answer, "import pytest; print(pytest.__name__)") == "pytest"


def test_packaged_project_is_installed(hasten: Hasten, repository: Repository) -> None:
    (repository.folder / "worker.py").unlink()
    (repository.folder / "pyproject.toml").write_text(PACKAGED)
    repository.write(backend=BACKEND, src__worker=FAST)
    repository.commit()
    repository.write(src__worker=SLOW)
    answer = revision(hasten, repository, "HEAD")
    assert "site-packages" in source_of(answer)
    result = bench(hasten, repository, "HEAD", "bench_work.py")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["verdict"] == "faster"


@pytest.mark.parametrize("kind", ["file", "statement", "command", "folder", "import path"])
def test_sides_run_their_own_revision(hasten: Hasten, repository: Repository, kind: str) -> None:
    repository.write(worker=SLOW, sub__bench_other=BENCH)
    words, more = ["bench_work.py"], {}
    if kind == "statement":
        words = ["-s", "import worker", "worker.work()"]
    elif kind == "command":
        words = ["--", "python", "-c", "import worker; [worker.work() for _ in range(600)]"]
    elif kind == "folder":
        words, more = ["bench_other.py"], {"cwd": repository.folder / "sub"}
    elif kind == "import path":
        more = {"env": repository.env | {"PYTHONPATH": str(repository.folder)}}
    result = bench(hasten, repository, "HEAD", *words, **more)
    assert result.returncode == 0, result.stderr
    assert result.stderr == (
        "hasten: bench: A is the working tree, with changes that are not committed\n"
    )
    answer = json.loads(result.stdout)
    assert answer["verdict"] == "faster"
    assert answer["benchmarks"][0]["b"]["label"].endswith(" (HEAD)")


def test_what_comes_from_the_working_tree_is_refused(
    hasten: Hasten, repository: Repository
) -> None:
    repository.write(
        bench_work=f"import sys\nsys.path.insert(0, {str(repository.folder)!r})\n{BENCH}"
    )
    result = bench(hasten, repository, "HEAD", "bench_work.py")
    assert result.returncode == 2
    assert "worker was imported from the working tree, not from its revision" in result.stderr


def test_different_results_are_said(hasten: Hasten, repository: Repository) -> None:
    repository.write(worker="def work():\n    return 'other'\n")
    result = bench(hasten, repository, "HEAD", "bench_work.py")
    assert json.loads(result.stdout)["benchmarks"][0]["same_results"] is False


def test_built_once(hasten: Hasten, repository: Repository) -> None:
    counting = "echo built >> ../../../../built; sleep 1"
    words = ["--install", counting, "HEAD"]
    both = [
        hasten.start(
            "revision", "--json", "--python", sys.executable, *words,
            cwd=repository.folder, env=os.environ | repository.env,
        )
        for _ in range(2)
    ]  # fmt: skip
    outputs = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert outputs[0] == outputs[1] == revision(hasten, repository, *words).stdout
    assert (repository.cache / "built").read_text() == "built\n"
    # Another way to install it is another environment.
    assert revision(hasten, repository, "HEAD").stdout != outputs[0]


def test_killed_build_is_begun_again(hasten: Hasten, repository: Repository) -> None:
    # Only the first time it takes long.
    again = hasten.folder / "again"
    words = ["--install", f"test -e {again} || {{ touch {again} left-behind; sleep 60; }}", "HEAD"]
    process = hasten.start(
        "revision", "--python", sys.executable, *words,
        cwd=repository.folder, env=os.environ | repository.env,
    )  # fmt: skip
    wait_until(again.exists, "the build")
    process.kill()
    process.wait()
    (entry,) = repository.entries()
    assert not (entry / "done").exists()
    result = revision(hasten, repository, *words)
    assert result.returncode == 0, result.stderr
    assert repository.entries() == [entry]
    assert not (entry / "src" / "left-behind").exists()


def test_interrupted_build_leaves_nothing_running(hasten: Hasten, repository: Repository) -> None:
    pid_file = hasten.folder / "pid"
    process = hasten.start(
        "revision", "--python", sys.executable, "--install", f"echo $$ > {pid_file}; sleep 60",
        "HEAD", cwd=repository.folder, env=os.environ | repository.env,
    )  # fmt: skip
    wait_until(lambda: pid_file.exists() and pid_file.read_text().endswith("\n"), "the build")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == -signal.SIGINT
    assert process.communicate()[1] == ""
    builder = Path("/proc", pid_file.read_text().strip())
    wait_until(lambda: not builder.exists() or is_zombie(builder), "its end")


def is_zombie(process: Path) -> bool:
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_in_a_hook(hasten: Hasten, repository: Repository) -> None:
    env = repository.env | {"GIT_DIR": ".git", "GIT_INDEX_FILE": ".git/index"}
    repository.write(worker=SLOW)
    answer = revision(hasten, repository, ".", env=env)
    assert Path(json.loads(answer.stdout)["root"], "worker.py").read_text() == SLOW
    assert repository.git("status", "--porcelain") == "M worker.py"


def test_editable_installation_is_not_what_is_found(hasten: Hasten, repository: Repository) -> None:
    """In an environment that has the working tree on its path."""
    environment = hasten.folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "worker.pth").write_text(f"{repository.folder}\n")
    (packages / "other.py").write_text("")
    repository.write(worker=SLOW)
    words = ["revision", "--json", "--python", environment / "bin" / "python", "HEAD"]
    answer = hasten(*words, cwd=repository.folder, env=repository.env)
    root = json.loads(answer.stdout)["root"]
    assert source_of(answer) == f"{root}/worker.py"
    assert "linked/other.py" in source_of(answer, "import other; print(other.__file__)")


def test_old_ones_go_away(hasten: Hasten, repository: Repository) -> None:
    revision(hasten, repository, "HEAD")
    (old,) = repository.entries()
    long_ago = 1_600_000_000
    os.utime(old / "done", (long_ago, long_ago))
    left_behind = old.parent / "objects" / "index-1"
    left_behind.write_text("")
    os.utime(left_behind, (long_ago, long_ago))
    repository.write(worker=SLOW)
    repository.commit()
    revision(hasten, repository, "HEAD")
    assert old not in repository.entries()
    assert not left_behind.exists()
    assert len(repository.entries()) == 1


def test_long_search_path(hasten: Hasten, repository: Repository) -> None:
    path = "/nowhere/" + "x" * 20000 + ":" + os.environ["PATH"]
    answer = revision(hasten, repository, "HEAD", env=repository.env | {"PATH": path})
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert found["environment"]["PATH"].endswith(path)
    assert found["environment"]["PATH"].startswith(f"{found['entry']}/env/bin:")
    assert found["environment"]["PYTHONHOME"] is None
    assert found["top"] == str(repository.folder) and found["dirty"] is False


def test_what_a_command_leaves_behind_may_write_for_ever(
    hasten: Hasten, repository: Repository
) -> None:
    folder = hasten.folder / "bin"
    folder.mkdir()
    git = folder / "git"
    git.write_text(f'#!/bin/sh\nyes >&2 &\nexec {shutil.which("git")} "$@"\n')
    git.chmod(0o755)
    env = repository.env | {"PATH": f"{folder}:{os.environ['PATH']}"}
    answer = revision(hasten, repository, "HEAD", env=env)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_locked_folders_of_a_killed_build(hasten: Hasten, repository: Repository) -> None:
    words = ["--install", "mkdir -p a/b/c; touch a/b/c/d; chmod 0 a/b/c a/b; chmod 500 a; exit 1"]
    assert revision(hasten, repository, *words, "HEAD").returncode == 2
    (entry,) = repository.entries()
    result = revision(hasten, repository, *words, "HEAD")
    assert result.returncode == 2
    assert "cannot use the folder" not in result.stderr
    assert repository.entries() == [entry]


def test_settings_of_the_project(hasten: Hasten, repository: Repository) -> None:
    (repository.folder / "pyproject.toml").write_text(
        '[tool.hasten]\ninstall = "echo made > made-by-install"\n'
    )
    answer = revision(hasten, repository, ".")
    assert Path(json.loads(answer.stdout)["root"], "made-by-install").exists()
    (repository.folder / "pyproject.toml").write_text("[tool.hasten\n")
    result = revision(hasten, repository, ".")
    assert result.returncode == 2
    assert "pyproject.toml: " in result.stderr


def test_no_repository(hasten: Hasten, tmp_path: Path) -> None:
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "GIT_CEILING_DIRECTORIES": str(tmp_path)}
    result = hasten("bench", "--python", sys.executable, "--vs-rev", "HEAD", "pass", env=env)
    assert result.returncode == 2
    assert result.stderr.startswith("hasten: revisions need a git repository: fatal: not a git")


def test_no_commit_yet(hasten: Hasten) -> None:
    repository = Repository(hasten)
    result = revision(hasten, repository, "HEAD")
    assert result.returncode == 2
    assert result.stderr == f"hasten: the repository {repository.folder} has no commit yet\n"


@pytest.mark.parametrize("name", ["nowhere", "--all", "HEAD~99", "HEAD:worker.py"])
def test_unknown_revision(hasten: Hasten, repository: Repository, name: str) -> None:
    result = bench(hasten, repository, name, "pass")
    assert result.returncode == 2
    assert result.stderr == f"hasten: there is no revision {name} in {repository.folder}\n"


def test_shallow_clone(hasten: Hasten, repository: Repository) -> None:
    repository.write(worker=SLOW)
    repository.commit()
    clone = hasten.folder / "shallow"
    subprocess.run(
        ["git", "clone", "--quiet", "--depth=1", f"file://{repository.folder}", clone], check=True
    )
    result = revision(hasten, repository, "HEAD~1", cwd=clone)
    assert result.stderr.endswith("the clone is shallow, `git fetch --unshallow` gets the rest\n")
    assert source_of(revision(hasten, repository, ".", cwd=clone)).endswith("/src/worker.py")


def test_no_git(hasten: Hasten, repository: Repository) -> None:
    empty = hasten.folder / "empty"
    empty.mkdir()
    result = revision(hasten, repository, "HEAD", env=repository.env | {"PATH": str(empty)})
    assert result.returncode == 2
    assert result.stderr == (
        "hasten: revisions need git, and there is none; install it (Debian: apt install git)\n"
    )


def test_revision_that_does_not_build(hasten: Hasten, repository: Repository) -> None:
    script = "for i in $(seq 30); do echo line $i; done; exit 3"
    result = bench(hasten, repository, "HEAD", "--install", script, "pass")
    assert result.returncode == 2
    lines = result.stderr.splitlines()
    assert lines[0].startswith(
        "hasten: working tree cannot be built; --install CMD says how, all that was said is in "
    )
    log = Path(lines[0].partition(" is in ")[2].partition(", at the end:")[0])
    assert lines[-1] == "    exit status 3"
    assert lines[-2] == "    line 30"
    assert "line 1\n" in log.read_text()
    assert len(lines) <= 14


def test_benchmark_that_the_other_cannot_run(hasten: Hasten, repository: Repository) -> None:
    repository.write(worker=FAST + "def more():\n    return 1\n")
    result = bench(hasten, repository, "HEAD", "-s", "import worker", "worker.more()")
    assert result.returncode == 2
    assert "worker.more() (HEAD) raised an exception" in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_cache_that_cannot_be_written(hasten: Hasten, repository: Repository) -> None:
    repository.cache.mkdir(mode=0o500)
    result = revision(hasten, repository, "HEAD")
    assert result.returncode == 2
    assert "cannot make the folder" in result.stderr


def test_cache_in_a_file(hasten: Hasten, repository: Repository) -> None:
    repository.cache.write_text("")
    result = revision(hasten, repository, "HEAD")
    assert result.returncode == 2
    assert "hasten/revisions: Not a directory; XDG_CACHE_HOME names another" in result.stderr
    result = revision(hasten, repository, "HEAD", env={"XDG_CACHE_HOME": "", "HOME": ""})
    assert "no folder to build revisions in; set XDG_CACHE_HOME or HOME" in result.stderr


def test_submodule(hasten: Hasten, repository: Repository) -> None:
    other = hasten.folder / "other"
    shutil.copytree(repository.folder, other)
    repository.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "part"
    )
    repository.commit()
    root = Path(json.loads(revision(hasten, repository, "HEAD").stdout)["root"])
    assert (root / "part" / "worker.py").read_text() == FAST


def test_combinations(hasten: Hasten, repository: Repository) -> None:
    result = bench(hasten, repository, "HEAD", "1", "--vs", "2")
    assert result.returncode == 2
    assert "--vs-rev compares the same code of two revisions" in result.stderr
