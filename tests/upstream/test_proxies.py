# SPDX-License-Identifier: MIT
"""The tests of lazy-object-proxy and of wrapt's object proxies, unchanged, run on hasten.lazy.

Which of them our proxies are known to fail, and which are not about what they are, is in
proxies/deviations.toml, with reasons; test_upstream.py says by what rules.
"""

import fnmatch
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import sdists
from judging import judge, read_deviations

HERE = Path(__file__).resolve().parent
PARTS = HERE / "proxies"
LIST = PARTS / "deviations.toml"
VERSION = "{}.{}".format(*sys.version_info)
TIME_LIMIT_S = 300
SUITES = {
    "lazy-object-proxy": {
        "version": "1.13.0",
        "sha256": "ce34046cb021d69c72d05ddb83821ecfd4d2d0a5d43a93c5cd01c9e34779cf14",
        "folder": "tests",
        "files": ["test_lazy_object_proxy.py", "test_async_py3.py"],
        # Of the package itself the tests import one function.
        "path": "src",
        "plugin": "lazy_object_proxy_fixtures",
    },
    "wrapt": {
        "version": "2.5.2",
        "sha256": "551cb49e88b3722faad780303833bc4fa70685fb1773270fb98b40d39d9fddbf",
        "folder": "tests/core",
        "files": [
            "test_inplace_operators.py",
            "test_lazy_object_proxy.py",
            "test_object_proxy.py",
            "test_object_proxy_type_checks.py",
            "test_proxy_operands.py",
        ],
        "path": None,
        "plugin": None,
    },
}


def left_out(suite):
    """Patterns of tests that are not about proxies such as ours."""
    entries = tomllib.loads(LIST.read_text(encoding="utf-8"))["left_out"]
    return [entry["tests"] for entry in entries if entry["suite"] == suite]


def run_suite(name, folder):
    suite = SUITES[name]
    source = sdists.fetch(name, suite["version"], suite["sha256"])
    for file in suite["files"]:
        shutil.copy(source / suite["folder"] / file, folder / file)
    shutil.copy(PARTS / "outcomes.py", folder)
    plugins = ["outcomes"]
    if suite["plugin"]:
        shutil.copy(PARTS / f"{suite['plugin']}.py", folder)
        plugins.append(suite["plugin"])
    else:
        shutil.copy(PARTS / f"{name}.py", folder)
    paths = [str(folder)] + ([str(source / suite["path"])] if suite["path"] else [])
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", folder]
    command += ["-p", "no:cacheprovider", *(f"-p{plugin}" for plugin in plugins)]
    outcomes = folder / "outcomes.json"
    answer = subprocess.run(
        [*command, *suite["files"]],
        cwd=folder,
        check=False,
        timeout=TIME_LIMIT_S,
        capture_output=True,
        text=True,
        env=os.environ
        | {
            "HASTEN_OUTCOMES": str(outcomes),
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
    )
    assert outcomes.exists(), answer.stdout + answer.stderr
    return json.loads(outcomes.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SUITES)
def test_suite_of_other_proxies(name, tmp_path):
    try:
        tests = run_suite(name, tmp_path)
    except sdists.NotFetched as error:
        pytest.skip(f"the tests of {name} cannot be fetched: {error}")
    patterns = left_out(name)
    for pattern in patterns:
        assert fnmatch.filter(tests, pattern), f"{pattern} is of no test"
    # Their names begin with files, of which the suites have some in common.
    about = {
        f"{name}/{test}": outcome
        for test, outcome in tests.items()
        if not any(fnmatch.fnmatchcase(test, pattern) for pattern in patterns)
    }
    known = [one for one in read_deviations(LIST) if one.test.startswith(f"{name}/")]
    complaints = list(judge(about, known, VERSION, name))
    assert not complaints, "\n".join(complaints)
    assert len(about) > 2 * (len(known) + len(tests) - len(about))
