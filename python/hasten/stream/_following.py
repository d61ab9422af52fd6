# SPDX-License-Identifier: MIT
"""A file that grows, and what comes to have its name."""

import os
import time
from collections.abc import Iterator
from typing import Any

from hasten._stream import Reader


class Growing:
    """A file that others append to, as a file object that waits at its end. It is over once
    it was cut, another file has its name, or `seconds` passed without anything new."""

    def __init__(self, path: Any, seconds: float | None, interval: float) -> None:
        self.path = path
        self.fd = -1
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.seconds = seconds
        self.interval = interval
        self.is_quiet = False

    def readinto(self, buffer: Any) -> int:
        until = None if self.seconds is None else time.monotonic() + self.seconds
        while True:
            got = os.readv(self.fd, [buffer])
            if got:
                return got
            about = os.fstat(self.fd)
            if about.st_size < os.lseek(self.fd, 0, os.SEEK_CUR):
                return 0
            if self.was_replaced(about):
                # What was written between the read and the look is read before.
                return os.readv(self.fd, [buffer])
            if until is not None and time.monotonic() >= until:
                self.is_quiet = True
                return 0
            time.sleep(self.interval)

    def was_replaced(self, about: os.stat_result) -> bool:
        try:
            return not os.path.samestat(about, os.stat(self.path))
        except FileNotFoundError:
            return False  # between the renaming and the new file

    def close(self) -> None:
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        self.close()  # where reading never began


def _next(last: Growing) -> Growing | None:
    """What comes to have the name; None: nothing did in time."""
    until = None if last.seconds is None else time.monotonic() + last.seconds
    while True:
        try:
            return Growing(last.path, last.seconds, last.interval)
        except FileNotFoundError:
            if until is not None and time.monotonic() >= until:
                return None
            time.sleep(last.interval)


def incarnations(first: Growing) -> Iterator[Reader]:
    """One reader for each file that has the name, one after the other."""
    file: Growing | None = first
    while file is not None:
        try:
            yield Reader(file, path=file.path, compression=None)
        finally:
            file.close()
        file = None if file.is_quiet else _next(file)
