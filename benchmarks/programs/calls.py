"""What calls.py runs on each interpreter: work with no profiler, the standard one and ours.

Usage: calls.py ROUNDS PYPERFORMANCE_FOLDER. Prints one JSON line: for each kind of work, the
seconds of each round without and with each profiler; they take turns within a round.
"""

import cProfile as standard
import gc
import json
import os
import sys
import time

from hasten import cProfile as ours
from pyperformance_program import load


def nothing():
    pass


class Thing:
    def method(self):
        pass


def python_functions(turns):
    for _ in range(turns):
        nothing(); nothing(); nothing(); nothing(); nothing()
        nothing(); nothing(); nothing(); nothing(); nothing()


def python_methods(turns, thing=Thing()):
    for _ in range(turns):
        thing.method(); thing.method(); thing.method(); thing.method(); thing.method()
        thing.method(); thing.method(); thing.method(); thing.method(); thing.method()


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def c_functions(turns, number=-1):
    for _ in range(turns):
        abs(number); abs(number); abs(number); abs(number); abs(number)
        abs(number); abs(number); abs(number); abs(number); abs(number)


def c_methods(turns, text="text"):
    for _ in range(turns):
        text.upper(); text.upper(); text.upper(); text.upper(); text.upper()
        text.upper(); text.upper(); text.upper(); text.upper(); text.upper()


# Name -> (function, argument, calls it makes, what enable() is told).
CALLS = {
    "Python functions": (python_functions, 1000, 10000, {}),
    "Python methods": (python_methods, 1000, 10000, {}),
    "recursion": (fibonacci, 15, 1973, {}),
    "Python functions, builtins=False": (python_functions, 1000, 10000, {"builtins": False}),
    "Python methods, builtins=False": (python_methods, 1000, 10000, {"builtins": False}),
    "recursion, builtins=False": (fibonacci, 15, 1973, {"builtins": False}),
    "C functions": (c_functions, 1000, 10000, {}),
    "C methods": (c_methods, 1000, 10000, {}),
}

PROGRAMS = [
    "async_generators",
    "chaos",
    "coroutines",
    "deepcopy",
    "deltablue",
    "float",
    "go",
    "hexiom",
    "logging",
    "raytrace",
    "richards",
    "spectral_norm",
]


def seconds(work, module=None, settings=None):
    profiler = module.Profile() if module else None
    gc.collect()
    if profiler:
        profiler.enable(**settings)
    start = time.perf_counter()
    work()
    end = time.perf_counter()
    if profiler:
        profiler.disable()
    return end - start


def rounds_of(work, rounds, settings):
    turns = [("none", None), ("standard", standard), ("hasten", ours)]
    times = {name: [] for name, _ in turns}
    work()
    for i in range(rounds):
        for name, module in turns[i % 3 :] + turns[: i % 3]:
            times[name].append(seconds(work, module, settings))
    return times


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def bytes_of_edges(module, callers=1000, callees=1000):
    """Memory of a million pairs of caller and callee; functions themselves come before."""
    names = {}
    lines = [f"def callee_{i}(): pass" for i in range(callees)]
    lines += [f"def caller_{i}(all):\n    for f in all: f()" for i in range(callers)]
    exec("\n".join(lines), names)
    all_callees = [names[f"callee_{i}"] for i in range(callees)]
    profiler = module.Profile()
    profiler.enable(builtins=False)
    names["caller_0"](all_callees)
    for i in range(callers):
        names[f"caller_{i}"](())
    before = resident()
    for i in range(1, callers):
        names[f"caller_{i}"](all_callees)
    after = resident()
    profiler.disable()
    return (after - before) / ((callers - 1) * callees)


def main():
    rounds, folder = int(sys.argv[1]), sys.argv[2]
    if folder == "edges":
        # One profiler a process: what the first gives back, the second would get.
        print(bytes_of_edges({"standard": standard, "hasten": ours}[sys.argv[3]]))
        return
    results = {"calls": {}, "programs": {}}
    for name, (function, argument, count, settings) in CALLS.items():
        times = rounds_of(lambda: function(argument), 8 * rounds, settings)
        results["calls"][name] = {"count": count, "times": times}
    for name in PROGRAMS:
        results["programs"][name] = {"times": rounds_of(load(folder, name), rounds, {})}
    print(json.dumps(results))


if __name__ == "__main__":
    main()
