# SPDX-License-Identifier: MIT
"""Sources, formats, composition: what hasten.stream does besides finding lines."""

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import re
import shutil
import subprocess
import sys
import threading
import time

import pytest
from hasten import stream

LINES = [f"line {number} {'ERROR' if number % 10 == 0 else 'fine'}\n" for number in range(20_000)]
TEXT = "".join(LINES).encode()


def zstd(data):
    """By 3.14's module, else by the command."""
    if sys.version_info >= (3, 14):
        from compression import zstd as module

        return module.compress(data)
    command = shutil.which("zstd")
    if command is None:
        pytest.skip("nothing here writes zstd")
    return subprocess.run([command, "-c"], input=data, capture_output=True, check=True).stdout


FORMATS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstd}


@pytest.fixture(params=FORMATS)
def packed(request):
    return request.param, FORMATS[request.param]


def test_a_path_a_descriptor_a_file_object(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(TEXT)
    assert list(stream.lines(path)) == LINES
    assert list(stream.lines(str(path))) == LINES
    assert list(stream.lines(os.fsencode(path))) == LINES
    with path.open("rb") as file:
        assert list(stream.lines(file)) == LINES
        assert not file.closed
    with path.open("rb", buffering=0) as file:
        assert list(stream.lines(file)) == LINES
    fd = os.open(path, os.O_RDONLY)
    assert list(stream.lines(fd)) == LINES
    os.close(fd)  # it is still its owner's


def test_a_file_object_is_read_from_where_it_is():
    file = io.BytesIO(b"one\ntwo\nthree\n")
    file.readline()
    assert list(stream.lines(file)) == ["two\n", "three\n"]


def test_an_object_that_only_reads():
    class Socket:
        def __init__(self):
            self.pieces = [b"on", b"e\ntw", b"o\n", b""]

        def read(self, size):
            return self.pieces.pop(0)

    assert list(stream.lines(Socket(), compression=None)) == ["one\n", "two\n"]


@pytest.mark.parametrize("wrong", [None, 1.5, True, io.StringIO("a\n"), [object()]])
def test_what_is_no_source(wrong):
    with pytest.raises(TypeError):
        stream.lines(wrong)


def test_several_files_and_wildcards(tmp_path):
    for name, text in [("b.log", "3\n4"), ("a.log", "1\n2"), ("c[1].log", "5")]:
        (tmp_path / name).write_text(text)
    assert list(stream.lines([tmp_path / "b.log", tmp_path / "a.log"])) == ["3\n", "4", "1\n", "2"]
    assert list(stream.lines(f"{tmp_path}/[ab].log")) == ["1\n", "2", "3\n", "4"]
    assert list(stream.lines(f"{tmp_path}/c[1].log")) == ["5"], "a file of that name is itself"
    assert stream.count([f"{tmp_path}/*.log", io.BytesIO(b"x\n")]) == 6
    assert list(stream.lines([])) == []
    with pytest.raises(FileNotFoundError, match="no file matches"):
        stream.lines(f"{tmp_path}/*.txt")


def test_a_pipe_and_standard_input(tmp_path):
    code = "from hasten import stream; print(stream.count(0, contains='ERROR'))"
    done = subprocess.run([sys.executable, "-c", code], input=TEXT, capture_output=True, check=True)
    assert done.stdout == b"2000\n"
    assert done.stderr == b""
    code = "from hasten import stream; print(stream.count(0))"
    packed = gzip.compress(TEXT)
    done = subprocess.run(
        [sys.executable, "-c", code], input=packed, capture_output=True, check=True
    )
    assert done.stdout == b"20000\n"


def test_a_line_of_a_pipe_comes_when_it_is_there():
    read_fd, write_fd = os.pipe()
    lines = stream.lines(read_fd)
    os.write(write_fd, b"B\npart")
    assert next(lines) == "B\n"
    os.write(write_fd, b"ial\n")
    assert next(lines) == "partial\n"
    os.close(write_fd)
    assert list(lines) == []
    os.close(read_fd)


def test_formats_are_recognised(packed, tmp_path):
    name, pack = packed
    path = tmp_path / "app.log"
    path.write_bytes(pack(TEXT))
    assert list(stream.lines(path)) == LINES
    assert list(stream.lines(path, compression=name)) == LINES
    assert list(stream.lines(io.BytesIO(pack(TEXT)))) == LINES
    assert b"".join(stream.chunks(path, 1000)) == TEXT
    assert list(stream.lines(path, encoding="cp1252")) == LINES
    assert b"".join(stream.lines_bytes(path, compression=None)) == path.read_bytes()


def test_several_members_are_one_file(packed, tmp_path):
    _, pack = packed
    path = tmp_path / "app.log"
    path.write_bytes(pack(TEXT[:1000]) + pack(b"") + pack(TEXT[1000:]))
    assert b"".join(stream.chunks(path)) == TEXT


def test_nothing_compressed(packed, tmp_path):
    _, pack = packed
    path = tmp_path / "app.log"
    path.write_bytes(pack(b""))
    assert list(stream.lines(path)) == []
    path.write_bytes(b"")
    assert list(stream.lines(path)) == []


def test_behind_the_last_member(packed, tmp_path):
    """As the standard modules do: gzip refuses what is not zeros, the others pass over it."""
    name, pack = packed
    path = tmp_path / "app.log"
    path.write_bytes(pack(TEXT) + b"no member at all, and long enough")
    found = []
    if name == "gzip":
        with pytest.raises(stream.DataError) as caught:
            found.extend(stream.lines(path))
        assert caught.value.path == str(path)
        assert caught.value.offset == len(pack(TEXT)) + 2
        found = stream.lines(path).take(len(LINES))
    else:
        found = stream.lines(path)
    assert list(found) == LINES
    if name in {"gzip", "xz"}:
        path.write_bytes(pack(TEXT) + bytes(512))
        assert stream.count(path) == len(LINES)
        path.write_bytes(pack(TEXT) + bytes(512) + pack(TEXT))
        assert stream.count(path) == 2 * len(LINES)


def test_text_that_begins_as_a_format(tmp_path):
    path = tmp_path / "app.log"
    for text in ["BZh", "BZh9 is a beginning", "\x1f", "7", "(", "\x1fx"]:
        path.write_text(text)
        assert list(stream.lines(path)) == [text]


def test_unknown_compression():
    with pytest.raises(ValueError, match='compression is "auto"'):
        stream.lines(io.BytesIO(b""), compression="lzw")


def test_composition():
    lines = stream.lines(io.BytesIO(TEXT), contains="ERROR", strip="newline")
    numbers = lines.map(lambda line: int(line.split()[1])).filter(lambda number: number % 20)
    assert list(numbers.batch(2).take(2)) == [[10, 30], [50, 70]]
    assert list(stream.Stream("ab c").filter(str.strip).filter(None)) == ["a", "b", "c"]
    assert list(stream.Stream(range(5)).batch(2)) == [[0, 1], [2, 3], [4]]
    assert list(stream.Stream(range(5)).take(0)) == []
    with pytest.raises(ValueError, match="at least one"):
        stream.Stream([]).batch(0)
    with pytest.raises(ZeroDivisionError):
        next(stream.Stream([0]).map(lambda number: 1 / number))


def test_closing_a_stage_closes_what_it_stands_on(tmp_path):
    closed = []

    def numbers():
        try:
            yield from range(10)
        finally:
            closed.append(True)

    with stream.Stream(numbers()).map(str).batch(3) as batches:
        assert next(batches) == ["0", "1", "2"]
    assert closed == [True]
    assert list(batches) == []
    assert list(stream.Stream(numbers()).take(2)) == [0, 1]
    assert closed == [True, True], "closed behind the last item"


def test_count():
    assert stream.count(io.BytesIO(TEXT)) == 20_000
    assert stream.count(io.BytesIO(TEXT), contains="ERROR") == 2_000
    assert stream.count(io.BytesIO(TEXT), contains="ERROR", invert=True) == 18_000
    assert stream.count(io.BytesIO(TEXT), regex=r"9 fine$") == 2_000
    assert stream.count(io.BytesIO(b"a\nb")) == 2
    lines = stream.lines(io.BytesIO(TEXT), contains="ERROR")
    next(lines)
    assert lines.count() == 1_999


def test_progress(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(TEXT)
    told = []
    assert stream.count([tmp_path / "a", tmp_path / "b"], progress=told.append) == 40_000
    assert told[-1] == (str(tmp_path / "b"), 2, 2, 2 * len(TEXT), 2 * len(TEXT))
    assert [step.bytes_done for step in told] == sorted(step.bytes_done for step in told)
    told.clear()
    list(stream.lines([io.BytesIO(b"a\n")], progress=told.append))
    assert told[-1].bytes_total is None

    def fail(_):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        stream.count(tmp_path / "a", progress=fail)


def test_where_it_is(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(TEXT)
    lines = stream.lines(path)
    next(lines)
    assert lines.path == str(path)
    assert lines.position == min(len(TEXT), 1 << 18)
    lines.close()
    assert (lines.path, lines.position) == (None, None)


def test_csv(tmp_path):
    path = tmp_path / "table.csv"
    rows = [{"name": "a,b", "text": 'two\nlines "x"'}, {"name": "ü", "text": ""}]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["name", "text"])
        writer.writeheader()
        writer.writerows(rows)
    assert list(stream.records(path)) == rows
    assert list(stream.records([path, path])) == rows * 2, "each file has its own header"
    assert list(stream.records(path, batch=2)) == [rows]
    assert next(stream.records(path, header=False)) == ["name", "text"]
    packed = tmp_path / "table.csv.gz"
    packed.write_bytes(gzip.compress(b"a;b\n1;2\n"))
    assert list(stream.records(packed, delimiter=";")) == [{"a": "1", "b": "2"}]


def test_json_lines(tmp_path):
    path = tmp_path / "events.jsonl"
    records = [{"id": number, "kind": "ab"[number % 2]} for number in range(100)]
    path.write_text("\n\n".join(json.dumps(record) for record in records))
    assert list(stream.records(path)) == records
    assert list(stream.records(path, contains='"kind": "b"')) == records[1::2]
    assert len(next(stream.records(path, batch=30))) == 30
    path.write_text('{"a": 1}\n{"a": \n')
    with pytest.raises(json.JSONDecodeError) as caught:
        list(stream.records(path))
    assert "line 2" in caught.value.__notes__[0]


def test_which_format_records_have(tmp_path):
    with pytest.raises(ValueError, match="format= is needed"):
        stream.records(io.BytesIO(b""))
    with pytest.raises(ValueError, match="not 'xml'"):
        stream.records(io.BytesIO(b""), "xml")
    with pytest.raises(ValueError, match="several lines"):
        stream.records(io.BytesIO(b""), "csv", contains="a")
    assert list(stream.records(io.BytesIO(b'{"a": 1}'), "jsonl")) == [{"a": 1}]


def test_follow_through_rotation_and_truncation(tmp_path):
    path = tmp_path / "app.log"
    path.write_text("old\n")
    found = []

    def wait_for(line):
        until = time.monotonic() + 20
        while line not in found and time.monotonic() < until:
            time.sleep(0.005)
        assert line in found

    def follow():
        with stream.follow(path, interval=0.01, start="beginning") as lines:
            for line in lines:
                found.append(line)
                if line == "last\n":
                    return

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    wait_for("old\n")
    with path.open("a") as file:
        file.write("appended\nun")
        file.flush()
        wait_for("appended\n")
        file.write("finished")
    path.rename(tmp_path / "app.log.1")
    path.write_text("rotated\n")
    wait_for("rotated\n")
    assert "unfinished" in found, "the old file's last line is its own"
    path.write_text("")
    time.sleep(0.1)
    path.write_text("cut\n")
    wait_for("cut\n")
    with path.open("a") as file:
        file.write("last\n")
    thread.join(20)
    assert found == ["old\n", "appended\n", "unfinished", "rotated\n", "cut\n", "last\n"]


def test_follow_ends_when_nothing_comes(tmp_path):
    path = tmp_path / "app.log"
    path.write_text("a\nb\n")
    options = {"timeout": 0.05, "interval": 0.01}
    assert list(stream.follow(path, start="beginning", contains="b", **options)) == ["b\n"]
    assert list(stream.follow(path, **options)) == []
    with pytest.raises(FileNotFoundError):
        stream.follow(tmp_path / "none")
    with pytest.raises(ValueError, match="start="):
        stream.follow(path, start="middle")


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"newline": "x"}, ValueError),
        ({"strip": "left"}, ValueError),
        ({"limit": 0}, ValueError),
        ({"encoding": "none"}, LookupError),
        ({"errors": "none"}, LookupError),
        ({"contains": b"a"}, TypeError),
        ({"contains": ["a", 1]}, TypeError),
        ({"regex": b"a"}, TypeError),
        ({"regex": "("}, re.error),
    ],
)
def test_wrong_arguments(options, fault):
    with pytest.raises(fault):
        stream.lines(io.BytesIO(b""), **options)


def test_another_kind_of_pattern():
    class Pattern:
        pattern = "x"

        def search(self, line):
            return line if "7" in line else None

    found = list(stream.lines(io.BytesIO(TEXT), regex=Pattern()))
    assert found == [line for line in LINES if "7" in line]
