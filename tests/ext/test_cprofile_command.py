"""`python -m hasten.cProfile`."""

import pstats
import subprocess
import sys


def run_module(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "hasten.cProfile", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        **options,
    )


def test_command_line(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, __main__\n"
        "class Own: pass\n"
        "def work(): return len(sys.argv)\n"
        "print(work(), __main__.Own is Own, __name__, __file__ == sys.argv[0])\n"
    )
    answer = run_module("-s", "ncalls", script, "a", "b")
    assert answer.stderr == ""
    assert answer.stdout.startswith("3 True __main__ True\n")
    assert "script.py:3(work)" in answer.stdout
    answer = run_module("-o", tmp_path / "out", script)
    assert answer.stdout == "1 True __main__ True\n"
    assert any(key[2] == "work" for key in pstats.Stats(str(tmp_path / "out")).stats)
    answer = run_module("-m", "this")
    assert "Beautiful is better than ugly." in answer.stdout


def test_command_line_errors(tmp_path):
    answer = run_module()
    assert (answer.returncode, answer.stdout.split()[0]) == (2, "Usage:")
    answer = run_module("-s", "demo", "x")
    assert "option -s: invalid choice: 'demo'" in answer.stderr
    script = tmp_path / "script.py"
    script.write_text("raise SystemExit(3)")
    assert "script.py" in run_module(script).stdout
    script.write_text("1 / 0")
    answer = run_module(script)
    assert answer.returncode == 1
    assert "ZeroDivisionError" in answer.stderr


def test_command_line_beyond(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import threading\n"
        "def work(): pass\n"
        "t = threading.Thread(target=work); t.start(); t.join()\n"
    )
    for options in (
        ["--threads", "all"],
        ["--subtract-overhead", "--threads", "all"],
        ["--clock", "cpu", "--threads", "all"],
    ):
        answer = run_module(*options, script)
        assert answer.stderr == ""
        assert "script.py:2(work)" in answer.stdout
