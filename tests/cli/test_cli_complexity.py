# SPDX-License-Identifier: MIT
"""hasten complexity: what it says, and how it fails. Classes are those of functions whose
cost at neighbouring sizes differs by so much that any machine shows it."""

import json
import signal
import sys
from pathlib import Path

from hasten_command import Hasten, wait_until

FILE = """\
import os, sys, time
made = []

def numbers(n):
    made.append(n)
    return list(range(n))

def pair(n):
    return list(range(n)), n

def total(x):
    return sum(x)

def pairs(n):
    return sum(1 for a in range(n) for b in range(n))

def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

def clear(x):
    assert x, "the input of another execution"
    x.clear()

def both(x, n):
    assert len(x) == n
    print("noise")

def keep(n):
    return bytearray(1000 * n)

def limited(n):
    if n > 500:
        raise ValueError(f"too\\nlarge: {n}")

def never(n):
    raise ValueError("never")

def hangs(n):
    while n > 500:
        pass

def ends(n):
    os._exit(3)

async def coroutine(n):
    import asyncio
    await asyncio.sleep(0)
    return sum(range(n))

value = 3
"""


def complexity(hasten: Hasten, *arguments: object, **more: object) -> dict:
    result = hasten("complexity", "--json", "--python", sys.executable, *arguments, **more)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def refused(hasten: Hasten, *arguments: object) -> str:
    result = hasten("complexity", "--python", sys.executable, *arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    return result.stderr


def test_classes_and_fields(hasten: Hasten) -> None:
    name = hasten.script("functions.py", FILE).name
    found = complexity(hasten, "--budget", "3", f"{name}:pairs")
    assert found["time"]["class"] == "O(n^2)"
    assert found["time"]["doubt"] is None
    assert found["time"]["confidence"] > 0.8
    assert 3 < found["time"]["doubling"] < 5
    assert abs(sum(found["time"]["weights"].values()) - 1) < 1e-6
    assert found["memory"] is None
    assert found["function"] == "functions.py:pairs"
    sizes = [row["size"] for row in found["sizes"]]
    assert sizes[0] == 4 and sizes == sorted(set(sizes)) and len(sizes) >= 7
    for row in found["sizes"]:
        assert row["time_s"] > 0 and row["executions_per_round"] >= 1
        assert 1 <= row["rounds"] <= found["rounds"]
        assert row["memory_bytes"] is None
    found = complexity(hasten, "--budget", "3", f"{name}:fib")
    assert found["time"]["class"] == "O(2^n)"
    assert found["sizes"][-1]["size"] < 60


def test_inputs_are_made_anew_where_they_are_changed(hasten: Hasten) -> None:
    name = hasten.script("functions.py", FILE).name
    found = complexity(hasten, "--budget", "0.5", f"{name}:clear", "--generate", f"{name}:numbers")
    assert found["end"] in ("all", "budget")


def test_a_tuple_is_all_arguments_and_output_is_thrown_away(hasten: Hasten) -> None:
    name = hasten.script("functions.py", FILE).name
    found = complexity(hasten, "--budget", "0.5", f"{name}:both", "--generate", f"{name}:pair")
    assert found["end"] in ("all", "budget")


def test_memory(hasten: Hasten) -> None:
    name = hasten.script("functions.py", FILE).name
    found = complexity(hasten, "--budget", "2", "--memory", "--sizes", "4..4096", f"{name}:keep")
    assert found["memory"]["class"] == "O(n)"
    for row in found["sizes"]:
        assert 1000 * row["size"] <= row["memory_bytes"] <= 1000 * row["size"] + 2000


def test_sizes(hasten: Hasten) -> None:
    name = hasten.script("functions.py", FILE).name

    def sizes(text: str) -> list[int]:
        found = complexity(hasten, "--budget", "0.5", "--sizes", text, f"{name}:total",
                           "--generate", f"{name}:numbers")  # fmt: skip
        assert found["end"] == "all"
        return [row["size"] for row in found["sizes"]]

    assert sizes("1,5,7") == [1, 5, 7]
    ladder = sizes("100..100000")
    assert ladder[:3] == [100, 200, 400] or len(ladder) > 10
    assert ladder[0] == 100 and ladder[-1] == 100000 and ladder == sorted(set(ladder))
    assert len(sizes("10..20")) >= 5
    for wrong in ("", "0..5", "5..5", "9..3", "3,3", "3,2", "1..x", "-4", "1,,2", "1.5"):
        assert "FROM..TO or sizes with commas" in refused(hasten, "--sizes", wrong, f"{name}:total")
    many = ",".join(map(str, range(1, 66)))
    assert "64 sizes are the most" in refused(hasten, "--sizes", many, f"{name}:total")


def test_text(hasten: Hasten) -> None:
    name = hasten.script("functions.py", FILE).name
    arguments = ("complexity", "--python", sys.executable, "--budget", "2", f"{name}:pairs")
    result = hasten(*arguments, env={"COLUMNS": "60"})
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("functions.py:pairs\ntime    ")
    assert "●" in result.stdout and "│" in result.stdout
    assert "\x1b" not in result.stdout
    assert max(map(len, result.stdout.splitlines()[3:-2])) <= 60
    plain = hasten(*arguments, env={"LC_ALL": "C"})
    assert plain.stdout.isascii()
    assert " o" in plain.stdout or "|o" in plain.stdout


def test_exceptions(hasten: Hasten) -> None:
    name = hasten.script("functions.py", FILE).name
    # A budget that lets sizes grow that far on any machine; it is not used up.
    found = complexity(hasten, "--budget", "10", f"{name}:limited")
    assert found["end"] == "raised"
    assert 500 < found["end_size"] <= 1000
    assert all(row["size"] <= 500 for row in found["sizes"])
    result = hasten("complexity", "--budget", "10", "--python", sys.executable, f"{name}:limited")
    assert "the exception: ValueError: too large: " in result.stdout
    errors = refused(hasten, "--budget", "0.5", f"{name}:never")
    assert "it raised an exception at n = 4: ValueError: never\n" in errors
    assert 'functions.py", line ' in errors
    assert "_growing" not in errors and 'File "<string>"' not in errors


def test_hang(hasten: Hasten) -> None:
    name = hasten.script("functions.py", FILE).name
    found = complexity(hasten, "--budget", "10", "--timeout", "2", f"{name}:hangs")
    assert found["end"] == "hung"
    assert 500 < found["end_size"] <= 1000
    assert len(found["sizes"]) >= 5
    errors = refused(hasten, "--sizes", "600..6000", "--timeout", "1", f"{name}:hangs")
    assert "n = 600 did not come to an end in time" in errors


def test_refused(hasten: Hasten) -> None:
    name = hasten.script("functions.py", FILE).name
    assert "MODULE:FUNCTION or FILE.py:FUNCTION is expected" in refused(hasten)
    assert "MODULE:FUNCTION or FILE.py:FUNCTION is expected" in refused(hasten, "functions")
    assert "MODULE:FUNCTION" in refused(hasten, "--generate", "make", f"{name}:total")
    assert "No module named 'absent'" in refused(hasten, "absent:function")
    assert "has no attribute 'absent'" in refused(hasten, f"{name}:absent")
    assert "cannot be called" in refused(hasten, f"{name}:value")
    assert "the process ended before its time" in refused(hasten, f"{name}:ends")
    hasten.script("slow.py", "import time\ntime.sleep(60)\n")
    assert "not imported in time" in refused(hasten, "--timeout", "0.3", "slow:function")
    result = hasten("complexity", "--python", "/nowhere/python", f"{name}:total")
    assert result.returncode == 2
    assert "/nowhere/python" in result.stderr


def test_interrupted(hasten: Hasten) -> None:
    name = hasten.script("functions.py", FILE + "\ndef told(n):\n    open('on', 'w')\n").name
    process = hasten.start("complexity", "--budget", "60", "--sizes", "1..1000000",
                           "--python", sys.executable, f"{name}:told")  # fmt: skip
    wait_until((hasten.folder / "on").exists, "the function to be called")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert "Traceback" not in errors


def test_module(hasten: Hasten) -> None:
    Path(hasten.folder, "package").mkdir()
    Path(hasten.folder, "package", "__init__.py").write_text("class A:\n    b = len\n")
    Path(hasten.folder, "package", "data.py").write_text("def make(n):\n    return [0] * n\n")
    found = complexity(hasten, "--budget", "0.5", "package:A.b", "--generate", "package.data:make")
    assert found["end"] in ("all", "budget")
