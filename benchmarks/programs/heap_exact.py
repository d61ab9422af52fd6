"""What heap_exact.py runs in a process of its own: work, traced by one module or none.

Usage: heap_exact.py none|standard|hasten time FRAMES DEPTH WORK ROUNDS PYPERFORMANCE_FOLDER
       heap_exact.py none|standard|hasten live small|large
       heap_exact.py standard|hasten snapshots
Prints JSON: seconds of each round; bytes of memory; seconds of three steps.
"""

import gc
import importlib
import json
import os
import sys
import time

MODULES = {"standard": "tracemalloc", "hasten": "hasten.tracemalloc"}
LINES = 100
# Blocks, the least of their sizes, and how much larger they are from line to line: those up
# to 512 bytes are CPython's own allocator's, larger ones the C library's.
SIZES = {"small": (1_000_000, 20, 4), "large": (200_000, 600, 8)}


def json_loads(text=json.dumps([{"id": i, "name": f"n{i}", "v": [i, i * 1.5, None, str(i)]}
                                for i in range(200)])):
    for _ in range(20):
        json.loads(text)


class Node:
    def __init__(self, left, right):
        self.left = left
        self.right = right


def tree(depth):
    return None if depth == 0 else Node(tree(depth - 1), tree(depth - 1))


def object_graphs():
    for _ in range(5):
        tree(10)


def tuples_and_strings():
    kept = []
    for i in range(15000):
        kept.append((i, str(i), f"a{i}"))
        if len(kept) > 1000:
            kept.clear()


def short_lived():
    for i in range(25000):
        numbers = [i, i + 1, i + 2]
        names = {"a": numbers}
    return names


WORK = {
    "json.loads": json_loads,
    "object graphs": object_graphs,
    "tuples and strings": tuples_and_strings,
    "short-lived lists and dicts": short_lived,
}


def work_of(name, folder):
    if name in WORK:
        return WORK[name]
    from pyperformance_program import load

    return load(folder, name)


def deep(depth, work):
    return work() if depth == 0 else deep(depth - 1, work)


def times(work, depth, rounds):
    deep(depth, work)
    found = []
    for _ in range(rounds):
        gc.collect()
        start = time.perf_counter()
        deep(depth, work)
        found.append(time.perf_counter() - start)
    return found


def start(mode, frames):
    if mode == "none":
        return None
    module = importlib.import_module(MODULES[mode])
    module.start(frames)
    return module


def makers(least, step):
    """Functions that allocate one block for each number, on lines of their own."""
    names = {}
    for i in range(LINES):
        exec(f"def make(count):\n    return [bytes({least + i * step}) for _ in range(count)]", names)
        yield names.pop("make")


def blocks(sizes="small"):
    count, least, step = SIZES[sizes]
    return [make(count // LINES) for make in makers(least, step)]


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def live(mode, sizes):
    """Resident bytes a block."""
    start(mode, 1)
    before = resident()
    kept = blocks(sizes)
    return (resident() - before) / SIZES[sizes][0] if kept else 0


def snapshots(mode):
    module = start(mode, 1)
    kept = blocks()
    older = module.take_snapshot()
    kept.append([str(i) for i in range(1000)])
    clock = time.perf_counter
    moments = [clock()]
    newer = module.take_snapshot()
    moments.append(clock())
    newer.statistics("lineno")
    moments.append(clock())
    newer.compare_to(older, "lineno")
    moments.append(clock())
    return [after - before for before, after in zip(moments, moments[1:])]


def main():
    mode, what, *more = sys.argv[1:]
    if what == "live":
        answer = live(mode, *more)
    elif what == "snapshots":
        answer = snapshots(mode)
    else:
        frames, depth, name, rounds, folder = more
        work = work_of(name, folder)
        start(mode, int(frames))
        answer = times(work, int(depth), int(rounds))
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
