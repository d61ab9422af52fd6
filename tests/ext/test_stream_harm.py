# SPDX-License-Identifier: MIT
"""What goes wrong is said, what was good before is delivered, and nothing is left: no
descriptor, no thread, no wait."""

import bz2
import codecs
import gc
import gzip
import io
import lzma
import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
from hasten import stream
from isolated import run_isolated
from shared_server import until

TEXT = b"".join(b"line %d of the file\n" % number for number in range(50_000))
PACK = {
    "gzip": gzip.compress,
    "bzip2": lambda data: bz2.compress(data, 1),  # blocks of 100 kB
    "xz": lambda data: lzma.compress(data, preset=0),
}


def descriptors():
    return sorted(os.listdir("/proc/self/fd"))


def threads():
    return len(os.listdir("/proc/self/task"))


def until_nothing_is_left(before):
    """A thread that has been joined is still listed for a moment, and what other tests had may
    have gone meanwhile."""
    until(lambda: set(descriptors()) <= set(before[0]) and threads() <= before[1])


@pytest.fixture(autouse=True)
def nothing_is_left():
    gc.collect()
    before = descriptors(), threads()
    yield
    gc.collect()
    until_nothing_is_left(before)


@pytest.fixture
def packed(tmp_path):
    path = tmp_path / "a.log.gz"
    path.write_bytes(gzip.compress(TEXT))
    return path


# The most memory that a process had, in kB. What getrusage() says begins with its parent's.
PEAK = """int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])"""


def read(code, *arguments, **options):
    return subprocess.run(
        [sys.executable, "-c", code.replace("PEAK", PEAK), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        **options,
    )


def test_files_that_cannot_be_opened(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        stream.lines(tmp_path / "none")
    assert caught.value.filename == str(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        stream.lines(tmp_path)
    with pytest.raises(OSError, match="Bad file descriptor"):
        list(stream.lines(987_654))
    with pytest.raises(ValueError, match="embedded null"):
        stream.lines("a\0b")
    if os.geteuid() != 0:
        (tmp_path / "closed").touch(mode=0)
        with pytest.raises(PermissionError):
            stream.lines(tmp_path / "closed")


def test_a_file_that_is_gone_when_its_turn_comes(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("1\n")
    second.write_text("2\n")
    lines = stream.lines([first, second])
    assert next(lines) == "1\n"
    second.unlink()
    with pytest.raises(FileNotFoundError):
        next(lines)
    assert list(lines) == []


def test_a_file_that_is_cut_while_it_is_read(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(TEXT)
    lines = stream.lines_bytes(path)
    found = [next(lines)]
    os.truncate(path, 0)
    found += lines
    assert TEXT.startswith(b"".join(found))
    assert len(found) < 50_000


def test_a_disk_that_fails():
    # Reading another address of a process's memory than it has is an I/O error.
    with pytest.raises(OSError, match="Input/output error") as caught:
        list(stream.lines("/proc/self/mem"))
    assert (caught.value.errno, caught.value.filename) == (5, "/proc/self/mem")

    pieces = [b"one\ntwo\nthr", OSError(5, "gone")]

    class Failing(io.RawIOBase):
        def readinto(self, buffer):
            piece = pieces.pop(0)
            if isinstance(piece, OSError):
                raise piece
            buffer[: len(piece)] = piece
            return len(piece)

    lines = stream.lines(Failing(), compression=None)
    assert [next(lines), next(lines)] == ["one\n", "two\n"]
    with pytest.raises(OSError, match="gone"):
        next(lines)
    assert list(lines) == []


@pytest.mark.parametrize("name", PACK)
@pytest.mark.parametrize("as_object", [False, True])
def test_compressed_data_that_end_in_the_middle(name, as_object, tmp_path):
    path = tmp_path / "a"
    data = PACK[name](random.Random(1).randbytes(300_000).hex("\n", 30).encode())
    path.write_bytes(data[: len(data) * 3 // 4])
    source = io.BytesIO(path.read_bytes()) if as_object else path
    found = []
    with pytest.raises(stream.TruncatedError) as caught:
        for line in stream.lines(source):
            found.append(line)
    assert isinstance(caught.value, EOFError)
    assert caught.value.offset == len(data) * 3 // 4
    whole = random.Random(1).randbytes(300_000).hex("\n", 30)
    assert whole.startswith("".join(found))
    assert len(found) > 1_000, "what was good was delivered"
    # Byte by byte, even the part of a line.
    chunks = stream.chunks(io.BytesIO(path.read_bytes()) if as_object else path, 1000)
    parts = []
    with pytest.raises(stream.TruncatedError):
        parts.extend(chunks)
    assert whole.encode().startswith(b"".join(parts))
    assert len(b"".join(parts)) >= len("".join(found))


@pytest.mark.parametrize("name", PACK)
def test_compressed_data_that_are_damaged(name, tmp_path):
    path = tmp_path / "a"
    data = bytearray(PACK[name](random.Random(1).randbytes(300_000).hex("\n", 30).encode()))
    at = len(data) * 3 // 4
    data[at : at + 50] = bytes(50)
    path.write_bytes(data)
    found = []
    with pytest.raises(stream.DataError, match=f"corrupt {name} data at byte") as caught:
        for line in stream.lines_bytes(path):
            found.append(line)
    assert str(caught.value).startswith(f"{path}: ")
    assert at < caught.value.offset <= len(data)
    # xz checks sums at the ends of its blocks only: what comes right before may be wrong.
    whole = random.Random(1).randbytes(300_000).hex("\n", 30).encode()
    assert len(found) > 1000
    assert whole.startswith(b"".join(found[:1000]))


def test_a_line_without_an_end(tmp_path):
    """Two gigabytes of zeros, which are not on the disk."""
    path = tmp_path / "a"
    with path.open("wb") as file:
        file.write(b"short\n")
        file.truncate(2 << 30)
    code = """if True:
        import sys
        from hasten import stream
        before = PEAK
        lines = stream.lines(sys.argv[1], limit=1 << 20, contains=sys.argv[2] or None)
        try:
            for line in lines:
                print(line, end="")
        except stream.LineTooLongError as error:
            print(error, error.offset)
        after = PEAK
        assert after - before < 8 << 10, (before, after)
        held = bytearray(16 << 20)
        assert PEAK - before > 8 << 10, "it can be seen"
    """
    for text, first in [("", "short\n"), ("t", "short\n"), ("none", "")]:
        done = read(code, path, text)
        assert done.stderr == ""
        assert done.stdout == (
            f"{first}{path}: the line at byte 6 is longer than the limit of 1048576 bytes 6\n"
        )


def test_memory_is_bounded():
    """The share of a file of gigabytes: what is held does not depend on its size."""
    code = """if True:
        import os, threading
        from hasten import stream
        read_fd, write_fd = os.pipe()
        piece = b"".join(b"line %d ERROR\\n" % number for number in range(60_000))

        def write():
            for _ in range(200):
                os.writev(write_fd, [piece])
            os.close(write_fd)

        threading.Thread(target=write).start()
        before = PEAK
        lines = sum(1 for line in stream.lines(read_fd, contains="9 ERROR"))
        after = PEAK
        assert lines > 1_000_000, lines
        assert after - before < 8 << 10, (before, after)
    """
    done = read(code)
    assert done.stderr == ""


def test_bytes_that_cannot_be_decoded():
    data = "gut: ä\n".encode() + b"bad: \xff\nlast\n"
    lines = stream.lines(io.BytesIO(data))
    assert next(lines) == "gut: ä\n"
    with pytest.raises(UnicodeDecodeError):
        next(lines)
    assert list(lines) == []
    for errors in ("replace", "ignore", "surrogateescape", "backslashreplace"):
        right = list(io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", errors=errors))
        assert list(stream.lines(io.BytesIO(data), errors=errors)) == right


def test_a_handler_that_reads_on():
    data = b"".join(b"%d \xff\n" % number for number in range(5_000))

    def handler(error):
        if not nested:
            nested.append(True)
            inner.append(next(lines))
            nested.pop()
        return "?", error.end

    inner, nested = [], []
    codecs.register_error("hasten-reads-on", handler)
    lines = stream.lines(io.BytesIO(data), errors="hasten-reads-on", compression=None)
    found = [*lines]
    found += inner
    assert len(inner) > 2_000
    assert sorted(found) == sorted(f"{number} ?\n" for number in range(5_000))


def test_ended_in_the_middle(packed):
    for make in (
        lambda: stream.lines(packed),
        lambda: stream.lines(packed, encoding="utf-16-le", errors="replace"),
        lambda: stream.chunks(packed, 10),
        lambda: stream.lines(packed).map(str).batch(2),
        lambda: stream.lines([packed, packed]),
        lambda: stream.follow(packed, start="beginning", errors="replace"),
    ):
        before = descriptors(), threads()
        opened = make()
        next(opened)
        assert (descriptors(), threads()) != before
        opened.close()
        until_nothing_is_left(before)
        assert list(opened) == []
        opened.close()
        with make() as opened:
            next(opened)
        until_nothing_is_left(before)
        opened = make()
        next(opened)
        del opened
        gc.collect()
        until_nothing_is_left(before)
        del make


def test_opened_and_not_read(packed):
    stream.lines([packed, packed])
    stream.chunks(packed)
    stream.records(packed, "jsonl")


def test_in_a_circle(packed):
    class Holder:
        pass

    holder = Holder()
    holder.lines = stream.lines(packed).map(vars(holder).get)
    holder.lines = holder.lines.map(holder.__eq__)
    next(holder.lines)
    del holder
    gc.collect()


def test_a_compressed_pipe_that_nobody_writes_to():
    """Closing does not wait for the other side, though the thread is reading it."""
    read_fd, write_fd = os.pipe()
    os.write(write_fd, gzip.compress(TEXT)[:10_000])
    lines = stream.lines(read_fd)
    assert next(lines) == "line 0 of the file\n"
    lines.close()
    os.close(read_fd)
    os.close(write_fd)


@pytest.mark.parametrize("source", ["pipe", "packed pipe", "file object"])
def test_a_signal_while_it_waits(source):
    read_fd, write_fd = os.pipe()
    if source == "packed pipe":
        os.write(write_fd, gzip.compress(b"")[:5])
    given = open(read_fd, "rb", closefd=False) if source == "file object" else read_fd

    class Stop(Exception):
        pass

    def stop(*_):
        raise Stop

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(Stop):
            list(stream.lines(given))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        os.close(read_fd)
        os.close(write_fd)


def test_a_signal_while_it_scans():
    def stop(*_):
        raise KeyboardInterrupt

    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as process:
        before = signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        try:
            with pytest.raises(KeyboardInterrupt):
                next(stream.lines(process.stdout.fileno(), contains="no"))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            process.kill()


def test_threads_share_a_stream(packed):
    lines = stream.lines(packed)
    found = [[] for _ in range(4)]

    def work(mine):
        mine.extend(lines)

    workers = [threading.Thread(target=work, args=(mine,)) for mine in found]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    every = sorted((line for mine in found for line in mine), key=lambda line: int(line.split()[1]))
    assert "".join(every).encode() == TEXT


def test_other_threads_run_while_it_waits():
    read_fd, write_fd = os.pipe()
    lines = stream.lines(read_fd)

    def write():
        time.sleep(0.02)
        os.write(write_fd, b"late\n")

    writer = threading.Thread(target=write)
    writer.start()
    assert next(lines) == "late\n"
    writer.join()
    os.close(write_fd)
    os.close(read_fd)


def test_a_source_that_reads_the_stream():
    class Circle(io.RawIOBase):
        def readinto(self, buffer):
            next(lines)
            return 0

    lines = stream.lines(Circle(), compression=None)
    with pytest.raises(ValueError, match="already"):
        next(lines)


def test_a_source_that_lies():
    class Much(io.RawIOBase):
        def readinto(self, buffer):
            return len(buffer) + 1

    with pytest.raises(ValueError, match="more than was asked for"):
        next(stream.lines(Much(), compression=None))

    kept = []

    class Keeps(io.RawIOBase):
        def readinto(self, buffer):
            kept.append(memoryview(buffer))
            buffer[:4] = b"one\n"
            return 4 if len(kept) < 3 else 0

    assert list(stream.lines(Keeps(), compression=None)) == ["one\n"] * 2
    kept[0][:4] = b"late"

    class Text:
        def read(self, size):
            return "text"

    with pytest.raises(TypeError, match="should return bytes"):
        next(stream.lines(Text(), compression=None))


def test_in_a_child_of_fork(packed, tmp_path):
    code = """if True:
        import os, sys, warnings
        warnings.simplefilter("ignore")
        from hasten import stream
        packed, plain = stream.lines(sys.argv[1]), stream.lines(sys.argv[2])
        next(packed), next(plain)
        pid = os.fork()
        if pid == 0:
            next(plain)
            try:
                list(packed)
            except ValueError as error:
                assert "in a child of fork" in str(error), error
                packed.close()
                del packed
                assert sum(1 for line in stream.lines(sys.argv[1])) == 50_000
                sys.exit(3)
            sys.exit(4)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert status == 3, status
        assert sum(1 for line in packed) == 49_999
    """
    plain = tmp_path / "plain"
    plain.write_bytes(TEXT)
    done = read(code, packed, plain)
    assert (done.stderr, done.returncode) == ("", 0)


@pytest.mark.parametrize("end", ["", "os._exit(0)", "sys.exit()", "builtins.kept = lines"])
def test_at_the_interpreters_end(end, packed):
    code = f"""if True:
        import builtins, os, sys
        from hasten import stream
        lines = stream.lines(sys.argv[1])
        next(lines)
        {end}
    """
    done = read(code, packed)
    assert (done.stderr, done.returncode) == ("", 0)


def test_a_reader_that_goes_away():
    """The other end of a pipe is closed: the program ends as it does with open()."""
    code = """if True:
        import sys
        from hasten import stream
        for line in stream.lines(0):
            sys.stdout.write(line)
    """
    done = subprocess.run(
        f"{sys.executable} -c '{code}' | head -n 1",
        shell=True,
        input=TEXT,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.stdout == b"line 0 of the file\n"
    assert b"BrokenPipeError" in done.stderr


def test_in_an_interpreter_of_its_own(packed):
    run_isolated(
        "from hasten import stream\n"
        f"assert stream.count({str(packed)!r}, contains='line 4') == 11111\n"
        f"lines = stream.lines({str(packed)!r}); next(lines)"
    )
