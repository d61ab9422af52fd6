# SPDX-License-Identifier: MIT
"""What hasten.slots.survey says of bytes, against the allocator's own numbers.

Not collected by itself: test_slots_survey.py runs it in a process of its own, for where another
test has put hooks before the allocators, pymalloc does not tell its numbers."""

import gc
import os
import re
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
@pytest.mark.parametrize("attributes", [1, 3, 8, 20])
def test_bytes_are_the_allocators(attributes, change):
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
