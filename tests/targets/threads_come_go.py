# SPDX-License-Identifier: MIT
"""Threads that live for some 10 ms each, four at a time, named `short-N`.

Truth: all of them run `short_life`; `threads` in the last line counts them.
Usage: threads_come_go.py [SECONDS]
"""

import threading
import time

from telling import seconds_asked, tell

TRUTH = {"kind": "threads", "function": "short_life"}


def short_life(stop_at):
    total = 0
    while time.perf_counter() < stop_at:
        total += 1
    return total


def main():
    seconds = seconds_asked()
    started = 0
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        threads = []
        for _ in range(4):
            started += 1
            stop_at = time.perf_counter() + 0.010
            thread = threading.Thread(target=short_life, args=(stop_at,), name=f"short-{started}")
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join()
    tell(threads=started)


if __name__ == "__main__":
    main()
