# SPDX-License-Identifier: MIT
"""Tests of other projects' caches, run on hasten's through names of theirs (peers/).

They are fetched as the projects publish them (sdists.py), unchanged. What they are known
to fail is in peers/deviations.toml, each with a reason.
"""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import sdists
from judging import Deviation, judge

HERE = Path(__file__).resolve().parent
TIME_LIMIT_S = 300
VERSION = "{}.{}".format(*sys.version_info)
# What is tested: its version and the digest of that, the files of its folder of tests, further
# options of pytest.
PEERS = {
    "async_lru": (
        "2.4.0",
        "b0b0077d9b7596615b3c12d0aad4f6aeccaaa0ac75ceae472608ede89e764c08",
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
        "deb1d376d4d28c2f33f3e3058043b005e0af75c35c094bd54053e27d2906ad95",
        ["test_func.py", "test_lru.py", "test_ttl.py"],
        ["-k", "LRU or TTL"],
    ),
    "propcache": (
        "0.5.4",
        "ff6b113f50bc066a698db5d944d2c6dc7507168dd3341e255a8892fd0715a558",
        ["test_cached_property.py"],
        [],
    ),
}


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
    version, digest, files, options = PEERS[name]
    try:
        folder = sdists.fetch(name, version, digest) / "tests"
    except sdists.NotFetched as error:
        pytest.skip(f"{name} {version} cannot be downloaded: {str(error)[-300:]}")
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
