# SPDX-License-Identifier: MIT
"""Traces what eight native threads and three of Python's allocate at once, while snapshots
are taken, and compares with their own counts: no block is lost, and none is there that
nobody has.

Usage: traced_blocks.py LIBRARY OPERATIONS
Prints how many operations that were, of the native threads and of Python's, and how many
blocks were alive in the end.
"""

import ctypes
import json
import random
import sys
import threading
import time
from collections import Counter

from hasten import tracemalloc

SIZES = 4096
# What native threads do between two looks at the counts.
TURN = 2_000_000
# No block of the interpreter's own is as large.
OWN_SIZES = range(900_001, 900_200)


class Functions(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_void_p) for name in ("malloc", "calloc", "realloc", "free"))


def raw_functions():
    python = ctypes.CDLL(None)
    names = ("PyMem_RawMalloc", "PyMem_RawCalloc", "PyMem_RawRealloc", "PyMem_RawFree")
    return Functions(*(ctypes.cast(getattr(python, name), ctypes.c_void_p) for name in names))


class Native:
    """Threads that have no GIL, and what they have alive."""

    def __init__(self, library):
        self.library = ctypes.CDLL(library)
        self.functions = raw_functions()
        self.sizes = (ctypes.c_uint64 * SIZES)()
        self.counts = (ctypes.c_uint64 * SIZES)()

    def run(self, operations, seed):
        self.library.stress(
            ctypes.byref(self.functions),
            ctypes.c_uint64(operations // 8),
            ctypes.c_uint64(seed),
            self.sizes,
            self.counts,
        )

    def alive(self):
        return Counter({size: count for size, count in zip(self.sizes, self.counts) if count})


class Own:
    """A thread of Python's, which has the GIL when it allocates."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.kept = []
        self.operations = 0
        self.is_going = True
        self.thread = threading.Thread(target=self.work)

    def work(self):
        while self.is_going:
            for _ in range(1000):
                dice = self.random.random()
                if dice < 0.5 or not self.kept:
                    self.kept.append(bytes(self.random.choice(OWN_SIZES)))
                else:
                    self.kept.pop(self.random.randrange(len(self.kept)))
                if len(self.kept) > 100:
                    self.kept.clear()
                self.operations += 1
            time.sleep(0.02)

    def alive(self):
        return Counter(map(sys.getsizeof, self.kept))


def sizes_of(snapshot, wanted):
    """Blocks by size, those that no frame allocated or those that one did."""
    found = Counter()
    for trace in snapshot.traces:
        if wanted(trace.size, trace.traceback[0].filename == "<unknown>"):
            found[trace.size] += 1
    return found


def native_blocks():
    return sizes_of(tracemalloc.take_snapshot(), lambda size, is_unknown: is_unknown)


def own_blocks():
    least, most = sys.getsizeof(bytes(OWN_SIZES[0])), sys.getsizeof(bytes(OWN_SIZES[-1]))
    return sizes_of(
        tracemalloc.take_snapshot(),
        lambda size, is_unknown: least <= size <= most and not is_unknown,
    )


def compare(native, before):
    found = native_blocks()
    found.subtract(before)
    found = Counter({size: count for size, count in found.items() if count})
    assert found == native.alive(), (found - native.alive(), native.alive() - found)


def main():
    library, operations = sys.argv[1], int(sys.argv[2])
    tracemalloc.start(3)
    native = Native(library)
    native.run(8, 0)
    native.library.free_all()
    before = native_blocks()
    own = [Own(seed) for seed in range(3)]
    for one in own:
        one.thread.start()
    done = 0
    snapshots = 0
    while done < operations:
        turn = min(TURN, operations - done)
        worker = threading.Thread(target=native.run, args=(turn, done + 1))
        worker.start()
        while worker.is_alive():
            tracemalloc.take_snapshot()
            snapshots += 1
            worker.join(0.2)
        done += turn
        compare(native, before)
    for one in own:
        one.is_going = False
    for one in own:
        one.thread.join()
    compare(native, before)
    expected = sum((one.alive() for one in own), Counter())
    assert own_blocks() == expected, (own_blocks(), expected)
    alive = sum(native.alive().values()) + sum(expected.values())
    native.library.free_all()
    for one in own:
        one.kept.clear()
    left = native_blocks()
    left.subtract(before)
    assert not any(left.values()), left
    assert own_blocks() == Counter()
    own_operations = sum(one.operations for one in own)
    told = {"native": done, "own": own_operations, "alive": alive, "snapshots": snapshots}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
