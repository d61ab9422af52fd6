"""hasten.open(): what Python sees of a recording, and how a bad file is refused."""

import gc
import json
import os
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path

import hasten
import pytest
from isolated import run_isolated

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "recordings"
COMMAND = Path(sysconfig.get_path("scripts")) / "hasten"

PROGRAM = """\
import threading, time

def inner(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass

def outer():
    inner(0.4)

worker = threading.Thread(target=time.sleep, args=(0.2,), name="worker \\u00e9")
worker.start()
outer()
worker.join()
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    path = tmp_path_factory.mktemp("ext") / "program.py"
    path.write_text(PROGRAM, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def path(program):
    path = program.with_name("program.hasten")
    command = [COMMAND, "run", "--no-report", "-o", path, "--python", sys.executable, program]
    subprocess.run(command, check=True)
    return path


@pytest.fixture(scope="module")
def recording(path):
    return hasten.open(path)


def test_accepts_every_kind_of_path(path):
    for form in (path, str(path), os.fsencode(path)):
        assert hasten.open(form).facts


def test_rejects_other_arguments():
    with pytest.raises(TypeError):
        hasten.open(3.5)
    with pytest.raises(ValueError, match="null"):
        hasten.open("a\0b")


def test_facts_are_text(recording):
    assert recording.facts
    assert all(isinstance(k, str) and isinstance(v, str) for k, v in recording.facts.items())


def test_process(recording, program):
    (process,) = recording.processes
    assert process.python_version == sys.version.split()[0].rstrip("+")
    assert str(program) in process.command
    assert process.pid > 0
    assert 0 <= process.start_s <= process.end_s


def test_threads(recording):
    main = [thread for thread in recording.threads if thread.is_main]
    assert len(main) == 1
    assert main[0].samples > 0
    assert len({thread.tid for thread in recording.threads}) == len(recording.threads) == 2
    assert all(thread.name for thread in recording.threads)
    assert all(thread.process == 0 for thread in recording.threads)


def test_functions(recording, program):
    by_name = {function.name: function for function in recording.functions}
    inner = by_name["inner"]
    assert (inner.file, inner.line) == (str(program), 3)
    assert inner.self_share > 0.5
    outer = by_name["outer"]
    assert outer.total_s >= inner.self_s
    assert outer.self_s <= inner.self_s
    shares = [function.self_share for function in recording.functions]
    assert shares == sorted(shares, reverse=True)
    # What is missing to 1 ran before the first Python frame and after the last.
    assert 0.9 < sum(shares) < 1 + 1e-9


def test_lines(recording, program):
    hottest = recording.lines[0]
    assert hottest.file == str(program)
    assert hottest.line in (5, 6)
    assert hottest.name == "inner"
    functions = sum(function.self_share for function in recording.functions)
    assert sum(line.self_share for line in recording.lines) == pytest.approx(functions)


def test_agrees_with_the_report(recording, path):
    command = [COMMAND, "report", path, "--json", "--limit", "0"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    for table in ("functions", "lines"):
        rows = {(row["file"], row["line"], row["name"]): row["self_share"] for row in report[table]}
        mine = {(r.file, r.line, r.name): r.self_share for r in getattr(recording, table)}
        assert mine == pytest.approx(rows, abs=1e-4)


def test_samples(recording, program):
    samples = list(recording.samples())
    assert len(samples) == sum(thread.samples for thread in recording.threads)
    slots = [sample.slot for sample in samples]
    assert slots == sorted(slots)
    assert {type(sample) for sample in samples} == {hasten.Sample}
    assert all(sample.weight >= 1 for sample in samples)
    running = [
        sample
        for sample in samples
        if sample.state == "running_gil" and recording.threads[sample.thread].is_main
    ]
    assert running
    stack = recording.stack(running[len(running) // 2].stack)
    assert [frame.name for frame in stack][-2:] == ["outer", "inner"]
    assert all(frame.file == str(program) for frame in stack[-2:])


def test_samples_iterator(recording):
    samples = recording.samples()
    assert iter(samples) is samples
    left = samples.__length_hint__()
    next(samples)
    assert samples.__length_hint__() == left - 1
    assert len(list(samples)) == left - 1
    with pytest.raises(StopIteration):
        next(samples)


def test_samples_shared_by_threads(recording):
    samples = recording.samples()
    expected = samples.__length_hint__()
    got = [[] for _ in range(4)]
    threads = [threading.Thread(target=part.extend, args=(samples,)) for part in got]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(map(len, got)) == expected


def test_stack_bounds(recording):
    assert recording.stack(0) == ()
    for bad in (2**31, 2**40):
        with pytest.raises(IndexError):
            recording.stack(bad)
    for bad in (-1, 2**70):
        with pytest.raises(OverflowError):
            recording.stack(bad)


@pytest.mark.parametrize("name", ["good-v2.log", "good-v2.sqlite"])
def test_series(name):
    recording = hasten.open(GOLDEN / name)
    rss, heap = recording.series
    assert rss == (0, "rss.bytes", "bytes", "resident memory", 4)
    assert (rss.process, rss.name, rss.point_count) == (0, "rss.bytes", 4)
    assert heap.name == "heap.live.bytes"
    points = recording.points(0)
    assert {type(point) for point in points} == {hasten.Point}
    assert [point.value for point in points] == [8 << 20, 9 << 20] * 2
    assert [point.time_s for point in points] == pytest.approx([0.001, 0.0013, 0.012, 0.0123])
    assert recording.points(1)[0] == (pytest.approx(0.0014), 5 << 20)
    for bad in (2, 2**40):
        with pytest.raises(IndexError):
            recording.points(bad)
    for bad in (-1, 2**70):
        with pytest.raises(OverflowError):
            recording.points(bad)


def test_recordings_of_older_versions_have_no_series():
    assert hasten.open(GOLDEN / "good-v1.log").series == ()
    assert hasten.open(GOLDEN / "good-v1.sqlite").series == ()


def test_is_read_only(recording):
    with pytest.raises(AttributeError):
        recording.functions = ()
    with pytest.raises(TypeError):
        hasten.Recording()
    with pytest.raises(TypeError):
        hasten.Recording.lines = None


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        hasten.open(tmp_path / "none.hasten")
    assert caught.value.filename == str(tmp_path / "none.hasten")


def test_not_a_recording(program):
    with pytest.raises(hasten.RecordingError) as caught:
        hasten.open(program)
    assert caught.value.code == "NOT_RECORDING"
    assert isinstance(caught.value, ValueError)


def test_damaged_recording(path, tmp_path):
    """Whatever is cut or changed: a RecordingError or a recording, never anything else."""
    whole = path.read_bytes()
    damaged = tmp_path / "damaged.hasten"
    outcomes = set()
    for step in range(1, 40):
        cut = len(whole) * step // 40
        flipped = bytearray(whole)
        flipped[cut] ^= 0xFF
        for content in (whole[:cut], bytes(flipped)):
            damaged.write_bytes(content)
            try:
                hasten.open(damaged)
                outcomes.add("read")
            except hasten.RecordingError as error:
                outcomes.add(error.code)
                assert error.position is None or error.position >= 0
    assert outcomes & {"CORRUPT", "TRUNCATED", "NOT_RECORDING"}


def test_no_reference_leaks(path):
    def work():
        recording = hasten.open(path)
        samples = list(recording.samples())
        recording.stack(samples[0].stack)
        repr(recording)

    work()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(20):
        work()
    gc.collect()
    assert len(gc.get_objects()) - before < 20


def test_imports_into_an_isolated_interpreter():
    run_isolated("import hasten; assert hasten.__version__")
