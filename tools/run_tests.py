# SPDX-License-Identifier: MIT
"""Runs every tier of tests (TESTING.md) and ends with one line: N passed, N failed."""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import package
from interpreters import Interpreter, find_all

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
VENV = ROOT / ".venv" / "bin"
# C unit tests are built twice: as they are shipped, and with the sanitizers.
C_BUILDS = {
    "test": ["-Dbuildtype=release"],
    "sanitize": [
        "-Dbuildtype=debug",
        "-Doptimization=1",
        "-Db_sanitize=address,undefined",
        "-Db_lundef=false",
        "-Dc_args=-fno-sanitize-recover=all -fno-omit-frame-pointer",
    ],
}
# No tier takes this long: what does, hangs.
TIME_LIMIT_S = 3600
C_COUNT = re.compile(r"^(\d+) passed, (\d+) failed", re.MULTILINE)


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __iadd__(self, other: "Tally") -> "Tally":
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        return self

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def title(text: str) -> None:
    print(f"\n== {text}", flush=True)


def run(command: Iterable[str | Path], **more: object) -> int:
    # meson looks for ninja, and meson-python for both, on PATH.
    own = {"PYTHONDONTWRITEBYTECODE": "1", "PATH": f"{VENV}:{os.environ['PATH']}"}
    environment = os.environ | own | dict(more.pop("env", {}))
    words = [str(word) for word in command]
    try:
        answer = subprocess.run(
            words, check=False, cwd=ROOT, env=environment, timeout=TIME_LIMIT_S, **more
        )
    except subprocess.TimeoutExpired:
        print(f"killed after {TIME_LIMIT_S} s: {words[0]}")
        return 1
    return answer.returncode


def quietly(command: Iterable[str | Path]) -> bool:
    """Whether the command succeeded; what it prints is only shown where it did not."""
    with tempfile.TemporaryFile("w+") as output:
        if run(command, stdout=output, stderr=subprocess.STDOUT) == 0:
            return True
        output.seek(0)
        print(output.read())
    return False


def count_c_tests(log: Path) -> Tally:
    """One count a check that ran; a test that crashed or timed out is one failure more."""
    tally = Tally()
    for line in log.read_text().splitlines():
        test = json.loads(line)
        if test["result"] == "SKIP":
            tally.skipped += 1
            continue
        counts = C_COUNT.findall(test.get("stdout", ""))
        passed, failed = (int(number) for number in counts[-1]) if counts else (0, 0)
        if test["result"] != "OK" and failed == 0:
            failed = 1
        elif test["result"] == "OK" and not counts:
            passed = 1
        tally += Tally(passed, failed)
    return tally


def c_tests(name: str) -> Tally:
    title(f"C unit tests and fuzz seeds: build/{name}")
    folder = BUILD / name
    options = ["-Dtests=enabled", "-Dextensions=false", "-Dwerror=true", *C_BUILDS[name]]
    setup = [VENV / "meson", "setup", folder, *options]
    if not (folder / "build.ninja").exists() and not quietly(setup):
        return Tally(failed=1)
    if not quietly([VENV / "meson", "compile", "-C", folder]):
        return Tally(failed=1)
    log = folder / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    environment = {"UBSAN_OPTIONS": "print_stacktrace=1", "ASAN_OPTIONS": "detect_leaks=1"}
    command = [VENV / "meson", "test", "-C", folder, "--no-rebuild", "--print-errorlogs"]
    code = run([*command, "--quiet"], env=environment)
    if not log.exists():
        return Tally(failed=1)
    tally = count_c_tests(log)
    if code != 0 and tally.failed == 0:
        tally.failed = 1
    print(tally)
    return tally


def pytest(name: str, command: list[str], folders: list[str], env: dict[str, str]) -> Tally:
    report = BUILD / f"pytest-{name}.xml"
    report.unlink(missing_ok=True)
    options = ["-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    code = run([*command, "-m", "pytest", *options, *folders], env=env)
    if not report.exists():
        return Tally(failed=1)
    suite = ElementTree.parse(report).getroot().find("testsuite")
    if suite is None:
        return Tally(failed=1)
    count = {key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
    failed = count["failures"] + count["errors"]
    if code != 0 and failed == 0:
        failed = 1
    return Tally(count["tests"] - failed - count["skipped"], failed, count["skipped"])


def python_tests(interpreters: list[Interpreter]) -> Tally:
    names = ", ".join(i.version for i in interpreters) or "this interpreter"
    title(f"pytest, programs running on {names}")
    folders = [f"tests/{name}" for name in ("repository", "ext", "upstream", "cli", "integration")]
    folders = [folder for folder in folders if any((ROOT / folder).glob("test_*.py"))]
    env = {"HASTEN_PROBE": str(BUILD / "test" / "tests" / "core" / "probe")}
    if interpreters:
        env["HASTEN_TEST_PYTHONS"] = ":".join(i.command for i in interpreters)
    return pytest("all", [str(VENV / "python")], folders, env)


def extension_tests(interpreter: Interpreter) -> Tally:
    """Builds the package for one interpreter, in a venv of its own, and tests it there."""
    title(f"package, tests/ext and tests/upstream on {interpreter.version}")
    python = package.install(interpreter)
    if python is None:
        return Tally(failed=1)
    env = {"PATH": f"{package.venv_of(interpreter) / 'bin'}:{os.environ['PATH']}"}
    return pytest(interpreter.version, python, ["tests/ext", "tests/upstream"], env)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all-interpreters", action="store_true", help="CPython 3.11 to 3.15")
    options = parser.parse_args()
    BUILD.mkdir(exist_ok=True)
    interpreters = find_all() if options.all_interpreters else []
    tally = Tally()
    for name in C_BUILDS:
        tally += c_tests(name)
    tally += python_tests(interpreters)
    for interpreter in interpreters:
        tally += extension_tests(interpreter)
    title("all tiers")
    print(tally)
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
