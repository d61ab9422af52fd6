# SPDX-License-Identifier: MIT
"""Replaces itself by itself with os.execv.

Truth: `before_exec` works for SECONDS, then `after_exec` does under the same process
identifier. Usage: exec_self.py [SECONDS]
"""

import os
import sys
import time

from telling import seconds_asked, tell

TRUTH = {"kind": "functions", "functions": ["before_exec", "after_exec"]}


def work(end):
    total = 0
    while time.perf_counter() < end:
        total += 1
    return total


def before_exec(seconds):
    work(time.perf_counter() + seconds)
    os.execv(sys.executable, [sys.executable, os.path.abspath(__file__), str(seconds), "again"])


def after_exec(seconds):
    work(time.perf_counter() + seconds)
    tell(pid=os.getpid())


if __name__ == "__main__":
    (after_exec if "again" in sys.argv else before_exec)(seconds_asked())
