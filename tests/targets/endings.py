# SPDX-License-Identifier: MIT
"""Works for SECONDS in `until_the_end`, then ends in one of many ways.

KIND and what the caller sees: `return` 0, `exit` 3, `message` 1 and a line on standard
error, `exception` 1 and a traceback, `os_exit` 7, `abort`, `segv`, `kill`, `term`: killed
by that signal, `interrupt`: killed by SIGINT as Python does it, `recursion` 0 after a
RecursionError, `daemon` 0 with a daemon thread still working, `atexit` 0 after work in
a handler, `closed` 0 with standard output closed.
Usage: endings.py [SECONDS] [KIND]
"""

import atexit
import faulthandler
import os
import signal
import sys
import threading
import time

from telling import seconds_asked

TRUTH = {
    "kind": "endings",
    "function": "until_the_end",
    "codes": {
        "return": 0,
        "exit": 3,
        "message": 1,
        "exception": 1,
        "os_exit": 7,
        "abort": -signal.SIGABRT,
        "segv": -signal.SIGSEGV,
        "kill": -signal.SIGKILL,
        "term": -signal.SIGTERM,
        "interrupt": -signal.SIGINT,
        "recursion": 0,
        "daemon": 0,
        "atexit": 0,
        "closed": 0,
    },
}


def until_the_end(seconds):
    end = time.perf_counter() + seconds
    total = 0
    while time.perf_counter() < end:
        total += 1
    return total


def too_deep(level):
    return too_deep(level + 1) + 1


def forever():
    while True:
        until_the_end(0.01)


def last_words():
    until_the_end(0.05)


def raise_signal(number):
    faulthandler.disable()
    os.kill(os.getpid(), number)
    time.sleep(5)


def finish(kind):
    if kind == "exit":
        sys.exit(3)
    elif kind == "message":
        sys.exit("the end")
    elif kind == "exception":
        raise ValueError("the end")
    elif kind == "os_exit":
        os._exit(7)
    elif kind == "abort":
        os.abort()
    elif kind in ("segv", "kill", "term"):
        raise_signal({"segv": signal.SIGSEGV, "kill": signal.SIGKILL, "term": signal.SIGTERM}[kind])
    elif kind == "interrupt":
        raise KeyboardInterrupt
    elif kind == "recursion":
        try:
            too_deep(0)
        except RecursionError:
            until_the_end(0.05)
    elif kind == "daemon":
        threading.Thread(target=forever, daemon=True).start()
        until_the_end(0.05)
    elif kind == "atexit":
        atexit.register(last_words)
    elif kind == "closed":
        os.close(1)


if __name__ == "__main__":
    print("begins", flush=True)
    until_the_end(seconds_asked(0.3))
    finish(sys.argv[2] if len(sys.argv) > 2 else "return")
