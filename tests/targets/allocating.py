"""Allocates on lines of its own and prints what a tracemalloc says of them, as JSON.

Usage: allocating.py MODULE FRAMES   (MODULE: tracemalloc or hasten.tracemalloc)
"""

import asyncio
import gc
import importlib
import json
import sys
import threading


class Thing:
    def __init__(self, number):
        self.number = number
        self.text = "thing %d" % number


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self, a, b):
        self.a = a
        self.b = b


def leaf(size):
    return bytes(size)


def middle(size):
    return leaf(size), leaf(size + 1)


def recursive(depth, size):
    if depth == 0:
        return [leaf(size + i) for i in range(5)]
    return recursive(depth - 1, size)


def closure(size):
    def inner():
        return bytearray(size), lambda: size

    return inner()


def generated(count):
    for i in range(count):
        yield str(i) * 30, leaf(i)


async def waits(count):
    kept = []
    for i in range(count):
        await asyncio.sleep(0)
        kept.append(leaf(3000 + i))
    return kept


async def gathers():
    return await asyncio.gather(waits(3), waits(4))


def in_thread(kept):
    kept.append([leaf(7000 + i) for i in range(10)])


def grows(count):
    buffer = bytearray()
    for i in range(count):
        buffer += b"x" * 100
    buffer += b"y"
    return buffer


def shrinks():
    data = bytearray(100_000)
    del data[100:]
    return data


def temporary():
    for i in range(1000):
        leaf(i)


def raises():
    try:
        leaf(10)[100]
    except IndexError as error:
        return str(error) * 100
    return None


def run():
    kept = []
    kept.append([Thing(i) for i in range(200)])
    kept.append([Slotted(str(i), i * 1.5e300) for i in range(50)])
    kept.append([middle(i * 10) for i in range(100)])
    kept.append([recursive(depth, 2000) for depth in (0, 1, 10, 40, 60)])
    kept.append([closure(i * 100) for i in range(1, 10)])
    kept.append(list(generated(50)))
    kept.append(json.loads(json.dumps([{"k%d" % i: "v" * i} for i in range(60)])))
    kept.append({str(i): leaf(600) for i in range(300)})
    kept.append([grows(50), shrinks(), raises()])
    temporary()
    made = compile("def made(n):\n    return bytes(n + 5000)\n", "<made>", "exec")
    names = {}
    exec(made, names)
    kept.append([names["made"](i) for i in range(10)])
    return kept


def main(name, frames):
    module = importlib.import_module(name)
    # What is made once is made before.
    run()
    asyncio.run(gathers())
    gc.collect()
    gc.disable()
    module.start(frames)
    kept = run()
    thread = threading.Thread(target=in_thread, args=(kept,))
    thread.start()
    thread.join()
    runner = asyncio.new_event_loop()
    kept.append(runner.run_until_complete(gathers()))
    current, peak = module.get_traced_memory()
    snapshot = module.take_snapshot()
    module.stop()
    runner.close()
    snapshot = snapshot.filter_traces(
        [module.Filter(True, __file__), module.Filter(True, "<made>")]
    )
    traces = {}
    for trace in snapshot.traces:
        frames = [[frame.filename, frame.lineno] for frame in trace.traceback]
        key = json.dumps([frames, trace.traceback.total_nframe, trace.domain, trace.size])
        traces[key] = traces.get(key, 0) + 1
    lines = [
        [stat.traceback[0].lineno, stat.size, stat.count]
        for stat in snapshot.statistics("lineno")
    ]
    print(json.dumps({"traces": traces, "lines": lines, "peak": peak, "current": current}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
