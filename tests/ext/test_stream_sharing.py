# SPDX-License-Identifier: MIT
"""Threads that share a stream: each line goes to one of them, whatever one of them does."""

import os
import subprocess
import sys
import threading

import pytest
from hasten import stream


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_threads_wait_for_each_other(encoding):
    read_fd, write_fd = os.pipe()
    lines = stream.lines(read_fd, encoding=encoding)
    found, faults = [], []

    def work():
        try:
            found.extend(lines)
        except ValueError as fault:
            faults.append(fault)

    workers = [threading.Thread(target=work, daemon=True) for _ in range(3)]
    for worker in workers:
        worker.start()
    for number in range(1_000):
        os.write(write_fd, b"%d\n" % number)
    os.close(write_fd)
    for worker in workers:
        worker.join()
    os.close(read_fd)
    assert faults == []
    assert sorted(found, key=int) == [f"{number}\n" for number in range(1_000)]


# One thread waits for a pipe that has nothing while another one's line is looked at, which fails.
FAILS_MEANWHILE = """if True:
    import os, sys, threading, time
    from hasten import stream

    read_fd, write_fd = os.pipe()
    os.write(write_fd, b"one\\n")
    is_looking, goes_on = threading.Event(), threading.Event()

    class Pattern:
        pattern = ""

        def search(self, line):
            is_looking.set()
            goes_on.wait()
            raise RuntimeError(line)

    lines = stream.lines(read_fd, regex=Pattern(), encoding=sys.argv[1])

    def fail():
        try:
            next(lines)
        except RuntimeError as error:
            print(repr(error))

    failing = threading.Thread(target=fail)
    failing.start()
    is_looking.wait()
    waiting = threading.Thread(target=lambda: print(list(lines)))
    waiting.start()
    time.sleep(0.1)  # the more likely is that it waits by now
    goes_on.set()
    failing.join()
    os.write(write_fd, b"two\\n")
    os.close(write_fd)
    waiting.join()
    print(list(lines))
"""


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_a_failure_while_another_thread_reads(encoding):
    done = subprocess.run(
        [sys.executable, "-c", FAILS_MEANWHILE, encoding],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | {"PYTHONMALLOC": "debug"},
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert sorted(done.stdout.splitlines()) == ["RuntimeError('one\\n')", "[]", "[]"]
