# SPDX-License-Identifier: MIT
"""One thread a kind of waiting, and one that works.

Truth: thread and function `KIND_wait` wait in that way nearly all the time: `file` reads
a named pipe that is filled slowly, `network` a socket of this machine, `lock` acquires a
lock that another thread holds, `sleep` sleeps. Usage: waiting.py [SECONDS]
"""

import os
import socket
import tempfile
import threading
import time

from telling import seconds_asked, tell

TRUTH = {
    "kind": "waiting",
    "states": {
        "file_wait": "file",
        "network_wait": "network",
        "lock_wait": "lock",
        "sleep_wait": "sleep",
    },
}


def file_wait(path):
    with open(path, "rb", buffering=0) as pipe:
        while pipe.read(100):
            pass


def network_wait(end):
    while end.recv(100):
        pass


def lock_wait(lock):
    with lock:
        pass


def sleep_wait(seconds):
    time.sleep(seconds)


def working(seconds):
    end = time.perf_counter() + seconds
    total = 0
    while time.perf_counter() < end:
        total += 1
    return total


def connected_pair():
    """Two ends of a TCP connection over the loopback interface."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        return client, server.accept()[0]


def main():
    seconds = seconds_asked()
    lock = threading.Lock()
    lock.acquire()
    near, far = connected_pair()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "pipe")
        os.mkfifo(path)
        waits = [(file_wait, path), (network_wait, near), (lock_wait, lock), (sleep_wait, seconds)]
        threads = [
            threading.Thread(target=function, args=(argument,), name=function.__name__)
            for function, argument in waits
        ]
        for thread in threads:
            thread.start()
        with open(path, "wb", buffering=0) as pipe:
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                working(0.1)
                pipe.write(b"x")
                far.send(b"x")
        far.close()
        lock.release()
        for thread in threads:
            thread.join()
    near.close()
    tell(seconds=seconds)


if __name__ == "__main__":
    main()
