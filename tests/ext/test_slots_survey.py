# SPDX-License-Identifier: MIT
"""hasten.slots.survey: counts, bytes against the allocator's own numbers, names, obstacles."""

import dataclasses
import functools
import gc
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import weakref

import pytest
from hasten.slots import slotted, survey

COUNT = 4000


def row_of(cls):
    return survey()[f"{cls.__module__}.{cls.__qualname__}"]


def allocated():
    """Bytes of pymalloc's blocks that are in use, by their size class."""
    with tempfile.TemporaryFile() as file:
        saved = os.dup(2)
        os.dup2(file.fileno(), 2)
        sys._debugmallocstats()
        os.dup2(saved, 2)
        os.close(saved)
        file.seek(0)
        text = file.read().decode()
    rows = re.findall(r"^ +\d+ +(\d+) +\d+ +(\d+) +\d+ *$", text, re.MULTILINE)
    assert len(rows) > 10
    return {int(size): int(size) * int(count) for size, count in rows}


def class_with(count, base=object, slots=None):
    names = [f"n{i}" for i in range(count)]
    body = "".join(f"  self.{name} = value\n" for name in names) or "  pass\n"
    namespace = {"__name__": __name__, "base": base}
    head = f" __slots__ = {slots!r}\n" if slots is not None else ""
    exec(f"class C(base):\n{head} def __init__(self, value):\n{body}", namespace)
    return namespace["C"]


def nothing(one):
    pass


def touched(one):
    return one.__dict__


def more(one):
    one.__dict__["more"] = None


def fewer(one):
    del one.n0


def weak(one):
    one.n0 = weakref.ref(one)


@pytest.mark.parametrize("change", [nothing, touched, more, fewer])
def test_bytes_are_the_allocators(change):
    """In a process of its own: where hasten.tracemalloc has been, the allocator does not say."""
    code = (
        f"import sys; sys.path.insert(0, {os.path.dirname(__file__)!r})\n"
        "import test_slots_survey as this\n"
        f"for attributes in (1, 3, 8, 20): this.compare(attributes, this.{change.__name__})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def compare(attributes, change):
    cls = class_with(attributes)
    kept = [None] * COUNT
    # Shared keys give the first instances more room.
    warm = [cls(None) for _ in range(40)]
    for one in warm:
        change(one)
    gc.collect()
    gc.disable()
    try:
        before = row_of(cls).bytes
        allocated()
        start = allocated()
        for i in range(COUNT):
            kept[i] = cls(None)
            change(kept[i])
        end = allocated()
        after = row_of(cls)
    finally:
        gc.enable()
    truth = sum(end.values()) - sum(start.values())
    assert after.count == COUNT + len(warm)
    assert after.bytes - before == pytest.approx(truth, rel=0.02)
    assert len(after.names) == attributes + (change is more) - (change is fewer)


@pytest.mark.parametrize("weakly", [False, True])
@pytest.mark.parametrize("attributes", [1, 8, 31])
def test_bytes_with_slots_are_those_of_the_slotted_class(attributes, weakly):
    plain = class_with(attributes)
    one = plain(None)
    held = weakref.ref(one) if weakly else None
    made = slotted(class_with(attributes), weakref=weakly)
    two = made(None)
    rows = [row for row in survey() if row.name == f"{__name__}.C"]
    assert len(rows) == 2
    slots = next(row for row in rows if not row.names)
    without = next(row for row in rows if row.names)
    assert without.slotted_bytes == slots.bytes
    assert slots.saved == 0
    assert without.saved == without.bytes - slots.bytes
    del one, two, held


def test_names_and_counts():
    cls = class_with(2)
    kept = [cls(1) for _ in range(10)]
    kept[0].extra = 1
    kept[1].__dict__["also"] = 1
    del kept[2].n1
    vars(kept[3])[4] = 5
    row = row_of(cls)
    assert row.names == {"n0": 10, "n1": 9, "extra": 1, "also": 1, "4": 1}
    assert row.count == 10
    assert row.with_dict >= 2
    assert row.bytes_each == row.bytes / 10


def test_many_attributes():
    cls = class_with(31)
    kept = [cls(1) for _ in range(100)]
    row = row_of(cls)
    assert row.names == {f"n{i}": 100 for i in range(31)}
    assert row.unshared > 0
    assert row.saved > row.bytes / 2
    del kept


def test_it_makes_no_dict():
    cls = class_with(3)
    kept = [cls(1) for _ in range(10)]
    assert survey()[f"{__name__}.C"].with_dict == row_of(cls).with_dict == 0
    del kept


class Base:
    pass


class Derived(Base):
    limit = 3

    def __init__(self):
        self.a = 1


class Described:
    def __init__(self):
        self.a = 1
        self.limit = 2

    limit = 3

    @functools.cached_property
    def value(self):
        return 1

    def state(self):
        return self.__dict__


class Half:
    def __init__(self):
        self.a = 1


class Other:
    __slots__ = ("b",)


class Both(Half, Other):
    pass


@dataclasses.dataclass
class Data:
    a: int


def test_what_stands_in_the_way():
    derived, described, half, data = Derived(), Described(), Half(), Data(1)
    described.unknown = described.value
    held = weakref.ref(half)
    found = survey()
    text = {name: " | ".join(found[f"{__name__}.{name}"].obstacles) for name in ("Derived", "Data")}
    assert f"inherits a __dict__ from {__name__}.Base" in text["Derived"]
    assert "few instances" in text["Derived"]
    assert "use @dataclass(slots=True)" in text["Data"]
    text = " | ".join(found[f"{__name__}.Described"].obstacles)
    assert "no method assigns unknown" in text
    assert "the class has values for limit" in text
    assert "functools.cached_property needs a __dict__ (value)" in text
    assert "Described.state(), line " in text
    text = " | ".join(found[f"{__name__}.Half"].obstacles)
    assert "Both has it and Other as bases" in text
    assert "1 have weak references" in text
    del derived, described, half, data, held


def test_text_and_json(tmp_path):
    cls = class_with(31)
    kept = [cls(1) for _ in range(5000)]
    found = survey(limit=1)
    lines = str(found).splitlines()
    assert re.fullmatch(r"[\d,]+ objects; slots would save [\d.]+ MiB", lines[0])
    assert lines[2].split() == ["instances", "bytes", "each", "slots", "saves", "class"]
    assert re.fullmatch(rf" +5,000 +.* MiB +\d+ +288 +.* MiB  {__name__}\.C", lines[3])
    assert lines[4].strip() == "n0, n1, n2, n3, n4 and 26 more"
    path = tmp_path / "survey.json"
    assert json.loads(found.to_json(path)) == json.loads(path.read_text()) == found.as_dict()
    content = found.as_dict()
    assert content["classes"][0]["name"] == f"{__name__}.C"
    assert content["saved"] == found.saved > 0
    assert found[0] is found[f"{__name__}.C"]
    assert len(found) == len(list(found))
    assert slotted(class_with(1), seen=path).__slots__ == tuple(f"n{i}" for i in range(31))
    assert len(slotted(class_with(1), seen=found).__slots__) == 31
    with pytest.raises(KeyError):
        found["no.Such"]
    assert repr(found[0]).startswith(f"<Row {__name__}.C: 5000 instances")
    del kept


# -- python -m hasten.slots

PROGRAM = """
import os, sys
class Point:
    def __init__(self, x):
        self.x = x
points = [Point(i) for i in range(5000)]
print(sys.argv[1:], __name__, "HASTEN_SLOTS" in os.environ)
"""


def start(*arguments, **options):
    command = [sys.executable, "-m", "hasten.slots", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, **options)


def test_a_program_without_a_change(tmp_path):
    script = tmp_path / "app.py"
    script.write_text(PROGRAM + "sys.exit(3)\n")
    done = start(script, "--json", "7")
    assert done.returncode == 3
    assert done.stdout == "['--json', '7'] __main__ False\n"
    assert re.search(r"^ +5,000 .* __main__\.Point$", done.stderr, re.MULTILINE)
    done = start("--json", tmp_path / "out.json", script)
    assert (done.returncode, done.stderr) == (3, "")
    classes = json.loads((tmp_path / "out.json").read_text())["classes"]
    assert classes[0]["name"] == "__main__.Point"
    assert classes[0]["names"] == {"x": 5000}


def test_a_program_that_is_asked_by_a_signal(tmp_path):
    script = tmp_path / "app.py"
    script.write_text(
        PROGRAM + "import signal\n"
        "os.kill(os.getpid(), signal.SIGUSR1)\n"
        "print('after', file=sys.stderr)\n"
        "if os.fork() == 0: sys.exit()\n"
        "os.wait()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = start("--signal", script)
    assert done.returncode == -signal.SIGKILL
    before, _, after = done.stderr.partition("after\n")
    assert "__main__.Point" in before
    assert after == ""


def test_wrong_usage():
    for arguments, message in (
        ([], "nothing to run"),
        (["-m"], "nothing to run"),
        (["--what"], "there is no option --what"),
        (["-x", "app.py"], "there is no option -x"),
        (["--json"], "--json wants a file"),
    ):
        done = start(*arguments)
        assert done.returncode == 2
        assert message in done.stderr
    assert start("--help").stdout.startswith("Usage: python -m hasten.slots ")


def test_a_file_that_cannot_be_written(tmp_path):
    done = start("--json", tmp_path / "none" / "out.json", "-c", "pass")
    assert done.returncode == 0
    assert "hasten: the survey failed: FileNotFoundError" in done.stderr


class Number(int):
    pass


class Failure(Exception):
    pass


def test_classes_that_cannot_have_slots():
    number, failure = Number(3), Failure("no")
    number.a = failure.a = 1
    found = survey()
    for name in ("Number", "Failure"):
        row = found[f"{__name__}.{name}"]
        assert (row.count, row.saved, row.names) == (1, 0, {"a": 1})
    assert "derives from int" in found[f"{__name__}.Number"].obstacles[0]
    assert (
        "inherits a __dict__ from builtins.BaseException" in found[f"{__name__}.Failure"].obstacles
    )
