# SPDX-License-Identifier: MIT
"""Files of any size, line by line, in constant memory: only lines that are wanted become objects.

    from hasten import stream

    for line in stream.lines("app.log", contains="ERROR"):
        print(line, end="")

Lines are those of `for line in open(...)`, to the letter. Files may be compressed with gzip,
zstd, xz or bzip2: that is recognised by what is in them.
"""

import codecs
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from hasten._stream import (
    DataError,
    Lines,
    LineTooLongError,
    Reader,
    Stream,
    TruncatedError,
)
from hasten.stream._files import BLOCK, Progress, Sources, decoded, expand

__all__ = [
    "DataError",
    "LineTooLongError",
    "Lines",
    "Progress",
    "Stream",
    "TruncatedError",
    "chunks",
    "count",
    "follow",
    "lines",
    "lines_bytes",
    "records",
]

# As the extension has them.
_BYTES, _UTF8, _ASCII, _LATIN1 = range(4)
_NEWLINES = {"\n": 0, "\r": 1, "\r\n": 2, "": 3, None: 3}
_STRIPS = {False: 0, None: 0, "newline": 1, True: 2}
# Where lines are those of their encoded bytes, and looking for encoded text finds it.
_FAST = {"utf-8": _UTF8, "ascii": _ASCII, "iso8859-1": _LATIN1}
_EVERY_FILE = 32 << 20  # how often progress is told, in bytes that were looked through


def _any_of(contains: Any, kind: type) -> tuple[Any, ...] | None:
    """What contains= says, None: nothing. A single empty text is in every line."""
    if contains is None:
        return None
    texts = (contains,) if isinstance(contains, (str, bytes)) else tuple(contains)
    for text in texts:
        if not isinstance(text, kind):
            raise TypeError(f"contains= wants {kind.__name__} here, not {type(text).__name__}")
    return None if any(not text for text in texts) else texts


def _pattern(regex: Any, kind: type) -> Any:
    if regex is None:
        return None
    compiled = re.compile(regex) if isinstance(regex, (str, bytes)) else regex
    if not isinstance(getattr(compiled, "pattern", kind()), kind):
        raise TypeError(f"regex= wants a pattern of {kind.__name__} here")
    return compiled


def _literals_of(compiled: Any, kind: type) -> tuple[Any, ...] | None:
    """Texts of which a match has one, for a scan before the pattern's."""
    if not isinstance(compiled, re.Pattern):
        return None
    from hasten.stream._literals import required

    texts = required(compiled.pattern, compiled.flags)
    if texts is None:
        return None
    return tuple(texts) if kind is str else tuple(text.encode("latin-1") for text in texts)


def _encoded(
    texts: tuple[Any, ...] | None, encoding: str | None
) -> tuple[tuple[bytes, ...] | None, bool]:
    """The bytes to look for, and whether that is not enough: an end of a line within what is
    looked for may be another one in the file."""
    if texts is None:
        return None, False
    needles = []
    for text in texts:
        if any(end in text for end in ((b"\n", b"\r") if encoding is None else ("\n", "\r"))):
            return None, True
        # What cannot be encoded is in no line that can be decoded.
        with suppress(UnicodeEncodeError):
            needles.append(text if encoding is None else text.encode(encoding))
    return tuple(needles), False


def _make(
    given: Any,
    kind: type,
    *,
    contains: Any,
    regex: Any,
    invert: bool,
    encoding: str | None,
    errors: str | None,
    newline: str | None,
    strip: Any,
    limit: int | None,
    compression: str | None,
    progress: Any,
    readers: Iterator[Any] | None = None,
    block_size: int = BLOCK,
) -> Lines[Any]:
    if newline not in _NEWLINES:
        raise ValueError(f"illegal newline value: {newline!r}")
    if strip not in _STRIPS:
        raise ValueError(f'strip= is False, True or "newline", not {strip!r}')
    if limit is not None and limit < 1:
        raise ValueError("limit= is a number of bytes, or None")
    if kind is str and encoding is None:
        encoding = "utf-8"
    codec = None if encoding is None else codecs.lookup(encoding).name
    errors = "strict" if errors is None else errors
    codecs.lookup_error(errors)
    text = _BYTES if codec is None else _FAST.get(codec)
    texts = _any_of(contains, kind)
    compiled = _pattern(regex, kind)
    searched = texts if texts is not None or compiled is None else _literals_of(compiled, kind)
    needles, is_slow = _encoded(searched, codec)
    sources = Sources(given, progress, compression=compression, block_size=block_size)
    every = iter(sources) if readers is None else readers
    if text is None:
        assert codec is not None
        every = (decoded(reader, codec, errors, newline, limit or 0) for reader in every)
    return Lines(
        every,
        needles=None if is_slow else needles,
        contains=texts,
        search=None if compiled is None else compiled.search,
        progress=None if progress is None else sources.progress,
        errors=errors,
        text=_UTF8 if text is None else text,
        newline=_NEWLINES[newline] if text != _BYTES else 0,
        strip=_STRIPS[strip],
        translate=newline is None and text != _BYTES,
        invert=invert,
        slow=is_slow,
        limit=limit or 0,
        block_size=block_size,
    )


def lines(
    source: Any,
    *,
    contains: Any = None,
    regex: Any = None,
    invert: bool = False,
    encoding: str | None = "utf-8",
    errors: str | None = None,
    newline: str | None = None,
    strip: Any = False,
    limit: int | None = None,
    compression: str | None = "auto",
    progress: Callable[[Progress], object] | None = None,
) -> Lines[str]:
    """The lines of files as str, those that are wanted.

    `source`: a path, a descriptor, a binary file object, a pattern with wildcards, or several
    of these, read one after the other. `contains`: a text, or several of which one must be in
    the line. `regex`: a pattern that must be found in it, by `re`. `invert`: the other lines.
    `encoding`, `errors`, `newline`: as for `open()`. `strip`: "newline" for lines without
    their ends, True for `line.strip()`. `limit`: the most bytes of a line, without its end.
    `compression`: "auto", None for none, or the name of one. `progress`: called with a
    `Progress` now and then.
    """
    return _make(
        source,
        str,
        contains=contains,
        regex=regex,
        invert=invert,
        encoding=encoding,
        errors=errors,
        newline=newline,
        strip=strip,
        limit=limit,
        compression=compression,
        progress=progress,
    )


def lines_bytes(
    source: Any,
    *,
    contains: Any = None,
    regex: Any = None,
    invert: bool = False,
    strip: Any = False,
    limit: int | None = None,
    compression: str | None = "auto",
    progress: Callable[[Progress], object] | None = None,
) -> Lines[bytes]:
    """The same as bytes, as iterating over `open(path, "rb")` has them: a line ends with LF."""
    return _make(
        source,
        bytes,
        contains=contains,
        regex=regex,
        invert=invert,
        encoding=None,
        errors=None,
        newline="\n",
        strip=strip,
        limit=limit,
        compression=compression,
        progress=progress,
    )


def count(source: Any, **options: Any) -> int:
    """How many lines `lines()` would give, with its arguments. Without `regex`, and where the
    encoding is right, no line becomes an object."""
    return lines(source, **options).count()


def chunks(
    source: Any,
    size: int = 1 << 20,
    *,
    compression: str | None = "auto",
    progress: Callable[[Progress], object] | None = None,
) -> Stream[bytes]:
    """The (decompressed) bytes of files in pieces of so many; a file's last one may be shorter."""
    if size < 1:
        raise ValueError("a chunk has at least one byte")
    sources = Sources(source, progress, compression=compression, block_size=BLOCK)
    return Stream(_chunks(sources, iter(sources), size))


def _chunks(sources: Sources, readers: Iterator[Reader], size: int) -> Iterator[bytes]:
    since = 0
    for reader in readers:
        try:
            while chunk := reader.read(size):
                yield chunk
                since += len(chunk)
                if since >= _EVERY_FILE:
                    since = 0
                    sources.progress(reader)
        finally:
            reader.close()


def records(
    source: Any,
    format: str | None = None,
    *,
    batch: int | None = None,
    contains: Any = None,
    header: bool = True,
    encoding: str | None = "utf-8",
    errors: str | None = None,
    limit: int | None = None,
    compression: str | None = "auto",
    progress: Callable[[Progress], object] | None = None,
    **parsing: Any,
) -> Stream[Any]:
    """The records of CSV or JSON-lines files, through `csv` and `json`.

    `format`: "csv" or "jsonl"; without it, what the file's name says. CSV gives dicts by the
    names in the first row of each file, without `header` lists. `contains` (JSON lines only)
    passes over lines before they are parsed. `batch`: lists of so many records. `parsing`:
    arguments for `csv.reader` or `json.loads`.
    """
    from hasten.stream._records import format_of, read_csv, read_json

    files = expand(source)
    kind = format or format_of(files)
    if kind not in {"csv", "jsonl"}:
        raise ValueError(f'format= is "csv" or "jsonl", not {kind!r}')
    if kind == "csv" and contains is not None:
        raise ValueError("contains= is for JSON lines: a CSV record may have several lines")
    text = lines(
        files,
        contains=contains,
        encoding=encoding,
        errors=errors,
        newline="" if kind == "csv" else None,
        limit=limit,
        compression=compression,
        progress=progress,
    )
    made = read_csv(text, header, parsing) if kind == "csv" else read_json(text, parsing)
    stream: Stream[Any] = Stream(made)
    return stream if batch is None else stream.batch(batch)


def follow(
    path: str | bytes | os.PathLike[Any],
    *,
    contains: Any = None,
    regex: Any = None,
    invert: bool = False,
    encoding: str | None = "utf-8",
    errors: str | None = None,
    strip: Any = False,
    limit: int | None = None,
    start: str = "end",
    timeout: float | None = None,
    interval: float = 0.1,
) -> Lines[str]:
    """Lines as they are appended to a file, as `tail -F`: through rotation and truncation.

    `start`: "end" for what comes, "beginning" for what is there, too. `timeout`: ends when so
    many seconds nothing came; without it, never. `interval`: how often the file is looked at,
    in seconds.
    """
    if start not in {"end", "beginning"}:
        raise ValueError(f'start= is "end" or "beginning", not {start!r}')
    from hasten.stream._following import Growing, incarnations

    file = Growing(os.fspath(path), timeout, interval)
    if start == "end":
        os.lseek(file.fd, 0, os.SEEK_END)
    return _make(
        [],
        str,
        contains=contains,
        regex=regex,
        invert=invert,
        encoding=encoding,
        errors=errors,
        newline="\n",
        strip=strip,
        limit=limit,
        compression=None,
        progress=None,
        readers=incarnations(file),
    )
