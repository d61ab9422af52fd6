# SPDX-License-Identifier: MIT
"""Threads that keep their names in different ways: see `TRUTH`.

One changes its name after a fifth of the time. Usage: thread_names.py [SECONDS]
"""

import _thread
import threading
import time

from telling import seconds_asked, tell

TRUTH = {
    "kind": "names",
    "names": [
        "MainThread",
        "plain",
        "grün & größer",
        "日本語",
        "\U0001f40d snake",
        "own class",
        "many attributes",
        "own dict",
        "new name",
        "Dummy-1",
    ],
    "nameless": 1,
}


class Derived(threading.Thread):
    """A class of its own, so that its instances share other keys."""


class Wide(threading.Thread):
    """More attributes than instances share."""

    def __init__(self, **options):
        super().__init__(**options)
        for number in range(60):
            setattr(self, f"attribute_{number}", number)


def working(end):
    while time.perf_counter() < end:
        sum(range(1_000))
        time.sleep(0.002)


def known_to_threading(end):
    threading.current_thread()
    working(end)


def main():
    seconds = seconds_asked()
    start = time.perf_counter()
    end = start + seconds
    names = ["plain", "grün & größer", "日本語", "\U0001f40d snake"]
    threads = [threading.Thread(target=working, args=(end,), name=name) for name in names]
    threads.append(Derived(target=working, args=(end,), name="own class"))
    threads.append(Wide(target=working, args=(end,), name="many attributes"))
    threads.append(threading.Thread(target=working, args=(end,), name="own dict"))
    vars(threads[-1])["anything"] = True
    threads.append(threading.Thread(target=working, args=(end,), name="old name"))
    for thread in threads:
        thread.start()
    _thread.start_new_thread(working, (end,))
    _thread.start_new_thread(known_to_threading, (end,))
    time.sleep(seconds / 5)
    threads[-1].name = "new name"
    for thread in threads:
        thread.join()
    tell(seconds=time.perf_counter() - start)


if __name__ == "__main__":
    main()
