# SPDX-License-Identifier: MIT
"""COUNT threads: every tenth works in turns, the others wait for an event.

Truth: threads named `busy-N` run `busy`, threads named `idle-N` wait in `idle`; the
main thread waits in `main`. `work` in the last line counts the loops that `busy`
completed. Usage: threads_many.py [SECONDS] [COUNT]
"""

import sys
import threading
import time

from telling import seconds_asked, tell

TRUTH = {"kind": "threads", "functions": ["busy", "idle"]}


def busy(end, done):
    count = 0
    while time.perf_counter() < end:
        for index in range(1_000):
            count += index % 3
        done[threading.current_thread().name] = done.get(threading.current_thread().name, 0) + 1
        time.sleep(0.001)
    return count


def idle(finished):
    finished.wait()


def main():
    seconds = seconds_asked()
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    finished = threading.Event()
    done = {}
    end = time.perf_counter() + seconds
    threads = []
    for number in range(count):
        if number % 10 == 0:
            thread = threading.Thread(target=busy, args=(end, done), name=f"busy-{number}")
        else:
            thread = threading.Thread(target=idle, args=(finished,), name=f"idle-{number}")
        thread.start()
        threads.append(thread)
    time.sleep(max(0.0, end - time.perf_counter()))
    finished.set()
    for thread in threads:
        thread.join()
    tell(threads=count, work=sum(done.values()))


if __name__ == "__main__":
    main()
