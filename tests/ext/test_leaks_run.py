# SPDX-License-Identifier: MIT
"""hasten run --leaks: the program's own marks, its children, its end, its recording."""

import json
import subprocess
import sys

import pytest

HASTEN = [sys.executable, "-m", "hasten"]

SERVER = """
import sys
sessions = {}
class Session:
    def __init__(self):
        self.payload = bytes(3000)
def handle(n):
    sessions[n] = Session()
    return n
if __name__ == "__main__":
    for n in range(30):
        handle(n)
    print("done", len(sessions))
    sys.exit(3)
"""


@pytest.fixture
def run(tmp_path):
    """Runs a program with --leaks; answers what it said and the recording's report."""

    def start(text, *options, expect=0):
        (tmp_path / "app.py").write_text(text)
        recording = tmp_path / "app.hasten"
        command = [*HASTEN, "run", "--leaks", "--python", sys.executable, "--no-report"]
        done = subprocess.run(
            [str(word) for word in (*command, *options, "-o", recording, tmp_path / "app.py")],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == expect, done.stderr
        assert not list(tmp_path.glob("app.hasten.*")), "what processes wrote is removed"
        report = [*HASTEN, "report", str(recording)]
        text = subprocess.run(report, check=True, capture_output=True, text=True).stdout
        found = subprocess.run([*report, "--json"], check=True, capture_output=True, text=True)
        facts = json.loads(found.stdout)["facts"]
        return done, text, facts

    return start


def leaks_of(facts):
    """By process: what it found."""
    return {
        name.split(".")[1]: json.loads(value)
        for name, value in facts.items()
        if name.startswith("leaks.") and name.endswith(".json")
    }


def test_marks_at_returns_of_a_function(run):
    done, text, facts = run(SERVER, "--leaks-mark", "__main__:handle", expect=3)
    assert done.stdout == "done 30\n"
    assert "Leaks\n" in text
    assert "__main__.sessions[" in text
    assert "1 leak after 29 iterations" in text
    (found,) = leaks_of(facts).values()
    (leak,) = found["leaks"]
    assert leak["holder"] == "__main__.sessions"
    assert leak["type"] == "__main__.Session"
    assert leak["count"] >= 40  # sessions and payloads


def test_lines_that_grow(run, monkeypatch):
    """Where the program's allocations are traced from its beginning, without this module."""
    monkeypatch.setenv("PYTHONTRACEMALLOC", "1")
    _, text, facts = run(SERVER, "--leaks-mark", "__main__:handle", expect=3)
    (found,) = leaks_of(facts).values()
    most = max(found["sites"], key=lambda site: site["bytes"] - site["bytes_before"])
    payload = SERVER.splitlines().index("        self.payload = bytes(3000)") + 1
    assert (most["file"].endswith("app.py"), most["line"]) == (True, payload)
    assert most["count"] - most["count_before"] >= 28
    # Tables keep their columns.
    rows = text[text.index("more than at the first mark, by line") :].splitlines()[1:3]
    assert [row.rindex("  ") for row in rows] == [rows[0].rindex("  ")] * 2


def test_marks_in_time(run):
    """Whether it grows is not asked: how much happens between marks is the machine's affair."""
    program = """
import os, sys, time
sessions = []
folder = os.environ["HASTEN_LEAKS"].split("\\t")[1]
while not os.listdir(folder):  # until the eighth mark
    sessions.append(bytes(3000))
    time.sleep(0.005)
print("done")
sys.exit(3)
"""
    done, text, facts = run(program, "--leaks-every", "0.02", expect=3)
    assert done.stdout == "done\n"
    (found,) = leaks_of(facts).values()
    assert found["iterations"] >= 8
    assert "Leaks\n" in text
    assert {"bytes", "count"} <= set(found["types"][0])


def test_children_are_watched(run):
    program = """
import os
kept = []
def work():
    kept.append(bytes(3000))
def sink():
    for _ in range(12):
        work()
if os.fork() == 0:
    sink()
    raise SystemExit(0)
os.wait()
"""
    _, text, facts = run(program, "--leaks-mark", "__main__:work")
    assert [bool(found["leaks"]) for found in leaks_of(facts).values()] == [True]
    assert "__main__.kept[" in text


def test_locals_of_what_has_ended(run):
    """At the end they are gone; what was found before that stays."""
    program = """
def work(kept):
    kept.append(bytes(3000))
def main():
    kept = []
    for _ in range(20):
        work(kept)
main()
"""
    _, text, _ = run(program, "--leaks-mark", "__main__:work")
    assert "__main__.main(): kept[" in text


def test_program_that_is_killed_leaves_its_last_report(run):
    program = """
import os, signal
kept = []
def work():
    kept.append(bytes(3000))
for _ in range(20):
    work()
os.kill(os.getpid(), signal.SIGKILL)
"""
    _, text, _ = run(program, "--leaks-mark", "__main__:work", expect=-9)
    assert "1 leak after 16 iterations" in text


def test_nothing_leaks(run):
    _, text, facts = run("def work():\n    pass\nfor _ in range(9):\n    work()\n",
                         "--leaks-mark", "__main__:work")  # fmt: skip
    assert "no leak after 8 iterations" in text
    (found,) = leaks_of(facts).values()
    assert found["leaks"] == []


def test_program_that_ends_before_it_had_looked(run):
    done, text, facts = run("print('x')")
    assert done.stdout == "x\n"
    assert "nothing is known of leaks" in done.stderr
    assert "Leaks" not in text
    assert leaks_of(facts) == {}


def test_program_does_not_notice(run):
    program = """
import sys, threading, os
assert threading.active_count() == 1
assert sys.argv[1:] == []
assert "hasten" not in {thread.name for thread in threading.enumerate()}
print(input.__name__)
"""
    done, _, _ = run(program, "--leaks-every", "0.01")
    assert done.stdout == "input\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--leaks-every", "1"], "--leaks-every and --leaks-mark go with --leaks"),
        (["--leaks", "--trace"], "--leaks goes with sampling, not with --trace"),
        (["--leaks", "--leaks-every", "x"], "a number of seconds"),
        (["--leaks", "--leaks-mark", "handle"], "MODULE:FUNCTION is expected"),
    ],
)
def test_wrong_usage(options, message):
    done = subprocess.run(
        [*HASTEN, "run", *options, "app.py"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert message in done.stderr
