# SPDX-License-Identifier: MIT
"""hasten.leaks: every planted leak is found with its chain of holders, no decoy is named."""

import json
import re
import subprocess
import sys

import pytest
from growing_programs import DECOYS
from leaking_programs import LEAKS

DRIVER = """
import json, sys
sys.path.insert(0, sys.argv[1])
import app
import hasten.leaks
with hasten.leaks.watch() as found:
    for i in range(int(sys.argv[2])):
        app.step(i)
        found.mark()
print(json.dumps(found.as_dict()))
"""


def watch(folder, program, iterations=16):
    (folder / "app.py").write_text(program)
    command = [sys.executable, "-c", DRIVER, folder, iterations]
    done = subprocess.run(
        [str(word) for word in command],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", LEAKS)
def test_leak_is_found_with_its_chain(name, tmp_path):
    program, chain, kind = LEAKS[name]
    found = watch(tmp_path, program)
    assert len(found["leaks"]) == 1, [leak["chain"] for leak in found["leaks"]]
    (leak,) = found["leaks"]
    assert re.fullmatch(chain, leak["chain"])
    assert leak["kind"] == kind
    assert leak["bytes_per_iteration"] > 900
    assert leak["advice"]


@pytest.mark.parametrize("name", DECOYS)
def test_decoy_is_not_named(name, tmp_path):
    found = watch(tmp_path, DECOYS[name])
    assert [leak["chain"] for leak in found["leaks"]] == []
