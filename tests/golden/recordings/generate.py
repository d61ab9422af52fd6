# SPDX-License-Identifier: MIT
"""Makes the golden recordings beside this file.

Usage: generate.py RECORDING_TOOL (tests/core/recording_tool.c, built)

The logs are written here from docs/formats/log.md alone, so that they check the
readers against the description and not against the writer. good-v2.sqlite is what
finishing good-v2.log gives; files of an older version (KEPT) are what that version
wrote, and are never made again. expected.txt has a line for every file:

    NAME STATUS POSITION MESSAGE

where "@" in the message is the file's path in quotes; good files have "OK 0" and
their content in good-vN.txt. tests/core/test_recording_golden.c reads it.
"""

import shutil
import sqlite3
import struct
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SQLITE_ID = 0x4853544E
VERSION = 2
KEPT = ["good-v1.log", "killed-v1.log", "good-v1.sqlite", "harmless-v1.sqlite"]


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value):
    return varint(value * 2 if value >= 0 else -value * 2 - 1)


def blob(data):
    return varint(len(data)) + data


def numbers(*values):
    return b"".join(varint(value) for value in values)


def zstd_frame(data):
    """A zstd frame whose one block is not compressed (RFC 8878, 3.1.1)."""
    assert len(data) < 256
    header = struct.pack("<IBB", 0xFD2FB528, 0x20, len(data))
    return header + (len(data) << 3 | 1).to_bytes(3, "little") + data


def header(version=VERSION, size=40, interval_ns=1_000_000, start_ns=1_700_000_000_000_000_000):
    fixed = b"\x89HSTLOG\n" + struct.pack("<IIQQI", version, size, interval_ns, start_ns, 0)
    return fixed + struct.pack("<I", crc32c(fixed))


def block(kind, payload, encoding=0, raw_size=None, stored=None):
    stored = stored if stored is not None else zstd_frame(payload) if encoding else payload
    raw_size = len(payload) if raw_size is None else raw_size
    fixed = struct.pack("<BBHIII", kind, encoding, 0, len(stored), raw_size, crc32c(stored))
    return fixed + struct.pack("<I", crc32c(fixed)) + stored


DEFINITIONS, SAMPLES, VALUES, END, POINTS = 1, 2, 3, 4, 5
STRINGS = ["mode", "wall", "python app.py", "/usr/bin/python3", "main", "MainThread",
           "/app/app.py", "<module>", "Tree.walk", "walk", "h\u00e9lper", "calls", "1", "calls made",
           "heap.peak.bytes", "bytes", "live at the peak", "rss.bytes", "resident memory",
           "heap.live.bytes", "live memory of the heap"]
TABLE = bytes([0xEB, 0x00, 0xEB, 0x04])  # 4 units of the first line, 4 of two lines below


def string(text):
    return STRINGS.index(text) + 1


def definitions():
    yield from (b"\x01" + blob(text.encode()) for text in STRINGS)
    yield b"\x02" + numbers(string("mode"), string("wall"))
    yield b"\x03" + numbers(4242, 1, 0x030C01F0, string("python app.py"),
                            string("/usr/bin/python3"), string("main"), 0)
    yield b"\x05" + numbers(0, 4242, 0, 1)
    yield b"\x05" + numbers(0, 4243, 0, 0)
    yield b"\x06" + numbers(0, string("MainThread"))
    for name, qualname, line in (("<module>", "<module>", 1), ("walk", "Tree.walk", 10),
                                 ("h\u00e9lper", "h\u00e9lper", 300)):
        yield (b"\x07" + numbers(0, string("/app/app.py"), string(name), string(qualname))
               + signed(line) + blob(TABLE))
    # node 1 under the root, then each under the one before; node 5 under node 1
    for back, code, instruction in ((1, 0, 2), (1, 1, 1), (1, 1, 5), (1, 2, 0), (4, 2, 7)):
        yield b"\x08" + numbers(back, code, instruction)
    yield b"\x09" + numbers(string("calls"), string("1"), string("calls made"))
    yield b"\x09" + numbers(string("heap.peak.bytes"), string("bytes"), string("live at the peak"))
    yield b"\x0a" + numbers(0, string("rss.bytes"), string("bytes"), string("resident memory"))
    yield b"\x0a" + numbers(0, string("heap.live.bytes"), string("bytes"),
                            string("live memory of the heap"))


def samples(first_slot):
    """Four samples: threads 0, 1, 0, 1, the second pair predicted."""
    return (numbers(4, first_slot) + numbers(0, 0, 1, 0) + numbers(1, 2, 1, 0)
            + signed(4) + signed(2) + signed(0) + signed(3)
            + bytes([0x20, 0x05, 0x30, 0x05 ^ 0x03]) + numbers(1, 3, 2, 1))


def values():
    return (numbers(3) + numbers(3, 0, 0) + signed(41) + numbers(2, 1, 0) + signed(-1)
            + numbers(3, 0, 1) + signed(5 << 20))


def points(first_ns):
    """Two of the first series and one of the other between them."""
    return (numbers(3) + numbers(0) + signed(first_ns) + signed(8 << 20)
            + numbers(1) + signed(400_000) + signed(5 << 20)
            + numbers(0) + signed(-100_000) + signed(9 << 20))


DEFINED = block(DEFINITIONS, b"".join(definitions()))


def good_log(end=True):
    parts = [header(), DEFINED, block(SAMPLES, samples(0)), block(VALUES, values(), 1),
             block(POINTS, points(1_000_000)), block(SAMPLES, samples(10), 1),
             block(POINTS, points(12_000_000), 1),
             block(DEFINITIONS, b"\x04" + numbers(0, 30_000_000))]
    return b"".join(parts) + (block(END, numbers(8)) if end else b"")


def bad_logs():
    """(name, content, status, position, message)"""
    after_defined = 40 + len(DEFINED)
    place = f"@ is damaged at byte {after_defined}: "

    def with_block(bad):
        return header() + DEFINED + bad

    def defining(record):
        return with_block(block(DEFINITIONS, record))

    yield ("log-header-cut", header()[:17], "TRUNCATED", 17,
           "@ is truncated: it ends at byte 17, inside its header")
    yield ("log-newer", header(version=3) + DEFINED, "NEWER", 8,
           "@ has log format 3, but this hasten knows only up to 2: read it with a newer hasten")
    yield ("log-version-0", header(version=0), "CORRUPT", 0,
           "@ is damaged at byte 0: its header is not one of this version")
    yield ("log-header-size", header(size=48), "CORRUPT", 0,
           "@ is damaged at byte 0: its header is not one of this version")
    yield ("log-interval-0", header(interval_ns=0), "CORRUPT", 0,
           "@ is damaged at byte 0: its header is not one of this version")
    yield ("log-header-crc", header()[:39] + b"\0", "CORRUPT", 0,
           "@ is damaged at byte 0: the checksum of its header does not agree")
    cases = {
        "block-header-crc": (with_block(b"\x01" + bytes(18) + b"\x01"),
                             "the checksum of a block's header does not agree"),
        "block-crc": (with_block(block(END, numbers(0))[:-1] + b"\x01"),
                      "the checksum of a block does not agree"),
        "block-type": (with_block(block(6, b"")), "a block is of an unknown type"),
        "block-encoding": (with_block(block(DEFINITIONS, b"", 2, stored=b"")),
                           "a block is encoded in an unknown way"),
        "block-size": (with_block(block(DEFINITIONS, b"", raw_size=1)),
                       "a block's size is out of range"),
        "block-huge": (with_block(block(DEFINITIONS, b"ab", 1, raw_size=(1 << 24) + 1)),
                       "a block's size is out of range"),
        "block-zstd": (with_block(block(DEFINITIONS, b"ab", 1, stored=b"ab")),
                       "a block cannot be unpacked"),
        "block-zstd-size": (with_block(block(DEFINITIONS, b"ab", 1, raw_size=3)),
                            "a block cannot be unpacked"),
        "record-tag": (defining(b"\x0b"), "a record is of an unknown kind"),
        "record-cut": (defining(b"\x04\x00"), "a record ends early or has a number out of range"),
        "record-number": (defining(b"\x04" + numbers(1 << 32, 0)),
                          "a record ends early or has a number out of range"),
        "string-cut": (defining(b"\x01\x05abcd"),
                       "a record ends early or has a number out of range"),
        "string-zero": (defining(b"\x01" + blob(b"a\0b")), "a string contains a zero byte"),
        "fact-string": (defining(b"\x02" + numbers(1, 99)),
                        "a fact refers to a string that is not there"),
        "process-string": (defining(b"\x03" + numbers(1, 1, 0, 99, 0, 0, 0)),
                           "a process refers to a string that is not there"),
        "process-end": (defining(b"\x04" + numbers(1, 0)), "a process that is not there ends"),
        "thread-process": (defining(b"\x05" + numbers(1, 5, 0, 0)),
                           "a thread refers to a process that is not there"),
        "thread-name": (defining(b"\x06" + numbers(2, 0)),
                        "a thread's name refers to what is not there"),
        "code-string": (defining(b"\x07" + numbers(0, 99, 0, 0) + signed(1) + blob(b"")),
                        "a code object refers to a string that is not there"),
        "node-parent": (defining(b"\x08" + numbers(7, 0, 0)),
                        "a stack node refers to a parent that is not before it"),
        "node-itself": (defining(b"\x08" + numbers(0, 0, 0)),
                        "a stack node refers to a parent that is not before it"),
        "node-code": (defining(b"\x08" + numbers(1, 3, 0)),
                      "a stack node refers to a code object that is not there"),
        "metric-twice": (defining(b"\x09" + numbers(string("calls"), 0, 0)),
                         "a metric is defined twice"),
        "series-process": (defining(b"\x0a" + numbers(1, 0, 0, 0)),
                           "a series refers to a process that is not there"),
        "series-string": (defining(b"\x0a" + numbers(0, 0, 99, 0)),
                          "a series refers to a string that is not there"),
        "series-twice": (defining(b"\x0a" + numbers(0, string("rss.bytes"), 0, 0)),
                         "a series is defined twice"),
        "points-series": (with_block(block(POINTS, numbers(1, 2) + signed(1) + signed(1))),
                          "a point refers to a series that is not there"),
        "points-back": (with_block(block(POINTS, numbers(2, 0) + signed(7) + signed(1) + numbers(0)
                                         + signed(-1) + signed(1))),
                        "points of a series go back in time"),
        "points-negative": (with_block(block(POINTS, numbers(1, 0) + signed(-1) + signed(1))),
                            "a point's time is out of range"),
        "points-far": (with_block(block(POINTS, numbers(1, 0) + signed(1 << 62) + signed(1))),
                       "a point's time is out of range"),
        "points-cut": (with_block(block(POINTS, points(0)[:-1])),
                       "a record ends early or has a number out of range"),
        "points-more": (with_block(block(POINTS, points(0) + b"\0")),
                        "a record ends early or has a number out of range"),
        "samples-none": (with_block(block(SAMPLES, numbers(0, 0))),
                         "the number of samples in a block is out of range"),
        "samples-many": (with_block(block(SAMPLES, numbers(65537, 0))),
                         "the number of samples in a block is out of range"),
        "samples-cut": (with_block(block(SAMPLES, samples(0)[:-1])),
                        "a block of samples ends early"),
        "samples-more": (with_block(block(SAMPLES, samples(0) + b"\0")),
                         "there is something after the last column of samples"),
        "samples-thread": (with_block(block(SAMPLES, numbers(1, 0, 0, 3, 0, 0, 1, 1))),
                           "a sample refers to a thread that is not there"),
        "samples-unpredicted": (with_block(block(SAMPLES, numbers(1, 0, 0, 0, 0, 0, 1, 1))),
                                "a sample refers to a thread that is not there"),
        "samples-node": (with_block(block(SAMPLES, numbers(1, 0, 0, 1) + signed(6)
                                          + numbers(0, 1, 1))),
                         "a sample refers to a stack node that is not there"),
        "samples-node-negative": (with_block(block(SAMPLES, numbers(1, 0, 0, 1) + signed(-1)
                                                   + numbers(0, 1, 1))),
                                  "a sample refers to a stack node that is not there"),
        "samples-state": (with_block(block(SAMPLES, numbers(1, 0, 0, 1, 0, 9, 1, 1))),
                          "a sample's state is unknown"),
        "samples-flag": (with_block(block(SAMPLES, numbers(1, 0, 0, 1, 0, 0x40, 1, 1))),
                         "a sample's state is unknown"),
        "samples-weight-0": (with_block(block(SAMPLES, numbers(1, 0, 0, 1, 0, 0, 0, 1))),
                             "a sample's weight is out of range"),
        "samples-repeats": (with_block(block(SAMPLES, numbers(1, 0, 0, 1, 0, 0, 1, 2))),
                            "a sample's weight is out of range"),
        "samples-far": (with_block(block(SAMPLES, numbers(1, 1 << 62, 0, 1, 0, 0, 1, 1))),
                        "a sample's time is out of range"),
        "values-node": (with_block(block(VALUES, numbers(1, 6, 0, 0) + signed(1))),
                        "a value refers to a node, thread or metric that is not there"),
        "values-cut": (with_block(block(VALUES, numbers(2, 1, 0, 0) + signed(1))),
                       "a record ends early or has a number out of range"),
        "end-count": (with_block(block(END, numbers(1))),
                      "its end does not agree with the number of samples before"),
    }
    for name, (content, complaint) in cases.items():
        yield f"log-{name}", content, "CORRUPT", after_defined, place + complaint
    back = header() + DEFINED + block(SAMPLES, samples(5))
    yield ("log-samples-back", back + block(SAMPLES, samples(5)), "CORRUPT", len(back),
           f"@ is damaged at byte {len(back)}: samples go back in time")
    yield ("log-after-end", good_log() + DEFINED, "CORRUPT", len(good_log()),
           f"@ is damaged at byte {len(good_log())}: it goes on after its end")
    old = header(version=1)
    yield ("log-series-in-v1", old + block(DEFINITIONS, b"\x0a" + numbers(0, 0, 0, 0)), "CORRUPT",
           40, "@ is damaged at byte 40: a record is of an unknown kind")
    yield ("log-points-in-v1", old + block(POINTS, numbers(0)), "CORRUPT", 40,
           "@ is damaged at byte 40: a block is of an unknown type")
    early = header() + block(SAMPLES, samples(0))
    yield ("log-undefined", early, "CORRUPT", 40,
           "@ is damaged at byte 40: a sample refers to a thread that is not there")


# Changes to good-v2.sqlite: (name, SQL, status, position, message)
ROW = "@ is damaged in row {} of table {}: {}"
SQLITE_CASES = [
    ("newer", "PRAGMA user_version = 3", "NEWER", 60,
     "@ has recording format 3, but this hasten knows only up to 2: read it with a newer hasten"),
    ("no-series", "DROP TABLE series", "CORRUPT", -1,
     "@ is damaged: table series is missing or not as this version of the format has it"),
    ("series-process", "UPDATE series SET process = 1 WHERE id = 1", "CORRUPT", -1,
     ROW.format(1, "series", "a series refers to a process that is not there")),
    ("series-twice", "UPDATE series SET name = 'x'", "CORRUPT", -1,
     ROW.format(1, "series", "a series is defined twice")),
    ("series-id", "UPDATE series SET id = 2 WHERE id = 1", "CORRUPT", -1,
     ROW.format(1, "series", "its id is not the next")),
    ("point-series", "UPDATE point SET series = 2 WHERE series = 1", "CORRUPT", -1,
     ROW.format(4, "point", "a point refers to a series that is not there")),
    ("point-time", "UPDATE point SET time_ns = -1 WHERE time_ns = 1000000", "CORRUPT", -1,
     ROW.format(0, "point", "a number is out of range")),
    ("point-text", "UPDATE point SET value = 'x'", "CORRUPT", -1,
     ROW.format(0, "point", "a column is not a number")),
    ("version-0", "PRAGMA user_version = 0", "CORRUPT", 60,
     "@ is damaged at byte 60: its format has no version"),
    ("other-program", "PRAGMA application_id = 7", "NOT_RECORDING", 68,
     "@ is not a recording: it is the SQLite database of another program"),
    ("no-table", "DROP TABLE value", "CORRUPT", -1,
     "@ is damaged: table value is missing or not as this version of the format has it"),
    ("view-for-table", "CREATE TABLE kept AS SELECT * FROM node; DROP TABLE node;"
     "CREATE VIEW node AS SELECT * FROM kept", "CORRUPT", -1,
     "@ is damaged: table node is missing or not as this version of the format has it"),
    ("other-columns", "ALTER TABLE node ADD COLUMN more", "CORRUPT", -1,
     "@ is damaged: table node is missing or not as this version of the format has it"),
    ("string-0", "UPDATE string SET text = 'x' WHERE id = 0", "CORRUPT", -1,
     ROW.format(0, "string", "string 0 is not empty")),
    ("string-missing", "DELETE FROM string WHERE id = 3", "CORRUPT", -1,
     ROW.format(3, "string", "its id is not the next")),
    ("string-blob", "UPDATE string SET text = x'00' WHERE id = 2", "CORRUPT", -1,
     ROW.format(2, "string", "a column is not text")),
    ("string-zero", "UPDATE string SET text = 'a' || char(0) || 'b' WHERE id = 2", "CORRUPT", -1,
     ROW.format(2, "string", "a string contains a zero byte")),
    ("process-label", "UPDATE process SET label = 1000", "CORRUPT", -1,
     ROW.format(0, "process", "a process refers to a string that is not there")),
    ("process-time", "UPDATE process SET end_ns = -1", "CORRUPT", -1,
     ROW.format(0, "process", "a number is out of range")),
    ("thread-process", "UPDATE thread SET process = 1 WHERE id = 1", "CORRUPT", -1,
     ROW.format(1, "thread", "a thread refers to a process that is not there")),
    ("code-text", "UPDATE code SET first_line = 'ten' WHERE id = 1", "CORRUPT", -1,
     ROW.format(1, "code", "a column is not a number")),
    ("node-parent", "UPDATE node SET parent = 3 WHERE id = 3", "CORRUPT", -1,
     ROW.format(2, "node", "a stack node refers to a parent that is not before it")),
    ("node-code", "UPDATE node SET code = 3 WHERE id = 2", "CORRUPT", -1,
     ROW.format(1, "node", "a stack node refers to a code object that is not there")),
    ("node-huge", "UPDATE node SET instruction = 4294967296 WHERE id = 1", "CORRUPT", -1,
     ROW.format(0, "node", "a number is out of range")),
    ("metric-twice", "UPDATE metric SET name = 'samples'", "CORRUPT", -1,
     ROW.format(1, "metric", "a metric is defined twice")),
    ("value-node", "DELETE FROM value; INSERT INTO value VALUES(6, 0, 0, 1)", "CORRUPT", -1,
     ROW.format(0, "value", "a value refers to a node, thread or metric that is not there")),
    ("value-text", "DELETE FROM value; INSERT INTO value VALUES(1, 0, 0, 'x')", "CORRUPT", -1,
     ROW.format(0, "value", "a column is not a number")),
    ("fact-blob", "DELETE FROM fact; INSERT INTO fact VALUES(x'00', 'x')", "CORRUPT", -1,
     ROW.format(0, "fact", "a column is not text")),
    ("chunk-blob", "UPDATE sample_chunk SET samples = x'28b52ffd'", "CORRUPT", -1,
     ROW.format(0, "sample_chunk", "the size of its samples is out of range")),
    ("chunk-count", "UPDATE sample_chunk SET count = 9", "CORRUPT", -1,
     ROW.format(0, "sample_chunk", "its samples are not those that the row tells of")),
    ("chunk-slot", "UPDATE sample_chunk SET last_slot = 12", "CORRUPT", -1,
     ROW.format(0, "sample_chunk", "its samples are not those that the row tells of")),
    ("chunk-id", "UPDATE sample_chunk SET id = 2", "CORRUPT", -1,
     ROW.format(0, "sample_chunk", "its id is not the next")),
    ("chunk-threads", "DELETE FROM thread; DELETE FROM value", "CORRUPT", -1,
     ROW.format(0, "sample_chunk", "a sample refers to a thread that is not there")),
]


def change_sqlite(path, sql):
    """Small pages keep the file small."""
    shutil.copy(HERE / "good-v2.sqlite", path)
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA page_size = 512")
    database.execute("VACUUM")
    database.executescript(sql)
    database.execute("VACUUM")
    database.close()


def main():
    tool = sys.argv[1]
    expected = [(name, "OK", 0, "") for name in KEPT]
    for end in (True, False):
        name = "good-v2.log" if end else "killed-v2.log"
        (HERE / name).write_bytes(good_log(end))
        expected.append((name, "OK", 0, ""))
    shutil.copy(HERE / "good-v2.log", HERE / "good-v2.sqlite")
    subprocess.run([tool, "finalize", HERE / "good-v2.sqlite"], check=True)
    expected.append(("good-v2.sqlite", "OK", 0, ""))
    text = subprocess.run([tool, "dump", HERE / "good-v2.log"], check=True, capture_output=True)
    (HERE / "good-v2.txt").write_bytes(text.stdout)
    for name, content, *answer in bad_logs():
        (HERE / f"{name}.bad").write_bytes(content)
        expected.append((f"{name}.bad", *answer))
    for name, sql, *answer in SQLITE_CASES:
        change_sqlite(HERE / f"sqlite-{name}.bad", sql)
        expected.append((f"sqlite-{name}.bad", *answer))
    # A trigger and a view of a hostile author are there, and never run.
    change_sqlite(HERE / "harmless-v2.sqlite",
                  "CREATE TRIGGER t AFTER INSERT ON node BEGIN DELETE FROM node; END;"
                  "CREATE VIEW more AS SELECT load_extension('/tmp/none')")
    expected.append(("harmless-v2.sqlite", "OK", 0, ""))
    cut = (HERE / "harmless-v2.sqlite").read_bytes()
    (HERE / "sqlite-cut.bad").write_bytes(cut[:5000])
    expected.append(("sqlite-cut.bad", "TRUNCATED", 5000,
                     f"@ is truncated: it ends at byte 5000 of {len(cut)}"))
    lines = [" ".join(str(word) for word in line).rstrip() for line in expected]
    (HERE / "expected.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
