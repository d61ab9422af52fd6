# SPDX-License-Identifier: MIT
"""Tests of other projects' caches, run on hasten's through names of theirs (peers/).

They are downloaded as the projects publish them, once, and unchanged. What they are known
to fail is in peers/deviations.toml, each with a reason.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

import pytest
from judging import Deviation, judge

HERE = Path(__file__).resolve().parent
KEPT = HERE.parents[1] / ".cache" / "peers"
TIME_LIMIT_S = 300
VERSION = "{}.{}".format(*sys.version_info)
# What is tested: its version, the files of its folder of tests, further options of pytest.
PEERS = {
    "async_lru": (
        "2.4.0",
        [
            "test_basic.py",
            "test_cache_clear.py",
            "test_cache_contains.py",
            "test_cache_info.py",
            "test_cache_invalidate.py",
            "test_cancel.py",
            "test_close.py",
            "test_exception.py",
            "test_key.py",
            "test_partialmethod.py",
            "test_size.py",
            "test_thread_safety.py",
            "test_ttl.py",
        ],
        [],
    ),
    "cachetools": (
        "8.0.1",
        ["test_func.py", "test_lru.py", "test_ttl.py"],
        ["-k", "LRU or TTL"],
    ),
    "propcache": ("0.5.4", ["test_cached_property.py"], []),
}


def fetched(name, version):
    """The folder of its tests."""
    folder = KEPT / f"{name}-{version}"
    if not (folder / "tests").exists():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--no-binary", name, "--dest", KEPT]
        done = subprocess.run(
            [*command, f"{name}=={version}"], check=False, capture_output=True, text=True
        )
        if done.returncode != 0:
            pytest.skip(f"{name} {version} cannot be downloaded: {done.stderr[-300:]}")
        # First elsewhere: it is there whole or not at all.
        with tempfile.TemporaryDirectory(dir=KEPT) as made:
            with tarfile.open(KEPT / f"{name}-{version}.tar.gz") as archive:
                archive.extractall(made, filter="data")
            shutil.move(Path(made) / folder.name, folder)
    return folder / "tests"


def known(name):
    text = (HERE / "peers" / "deviations.toml").read_text(encoding="utf-8")
    for entry in tomllib.loads(text)["deviation"]:
        if set(entry) - {"versions"} != {"peer", "tests", "reason"} or not entry["reason"].strip():
            raise ValueError(f"a deviation has a peer, tests and a reason: {entry}")
        if entry["peer"] == name:
            for test in entry["tests"]:
                yield Deviation(test, tuple(entry.get("versions", [VERSION])), entry["reason"])


@pytest.mark.parametrize("name", PEERS)
def test_tests_of(name, tmp_path):
    version, files, options = PEERS[name]
    folder = fetched(name, version)
    outcomes = tmp_path / "outcomes.json"
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    asyncio\n")
    (tmp_path / "tests").symlink_to(folder)
    command = [sys.executable, HERE / "peers" / "run_peer.py", outcomes, *options]
    done = subprocess.run(
        [*command, *(f"tests/{file}" for file in files)],
        cwd=tmp_path,
        check=False,
        timeout=TIME_LIMIT_S,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert outcomes.exists(), done.stdout + done.stderr
    tests = {
        test.removeprefix("tests/"): tuple(outcome)
        for test, outcome in json.loads(outcomes.read_text(encoding="utf-8")).items()
    }
    complaints = list(judge(tests, list(known(name)), VERSION, "test_"))
    assert not complaints, "\n".join(complaints)
