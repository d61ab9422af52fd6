# SPDX-License-Identifier: MIT
"""Threads that all do the same, and must come to an end."""

import threading


def run_threads(count, target):
    threads = [threading.Thread(target=target) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
