# SPDX-License-Identifier: MIT
"""Which files hasten.stream reads, how they are opened, and how far that is."""

import io
import os
import stat
from collections.abc import Iterator
from typing import Any, NamedTuple

from hasten._stream import LineTooLongError, Reader

BLOCK = 1 << 18  # bytes that are read at a time


class Progress(NamedTuple):
    """How far reading several files is."""

    path: Any
    files_done: int
    files: int
    bytes_done: int
    bytes_total: int | None


class Sources:
    """Which files are read, one after the other, and how far that is."""

    def __init__(self, given: Any, progress: Any, **options: Any) -> None:
        self.sources = expand(given)
        self.options = options
        self.told = progress
        self.done_files = 0
        self.done_bytes = 0
        self.sizes = None if progress is None else [_size(source) for source in self.sources]

    def __iter__(self) -> Iterator[Reader]:
        # The first one is opened at once, as open() would.
        first = self.open(self.sources[0]) if self.sources else None
        return self.readers(first)

    def open(self, source: Any) -> Reader:
        return open_source(source, **self.options)

    def readers(self, first: Reader | None) -> Iterator[Reader]:
        reader = first
        try:
            for index, source in enumerate(self.sources):
                if reader is None:
                    reader = self.open(source)
                current, reader = reader, None
                yield current
                self.done_files = index + 1
                self.done_bytes += current.position
                self.tell(current.path, 0)
        finally:
            if reader is not None:
                reader.close()

    def tell(self, path: Any, position: int) -> None:
        if self.told is not None:
            sizes = self.sizes or []
            known = [size for size in sizes if size is not None]
            total = sum(known) if len(known) == len(sizes) else None
            self.told(
                Progress(path, self.done_files, len(sizes), self.done_bytes + position, total)
            )

    def progress(self, reader: Reader) -> None:
        self.tell(reader.path, reader.position)


def _is_file(source: Any) -> bool:
    return isinstance(source, int) or hasattr(source, "read")


def expand(given: Any) -> list[Any]:
    """The files that an argument means: a path that is there is itself, another one with
    wildcards is what it matches."""
    if _is_file(given):
        return [given]
    if not isinstance(given, (str, bytes, os.PathLike)):
        return [source for one in given for source in expand(one)]
    path: Any = os.fspath(given)
    wild: Any = b"*?[" if isinstance(path, bytes) else "*?["
    if isinstance(given, os.PathLike) or not any(c in wild for c in path) or os.path.lexists(path):
        return [path]
    from glob import glob

    found = sorted(glob(path, recursive=True))
    if not found:
        raise FileNotFoundError(2, "no file matches", path)
    return found


def _size(source: Any) -> int | None:
    try:
        about = os.stat(source) if not hasattr(source, "read") else os.fstat(source.fileno())
    except (OSError, ValueError, AttributeError):
        return None
    return about.st_size if stat.S_ISREG(about.st_mode) else None


def name_of(file: Any) -> Any:
    return getattr(file, "name", None)


def open_source(source: Any, compression: str | None, block_size: int) -> Reader:
    options: dict[str, Any] = {"compression": compression, "block_size": block_size}
    if isinstance(source, bool):
        raise TypeError("a path, a descriptor or a file object is wanted, not bool")
    if isinstance(source, int):
        return Reader(source, path=source, **options)
    if hasattr(source, "read"):
        if isinstance(source, io.TextIOBase):
            raise TypeError("a text file was decoded already: give its .buffer, or its path")
        return Reader(source, path=name_of(source), **options)
    fd = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            raise IsADirectoryError(21, os.strerror(21), source)
        return Reader(fd, path=source, owner=True, **options)
    except BaseException:
        os.close(fd)
        raise


class _Raw(io.RawIOBase):
    """A reader as the standard library's layers want it."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.name = reader.path

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self.reader.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self.reader.close()
        super().close()


def decoded(
    reader: Reader, encoding: str, errors: str, newline: str | None, limit: int
) -> Iterator[str]:
    """Lines in an encoding in which they cannot be told by their bytes."""
    with io.TextIOWrapper(
        io.BufferedReader(_Raw(reader), BLOCK),
        encoding=encoding,
        errors=errors,
        newline=newline,
    ) as text:
        if not limit:
            yield from text
            return
        while line := text.readline(limit + 3):
            if len(line.rstrip("\r\n")) > limit or len(line) > limit + 2:
                error = LineTooLongError(f"{reader.path}: a line is longer than {limit} characters")
                error.path = reader.path
                raise error
            yield line
