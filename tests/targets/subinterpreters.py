# SPDX-License-Identifier: MIT
"""Two subinterpreters in threads of their own beside the main one.

Truth: `in_sub_0`, `in_sub_1` and `in_main` are each busy for SECONDS. Without
subinterpreters in this Python: the last line says `skipped`.
Usage: subinterpreters.py [SECONDS]
"""

import importlib
import threading
import time

from telling import seconds_asked, tell

TRUTH = {"kind": "functions", "functions": ["in_sub_0", "in_sub_1", "in_main"]}
SOURCE = """\
import time
def in_sub_{number}():
    end = time.perf_counter() + {seconds}
    total = 0
    while time.perf_counter() < end:
        total += 1
in_sub_{number}()
"""


def find_module():
    for name in ("_interpreters", "_xxsubinterpreters"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


def in_sub(module, interpreter, source):
    run = getattr(module, "exec", None) or module.run_string
    run(interpreter, source)


def in_main(seconds):
    end = time.perf_counter() + seconds
    total = 0
    while time.perf_counter() < end:
        total += 1


def main():
    seconds = seconds_asked()
    module = find_module()
    if module is None:
        tell(skipped="no subinterpreters")
        return
    interpreters = [module.create() for _ in range(2)]
    threads = [
        threading.Thread(
            target=in_sub,
            name=f"sub-{number}",
            args=(module, interpreter, SOURCE.format(number=number, seconds=seconds)),
        )
        for number, interpreter in enumerate(interpreters)
    ]
    for thread in threads:
        thread.start()
    in_main(seconds)
    for thread in threads:
        thread.join()
    for interpreter in interpreters:
        module.destroy(interpreter)
    tell(interpreters=len(interpreters))


if __name__ == "__main__":
    main()
