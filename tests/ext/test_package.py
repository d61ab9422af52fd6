"""The package itself: version, `python -m hasten`, typed names."""

import subprocess
import sys
import sysconfig
from importlib import metadata, resources
from pathlib import Path

import hasten

COMMAND = Path(sysconfig.get_path("scripts")) / "hasten"


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_one_version_everywhere():
    assert hasten.__version__ == metadata.version("hasten")
    assert hasten.__version__ in output(COMMAND, "--version")


def test_python_m_hasten_is_the_command():
    assert output(sys.executable, "-m", "hasten", "--version") == output(COMMAND, "--version")


def test_python_m_hasten_passes_the_exit_code():
    command = [sys.executable, "-m", "hasten", "no-such-verb"]
    native = subprocess.run([COMMAND, "no-such-verb"], check=False, capture_output=True)
    answer = subprocess.run(command, check=False, capture_output=True)
    assert answer.returncode == native.returncode != 0
    assert answer.stderr == native.stderr


def test_all_names_exist():
    for name in hasten.__all__:
        assert getattr(hasten, name) is not None


def test_is_typed():
    assert resources.files("hasten").joinpath("py.typed").is_file()
