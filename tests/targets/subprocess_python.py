# SPDX-License-Identifier: MIT
"""Runs shares.py in a Python started with subprocess, after a program that is not Python.

Truth: `waiting_for_child` waits; the child runs `ten` to `forty`. The last line has
the child's own last line as `child`. Usage: subprocess_python.py [SECONDS]
"""

import json
import os
import subprocess
import sys

from telling import seconds_asked, tell

TRUTH = {"kind": "processes", "function": "forty", "workers": 1}


def waiting_for_child(command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main():
    waiting_for_child(["sleep", "0.05"])
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shares.py")
    output = waiting_for_child([sys.executable, program, str(seconds_asked())])
    tell(child=json.loads(output))


if __name__ == "__main__":
    main()
