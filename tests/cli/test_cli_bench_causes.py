# SPDX-License-Identifier: MIT
"""Causes of outliers are provoked one by one. What makes a block slow is the benchmark's own
doing, and known; how slow it is does not matter."""

import json
import os
import sys
from pathlib import Path

import pytest
from hasten_command import Hasten

# Every 20th block takes ten times as long. Its executions do what the test asks for.
SLOW = """\
import os, time

blocks = 0

def cause(): pass
def usual(): pass
{more}

def setup():
    # Once a block, for blocks are one execution.
    global blocks
    blocks += 1
    slow = blocks % 20 == 10
    (cause if slow else usual)()
    return 0.05 if slow else 0.005

def bench_f(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end: pass
    {during}

bench_f.setup = setup
"""


def outliers(hasten: Hasten, more: str, during: str = "pass", **env: str) -> dict[str, int]:
    hasten.script("slow.py", SLOW.format(more=more, during=during))
    for budget in ("3", "15"):
        result = hasten(
            "bench", "--json", "--no-memory", "--gc", "--python", sys.executable, "--budget",
            budget, "slow.py", env=env,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        side = json.loads(result.stdout)["benchmarks"][0]["a"]
        found = {name: count for name, count in side.items() if name.startswith("slow_outliers")}
        if found["slow_outliers"] >= 6:
            break  # else others had the processors
    return found


def test_collections(hasten: Hasten) -> None:
    # Every block collects once, which is usual; slow ones more often.
    during = "import gc; [gc.collect(0) for _ in range(5 if seconds > 0.01 else 1)]"
    found = outliers(hasten, "", during)
    assert found["slow_outliers_collected"] >= 3
    found = outliers(hasten, "", "import gc; gc.collect(0)")
    assert found["slow_outliers"] >= 3
    assert found["slow_outliers_collected"] == 0


@pytest.mark.skipif(
    not Path(f"/proc/self/task/{os.getpid()}/children").exists(),
    reason="the kernel does not list children, so that nothing is bound to a processor",
)
def test_frequency(hasten: Hasten) -> None:
    processors = sorted(os.sched_getaffinity(0))
    for number in processors:
        Path(hasten.folder / f"cpu{number}" / "cpufreq").mkdir(parents=True)
    more = f"""
def write(khz):
    for number in {processors}:
        with open(f"cpu{{number}}/cpufreq/scaling_cur_freq", "w") as file:
            file.write(str(khz))

def cause(): write(1200000)
def usual():
    # Not at the first execution of a process: others measure meanwhile.
    if blocks > 1: write(2400000)
"""
    found = outliers(hasten, more, HASTEN_BENCH_CPUFREQ=str(hasten.folder))
    assert found["slow_outliers_slowed"] >= 3
    assert outliers(hasten, more, HASTEN_BENCH_CPUFREQ="/nowhere")["slow_outliers_slowed"] == 0


def test_stolen_time(hasten: Hasten) -> None:
    """Nobody can take time from a machine on purpose: the kernel's numbers are pretended."""
    more = """
def write(ticks):
    # The next round's process executes it, too, while this one's measures.
    own = f"stat.{os.getpid()}"
    with open(own, "w") as file:
        file.write(f"cpu  9 9 9 9 9 9 9 {ticks} 0 0\\ncpu0 1 1 1 1 1 1 1 1 0 0\\n")
    os.rename(own, "stat")
"""
    during = "write(int(time.monotonic() * 100) if seconds > 0.01 else 7)"
    hasten.script("stat", "cpu  9 9 9 9 9 9 9 7 0 0\n")
    found = outliers(hasten, more, during, HASTEN_BENCH_STAT=str(hasten.folder / "stat"))
    assert found["slow_outliers_stolen"] >= 3
    assert outliers(hasten, "", HASTEN_BENCH_STAT="/nowhere")["slow_outliers_stolen"] == 0


BUSY = """
helper = None

def cause():
    # Another process on the same processor, for as long as the block takes.
    global helper
    import subprocess, sys
    code = "import time; end = time.monotonic() + 0.04\\nwhile time.monotonic() < end: pass"
    helper = subprocess.Popen([sys.executable, "-S", "-c", code])
    here = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(here)})
    os.sched_setaffinity(helper.pid, {min(here)})

def usual():
    global helper
    if helper is not None:
        helper.wait()
        helper = None
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity")
def test_neighbours(hasten: Hasten) -> None:
    found = outliers(hasten, BUSY)
    assert found["slow_outliers_switched"] >= 2
