# SPDX-License-Identifier: MIT
"""Which lines allocated what grows, where allocations are traced."""

import json
import subprocess
import sys

import hasten.leaks
import pytest

PROGRAM = """
import importlib, json, sys
import hasten.leaks
sessions = {}
cache = {}

def session(number):
    sessions[number] = bytes(3000)

def fill(number):
    cache.setdefault(0, bytes(50_000))

if len(sys.argv) > 1:
    tracer = importlib.import_module(sys.argv[1])
    tracer.start(3)
with hasten.leaks.watch() as found:
    for number in range(12):
        session(number)
        fill(number)
        found.mark()
lines = {name: globals()[name].__code__.co_firstlineno + 1 for name in ("session", "fill")}
told = {"text": str(found), "lines": lines, "file": __file__, "sites": found.as_dict()["sites"]}
print(json.dumps(told))
"""


def told(folder, *arguments):
    path = folder / "app.py"
    path.write_text(PROGRAM)
    command = [sys.executable, path, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return json.loads(done.stdout)


@pytest.mark.parametrize("tracer", ["hasten.tracemalloc", "tracemalloc"])
def test_lines_and_types_that_grow(tracer, tmp_path):
    found = told(tmp_path, tracer)
    amounts = {
        site["line"]: (site["bytes"] - site["bytes_before"], site["count"] - site["count_before"])
        for site in found["sites"]
        if site["file"] == found["file"]
    }
    size = sys.getsizeof(bytes(3000))
    more, count = amounts[found["lines"]["session"]]
    assert 12 * size <= more < 13 * size
    assert 12 <= count <= 14
    assert amounts[found["lines"]["fill"]][0] == pytest.approx(50_000, rel=0.02)
    first, by_line, by_type = found["text"].split("more than at the first mark, by ")
    assert "1 leak after 12 iterations" in first
    assert f"allocated at {found['file']}:{found['lines']['session']}" in first
    title, *rows = by_line.strip().splitlines()
    assert title == "line"
    assert rows[0].endswith(f"  {found['file']}:{found['lines']['fill']}")
    assert rows[1].endswith(f"  {found['file']}:{found['lines']['session']}")
    assert len(rows) <= 5
    title, *rows = by_type.strip().splitlines()
    assert title == "type"
    count, name = rows[0].split()[-2:]
    assert (name, 12 <= int(count) <= 14) == ("bytes", True)
    # What looking itself allocates is nobody's leak.
    assert "tracemalloc" not in found["text"]
    assert "leaks.py" not in by_line


def test_no_tables_where_nothing_is_traced(tmp_path):
    found = told(tmp_path)
    assert found["sites"] == []
    assert "more than at the first mark" not in found["text"]
    assert "1 leak after 12 iterations" in found["text"]


def test_no_table_of_types_where_only_lines_grow():
    """What is no object has a line, but no type."""
    watch = hasten.leaks.Watch()
    watch._sites = (hasten.leaks.Site("app.py", 3, 900, 2, 400, 1),)
    lines = list(watch._grown())
    assert lines[1] == "more than at the first mark, by line"
    assert lines[2].split() == ["500", "B", "+1", "app.py:3"]
    assert len(lines) == 3
