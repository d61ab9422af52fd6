# SPDX-License-Identifier: MIT
"""One side of a benchmark: a process that is kept alive and told to run blocks.

`hasten bench` carries this text in itself and starts it with `python -c`, so that any
interpreter can be a side, with or without hasten. It needs the standard library only.

    argv: READ WRITE GC list FILE
                        budgets FILE
                        function FILE NAME PARAMETER
                        statement SETUP STATEMENT
    in:   "run LOOPS"
    out:  "ready DIGEST"   what it returned the first time, "-" where that cannot be told
          "ok NANOSECONDS INVOLUNTARY_SWITCHES COLLECTIONS"
          "name NAME PARAMETER LABEL", "end"
          "error BYTES" and so many bytes of text
"""

import gc
import os
import sys
import time
import types

STATEMENT = """
def inner(_it, _timer):
    {setup}
    _t0 = _timer()
    for _i in _it:
        {statement}
        pass
    _t1 = _timer()
    return _t1 - _t0
"""
MOST_TEXT = 20000


def statement_runner(setup, statement, names):
    compile(setup, "<setup>", "exec")
    compile(statement, "<statement>", "exec")
    source = STATEMENT.format(
        setup=setup.replace("\n", "\n    "), statement=statement.replace("\n", "\n        ")
    )
    exec(compile(source, "<statement>", "exec"), names)
    inner = names.pop("inner")
    import itertools

    def run(loops):
        return inner(itertools.repeat(None, loops), time.perf_counter_ns)

    def once():
        try:
            code = compile(statement, "<statement>", "eval")
        except SyntaxError:
            return NotImplemented  # a statement has no value
        own = dict(names)
        exec(compile(setup, "<setup>", "exec"), own)
        return eval(code, own)

    return run, once


def arguments_of(function, parameter):
    """What makes the arguments of a call: the function's `setup`, its parameter."""
    given = () if parameter is None else (parameter,)
    setup = getattr(function, "setup", None)
    if setup is None:
        return False, lambda: given

    def prepare():
        made = setup(*given)
        return made if isinstance(made, tuple) else () if made is None else (made,)

    return True, prepare


def function_runner(function, parameter):
    import inspect

    has_setup, prepare = arguments_of(function, parameter)
    clock = time.perf_counter_ns
    if inspect.iscoroutinefunction(function):
        import asyncio

        runner = asyncio.Runner()

        async def timed(loops):
            spent = 0
            if has_setup:
                for _ in range(loops):
                    arguments = prepare()
                    start = clock()
                    await function(*arguments)
                    spent += clock() - start
                return spent
            arguments = prepare()
            start = clock()
            for _ in range(loops):
                await function(*arguments)
            return clock() - start

        async def first():
            return await function(*prepare())

        return lambda loops: runner.run(timed(loops)), lambda: runner.run(first())

    def run(loops):
        if has_setup:
            spent = 0
            for _ in range(loops):
                arguments = prepare()
                start = clock()
                function(*arguments)
                spent += clock() - start
            return spent
        arguments = prepare()
        # A call without arguments is the usual case, and the fastest kind of call.
        if not arguments:
            start = clock()
            for _ in range(loops):
                function()
            return clock() - start
        start = clock()
        for _ in range(loops):
            function(*arguments)
        return clock() - start

    return run, lambda: function(*prepare())


def place_imports(path):
    """Where modules beside a file are found: beside it, or, in the environment of another
    revision, in that one's folder, after what is installed there."""
    folder = os.environ.get("HASTEN_BENCH_FOLDER")
    if folder is None:
        if path is not None:
            sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
        return
    import sysconfig

    inside = os.path.relpath(os.path.dirname(os.path.abspath(path or "x")))
    if path is not None and not inside.startswith(".."):
        folder = os.path.normpath(os.path.join(folder, inside))
    sys.path[:] = [entry for entry in sys.path if entry]
    packages = sysconfig.get_paths()["purelib"]
    sys.path.insert(sys.path.index(packages) + 1 if packages in sys.path else 0, folder)


def check_origin(path=None):
    """What was imported from the working tree is not what the revision has."""
    top = os.environ.get("HASTEN_BENCH_APART")
    if top is None:
        return
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or not file.startswith(os.path.join(top, "")):
            continue
        own = path is not None and file == os.path.abspath(path)
        if own or file.startswith((sys.prefix, sys.base_prefix)) or "-packages" in file:
            continue
        raise ImportError(f"{name} was imported from the working tree, not from its revision")


def load(path):
    import importlib.util

    place_imports(path)
    spec = importlib.util.spec_from_file_location("hasten_benchmarks", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["hasten_benchmarks"] = module
    spec.loader.exec_module(module)
    return module


def parameters(function):
    return list(getattr(function, "params", (None,)))


def budget_of(function):
    """What `hasten.budget` left on it: bytes, nanoseconds, a class of complexity."""
    budget = getattr(function, "__hasten_budget__", None) or {}
    wanted = [budget.get(key) for key in ("memory_bytes", "time_ns", "complexity")]
    return " ".join("-" if value is None else f"{value}" for value in wanted)


def listing(path, kind):
    lines = []
    for name, function in vars(load(path)).items():
        if not name.startswith("bench_") or not callable(function):
            continue
        for index, parameter in enumerate(parameters(function)):
            shown = "" if parameter is None else "[" + " ".join(repr(parameter).split())[:40] + "]"
            label = name + shown if kind == "list" else budget_of(function)
            lines.append(f"name {name} {index} {label}\n")
    return "".join(lines) + "end\n"


def is_plain(value, depth=4):
    """Whether its text says all, and is the same in every process."""
    kind = type(value)
    if kind in (int, float, complex, str, bytes, bool, type(None)):
        return True
    if depth == 0 or kind not in (tuple, list, dict) or len(value) > 100000:
        return False
    if kind is dict:
        return all(is_plain(k, depth - 1) and is_plain(v, depth - 1) for k, v in value.items())
    return all(is_plain(item, depth - 1) for item in value)


def digest(value):
    import zlib

    if value is NotImplemented or value is None or not is_plain(value):
        return "-"
    if type(value) is int and value.bit_length() > 10000:
        return f"{hash(value):x}"  # its digits would take long, or be refused
    return f"{zlib.crc32(repr(value).encode('utf-8', 'surrogatepass')):08x}"


def switches():
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def serve(commands, answer, leaves_gc_on, run):
    collections = 0

    def count(phase, info):
        nonlocal collections
        collections += phase == "start"

    # What is there by now is not looked at again: only what blocks leave behind.
    gc.collect()
    gc.freeze()
    if leaves_gc_on:
        gc.callbacks.append(count)
    while True:
        words = commands.readline().split()
        if not words:
            return
        gc.collect()
        if not leaves_gc_on:
            gc.disable()
        collections = 0
        before = switches()
        spent = run(int(words[1]))
        involuntary = switches() - before
        gc.enable()
        answer(f"ok {spent} {involuntary} {collections}\n")


def main():
    read, write = int(sys.argv[1]), int(sys.argv[2])
    leaves_gc_on, kind, what = sys.argv[3] == "on", sys.argv[4], sys.argv[5:]
    sys.argv[1:] = []
    # What the benchmark starts must not keep the pipes open.
    os.set_inheritable(read, False)
    os.set_inheritable(write, False)
    commands = os.fdopen(read, "rb")

    def answer(text):
        data = text.encode("utf-8", "backslashreplace")
        while data:
            data = data[os.write(write, data) :]

    try:
        if kind in ("list", "budgets"):
            answer(listing(what[0], kind))
            return
        if kind == "statement":
            place_imports(None)
            module = types.ModuleType("__main__")
            sys.modules["__main__"] = module
            run, once = statement_runner(what[0], what[1], module.__dict__)
        else:
            function = getattr(load(what[0]), what[1])
            run, once = function_runner(function, parameters(function)[int(what[2])])
        first = digest(once())
        check_origin(what[0] if kind == "function" else None)
        answer(f"ready {first}\n")
        serve(commands, answer, leaves_gc_on, run)
    except (Exception, SystemExit):
        import traceback

        lines = traceback.format_exc().splitlines(True)
        # The frames of this program say nothing to its user.
        text = "".join(line for line in lines if 'File "<string>"' not in line)[-MOST_TEXT:]
        answer(f"error {len(text.encode('utf-8', 'backslashreplace'))}\n{text}")


main()
