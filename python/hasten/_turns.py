# SPDX-License-Identifier: MIT
"""Two test runs that take turns: what one of them says to who compares them.

`pytest --hasten-against=REV` runs the tests of two revisions side by side (_against.py). In each of
the two, the fixture `benchmark` asks a Partner when to execute, and tells it how long that took.

Messages are lines of JSON over a socket.

    to the test run:  {"test": ID, "next": ID or null}, then while the test measures
                      {"run": ITERATIONS, "before": ITERATIONS}, {"enough": true}
    of the test run:  {"ready": [ID, ...], "failed": {FILE: TEXT}} once
                      {"at": "rounds" or "pedantic", "iterations": NUMBER, "single": true or false}
                      {"spent": SECONDS, "switches": NUMBER}, {"over": true}: there are no more
                      {"end": "passed", "failed" or "skipped", "text": TEXT}
"""

import json
import os
import resource
import socket
import threading
from typing import Any

# What a message may be: identifiers of all tests are the longest.
MOST_BYTES = 64 * 1024 * 1024
Message = dict[str, Any]


class Ended(Exception):
    """The other end of the socket is gone."""


class Channel:
    """Messages over a socket."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self.pending = bytearray()

    def fileno(self) -> int:
        return self.end.fileno()

    def send(self, message: Message) -> None:
        try:
            self.end.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise Ended(str(error)) from None

    def take(self) -> Message | None:
        """A message that has come as a whole."""
        line, end, rest = self.pending.partition(b"\n")
        if not end:
            return None
        self.pending = rest
        message: Message = json.loads(line)
        return message

    def read(self) -> None:
        """Waits for more of a message."""
        try:
            got = self.end.recv(65536)
        except OSError as error:
            raise Ended(str(error)) from None
        if not got or len(self.pending) > MOST_BYTES:
            raise Ended
        self.pending += got

    def receive(self) -> Message:
        while (message := self.take()) is None:
            self.read()
        return message

    def close(self) -> None:
        self.end.close()


def is_single() -> bool:
    """Whether this process has one thread and no child: it can be bound to a processor."""
    if threading.active_count() > 1:
        return False
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb") as children:
            return not children.read(1) and len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


class Partner:
    """Who says to this test run when to execute. `wanted` is what it asked for last."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.wanted: Message | None = None
        self.switches = 0

    def begin(self, kind: str, iterations: int = 0) -> None:
        single = is_single()
        self.channel.send({"at": kind, "iterations": iterations, "single": single})
        self.wanted = None

    def wants(self) -> Message | None:
        """The next turn, once it is this run's; None where there are enough."""
        message = self.channel.receive()
        self.wanted = message if "run" in message else None
        if self.wanted is not None:
            self.switches = resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw
        return self.wanted

    def tell(self, spent: float) -> None:
        switches = resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw - self.switches
        self.channel.send({"spent": spent, "switches": switches})

    def finish(self) -> None:
        """There is nothing more to execute: until the partner has got that."""
        while self.wants() is not None:
            self.channel.send({"over": True})
