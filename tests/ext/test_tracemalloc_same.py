# SPDX-License-Identifier: MIT
"""hasten.tracemalloc says of a program what the standard module says of it."""

import json
import os
import subprocess
import sys
import tracemalloc as standard
from pathlib import Path

import pytest
from hasten import tracemalloc

PROGRAM = Path(__file__).resolve().parents[1] / "targets" / "allocating.py"
# Objects of reused memory are told of from 3.13 on; those of small blocks may be such.
TELLS_ALL = sys.version_info >= (3, 13)
LARGEST_REUSED = 512
# Modules other than the program's own leave their own objects to be used again, and what
# the compiler needs depends on addresses.
NOT_COMPARED = ("kept = []", "json.loads", "compile(", "module.", "runner")


def traces_of(module, frames):
    answer = subprocess.run(
        [sys.executable, PROGRAM, module, str(frames)],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"PYTHONHASHSEED": "0"},
    )
    return json.loads(answer.stdout)


def compared(traces):
    lines = PROGRAM.read_text().splitlines()
    left = {}
    for key, count in traces.items():
        frames, _, _, size = json.loads(key)
        file, line = frames[-1]
        text = lines[line - 1] if file != "<made>" else ""
        if any(word in text for word in NOT_COMPARED):
            continue
        if TELLS_ALL or size > LARGEST_REUSED:
            left[key] = count
    return left


@pytest.mark.parametrize("frames", [1, 3, 25, 1000])
def test_program_is_told_of_alike(frames):
    expected = traces_of("tracemalloc", frames)
    answer = traces_of("hasten.tracemalloc", frames)
    assert compared(answer["traces"]) == compared(expected["traces"])
    assert len(compared(expected["traces"])) > 50
    assert answer["current"] == pytest.approx(expected["current"], rel=0.01)
    assert answer["peak"] == pytest.approx(expected["peak"], rel=0.01)
    assert sum(count for _, _, count in answer["lines"]) == sum(answer["traces"].values())


def leaf(size):
    return bytes(size)


@pytest.fixture(scope="module")
def tables():
    tracemalloc.start(5)
    try:
        first = [leaf(i) for i in range(3000)]
        older = tracemalloc.take_snapshot()
        del first[::2]
        second = [leaf(900 + i) for i in range(100)] + [{"a": str(i)} for i in range(300)]
        newer = tracemalloc.take_snapshot()
        assert first
        assert second
    finally:
        tracemalloc.stop()
    return older.traces._table, newer.traces._table


@pytest.fixture
def snapshots(tables):
    return [tracemalloc.Snapshot(table, 5) for table in tables]


def plain(snapshot):
    """The same snapshot in the standard module's own class."""
    traces = snapshot.traces._table.traces(0, len(snapshot.traces))
    return standard.Snapshot(traces, snapshot.traceback_limit)


@pytest.mark.parametrize(
    ("key", "cumulative"),
    [
        ("lineno", False),
        ("filename", False),
        ("traceback", False),
        ("lineno", True),
        ("filename", True),
    ],
)
def test_statistics_are_those_of_python(snapshots, key, cumulative):
    older, newer = snapshots
    assert newer.statistics(key, cumulative) == plain(newer).statistics(key, cumulative)
    assert newer.compare_to(older, key, cumulative) == plain(newer).compare_to(
        plain(older), key, cumulative
    )
    # One of each kind.
    assert newer.compare_to(plain(older), key, cumulative) == plain(newer).compare_to(
        plain(older), key, cumulative
    )
    assert newer.traces._table is not None


@pytest.mark.parametrize("key", ["nothing", 7, None])
def test_wrong_keys_are_refused_alike(snapshots, key):
    newer = snapshots[1]
    with pytest.raises(ValueError) as ours:
        newer.statistics(key)
    with pytest.raises(ValueError) as theirs:
        plain(newer).statistics(key)
    assert str(ours.value) == str(theirs.value)
    with pytest.raises(ValueError, match="cumulative mode cannot by used"):
        newer.statistics("traceback", True)


FILTERS = [
    [],
    [standard.Filter(True, __file__)],
    [standard.Filter(False, __file__)],
    [standard.Filter(True, "*/test_*.py"), standard.Filter(True, "<frozen*", 5)],
    [standard.Filter(True, __file__, leaf.__code__.co_firstlineno + 1)],
    [standard.Filter(False, __file__, leaf.__code__.co_firstlineno + 1, all_frames=True)],
    [standard.Filter(True, "*", domain=0), standard.DomainFilter(False, 1)],
    [standard.DomainFilter(True, 0), standard.Filter(False, "*tracemalloc*", domain=0)],
    [standard.DomainFilter(True, 17)],
    # A number that no line has, and what a table does not know.
    [standard.Filter(True, __file__, -1)],
    [standard.Filter(True, __file__, 10**30)],
]


class OnlyLarge(standard.BaseFilter):
    def _match(self, trace):
        return trace[1] > 900


@pytest.mark.parametrize("filters", [*FILTERS, [OnlyLarge(True)]])
def test_filters_let_the_same_pass(snapshots, filters):
    newer = snapshots[1]
    theirs = plain(newer).filter_traces(filters)
    ours = newer.filter_traces(filters)
    assert sorted(ours.traces._traces) == sorted(theirs.traces._traces)


def test_filters_must_be_a_list(snapshots):
    with pytest.raises(TypeError, match="filters must be a list of filters, not Filter"):
        snapshots[1].filter_traces(standard.Filter(True, "*"))


def test_traces_are_a_sequence(snapshots):
    newer = snapshots[1]
    traces, expected = newer.traces, plain(newer).traces
    assert len(traces) == len(expected)
    assert traces[0] == expected[0]
    assert traces[-1] == expected[-1]
    with pytest.raises(IndexError):
        traces[len(traces)]
    with pytest.raises(IndexError):
        traces[-len(traces) - 1]
    assert sum(trace.size for trace in traces) == sum(trace.size for trace in expected)
    assert traces._table is not None
    copy = tracemalloc.Snapshot(traces._table, 5)
    assert copy.traces[3:7] == expected[3:7]
    assert copy.traces == expected
    assert expected[5] in copy.traces
    assert repr(copy.traces) == repr(expected)


def test_changed_traces_count(snapshots):
    newer = snapshots[1]
    del newer.traces._traces[10:]
    assert len(newer.traces) == 10
    assert sum(stat.count for stat in newer.statistics("lineno")) == 10


LOAD_PLAINLY = """
import sys
assert not any(name.startswith("hasten") for name in sys.modules)
import tracemalloc
snapshot = tracemalloc.Snapshot.load(sys.argv[1])
assert type(snapshot) is tracemalloc.Snapshot, type(snapshot)
assert type(snapshot.traces) is tracemalloc._Traces
print(len(snapshot.traces), snapshot.traceback_limit, snapshot.note)
print(snapshot.statistics("lineno")[0])
assert not any(name.startswith("hasten") for name in sys.modules)
"""


def test_files_are_read_without_hasten(snapshots, tmp_path):
    newer = snapshots[1]
    newer.note = "kept"
    path = tmp_path / "snapshot"
    newer.dump(path)
    answer = subprocess.run(
        [sys.executable, "-c", LOAD_PLAINLY, path],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.stderr == ""
    assert answer.stdout.splitlines() == [
        f"{len(newer.traces)} 5 kept",
        str(newer.statistics("lineno")[0]),
    ]
    again = tracemalloc.Snapshot.load(path)
    assert type(again) is tracemalloc.Snapshot
    assert again.note == "kept"
    assert again.traces == newer.traces


def test_files_of_the_standard_module_are_read(snapshots, tmp_path):
    path = tmp_path / "snapshot"
    expected = plain(snapshots[1])
    expected.dump(path)
    loaded = tracemalloc.Snapshot.load(path)
    assert type(loaded) is tracemalloc.Snapshot
    assert loaded.statistics("lineno") == expected.statistics("lineno")


GROWING = """
import tracemalloc

def report_lines(count):
    lines = []
    for number in range(count):
        lines.append(f"line {number} of a report that nobody reads")
    return lines

tracemalloc.start()
kept = report_lines(10_000)
for statistic in tracemalloc.take_snapshot().statistics("lineno")[:1]:
    print(statistic)
"""


@pytest.mark.parametrize("way", ["import", "dropin"])
def test_the_line_that_keeps_most_is_the_first(way, tmp_path):
    """What a program prints to look for a leak is the same to the letter, whether it imports
    the module or is run on it."""
    program = tmp_path / "app.py"

    def printed(text, *options):
        program.write_text(text)
        command = [sys.executable, *options, program]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    expected = printed(GROWING)
    if way == "import":
        answer = printed(GROWING.replace("import tracemalloc", "from hasten import tracemalloc"))
    else:
        answer = printed(GROWING, "-m", "hasten.dropin")
    assert answer == expected
    line = GROWING.splitlines().index(
        '        lines.append(f"line {number} of a report that nobody reads")'
    )
    assert answer.startswith(f"{program}:{line + 1}: size=")
