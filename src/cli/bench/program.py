# SPDX-License-Identifier: MIT
"""One side of a benchmark: a process that is kept alive and told to run blocks.

`hasten bench` carries this text in itself and starts it with `python -c`, so that any
interpreter can be a side, with or without hasten. It needs the standard library only, and
as little of it as it can: the sooner it is ready, the more processes fit into a budget.

    argv: READ WRITE FLAGS list FILE
                           budgets FILE
                           function FILE NAME PARAMETER
                           statement SETUP STATEMENT
          FLAGS: gc (it is left alone), counted (ends at once), unroll; joined by commas
    in:   "run LOOPS"
          "empty LOOPS"   the same without what is executed
          "count memory", "count bytecodes"   one execution
    out:  "ready DIGEST PRINTS CHANGED"   of the first execution: what it returned, "-" where
              that cannot be told; whether it printed, 0 or 1; a name whose value it
              changed, "-" for none
          "ok NANOSECONDS INVOLUNTARY_SWITCHES COLLECTIONS"
          "counted NUMBER"   -1: it cannot be
          "name NAME PARAMETER LABEL", "end"
          "error BYTES" and so many bytes of text
"""

import gc
import io
import itertools
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
UNROLLED = """
def inner(_spent, _repeat, _chunks, _turns, _timer):
    {setup}
    for _chunk in _repeat(None, _chunks):
        _t0 = _timer()
        for _i in _repeat(None, _turns):
            {short}
            pass
        _t1 = _timer()
        for _i in _repeat(None, 2 * _turns):
            {long}
            pass
        _t2 = _timer()
        _spent.append((_t1 - _t0, _t2 - _t1))
"""
MOST_TEXT = 20000
CO_COROUTINE = 0x80  # inspect.CO_COROUTINE
# Copies of a statement in the shorter of two loops whose difference is measured.
COPIES = 100
# Parts of a block that is measured so.
MOST_CHUNKS = 15
# Not so many of a long one that compiling them takes long.
MOST_COPIED = 20000
# What tells hasten_counters.so where to begin and end (core/heap/counters.h).
MARKS = (2000271828, 2000314159)


def marking_clock():
    """A clock that marks instead, and allocates nothing between its first call and its second."""
    marks = itertools.cycle(MARKS)
    mark = os.fdatasync

    def clock():
        mark(next(marks))
        return 0

    return clock


def expression(text):
    try:
        return compile(text, "<statement>", "eval")
    except SyntaxError:
        return None


class Statement:
    def __init__(self, setup, statement, names):
        compile(setup, "<setup>", "exec")
        compile(statement, "<statement>", "exec")
        self.setup, self.statement, self.names = setup, statement, names

    def compiled(self, template, **bodies):
        indented = {name: body.replace("\n", "\n            ") for name, body in bodies.items()}
        source = template.format(setup=self.setup.replace("\n", "\n    "), **indented)
        exec(compile(source, "<statement>", "exec"), self.names)
        return self.names.pop("inner")

    def runner(self, clock, empty=False):
        inner = self.compiled(STATEMENT, statement="" if empty else self.statement)
        return lambda loops: inner(itertools.repeat(None, loops), clock)

    def unrolled_runner(self, clock):
        """The difference of loops of so many copies and twice as many: what the loop and the
        clock take is in both."""
        copies = max(1, min(COPIES, MOST_COPIED // (len(self.statement) + 1)))
        short = "\n".join([self.statement] * copies)
        inner = self.compiled(UNROLLED, short=short, long=short + "\n" + short)

        def run(loops):
            # In many short turns, of which the median counts: an interruption is in one of
            # them, and would be in the difference. The longer loop stands between two of
            # the shorter one, so that drift is not. One setup, for a class that it makes
            # is another one each time, and instructions must learn of it.
            executed = max(1, loops // copies)
            chunks = min(MOST_CHUNKS, executed)
            turns = executed // chunks
            spent = []
            inner(spent, itertools.repeat, chunks + 1, turns, clock)
            differences = [
                long - before - after for (before, long), (after, _) in itertools.pairwise(spent)
            ]
            differences.sort()
            return max(0, round(differences[chunks // 2] * loops / (2 * turns * copies)))

        return run

    def once(self):
        own = dict(self.names)
        exec(compile(self.setup, "<setup>", "exec"), own)
        # In every process: what takes long to look at is left out.
        mine = {name: value for name, value in own.items() if name[:2] != "__"}
        before = {n: digest(value) for n, value in mine.items() if is_plain(value, 2, 1000)}
        code = expression(self.statement)
        if code is None:  # a statement has no value
            exec(compile(self.statement, "<statement>", "exec"), own)
            value = NotImplemented
        else:
            value = eval(code, own)
        changed = [n for n, was in before.items() if n in own and digest(own[n]) not in (was, "-")]
        return value, changed[0] if changed else None


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


def is_coroutine_function(function):
    code = getattr(function, "__code__", None)
    if type(function) is types.FunctionType and not hasattr(function, "_is_coroutine_mark"):
        return bool(code.co_flags & CO_COROUTINE)
    import inspect  # for partial functions and the like

    return inspect.iscoroutinefunction(function)


class Function:
    def __init__(self, function, parameter):
        self.function, self.parameter = function, parameter
        self.has_setup, self.prepare = arguments_of(function, parameter)
        self.loop = None
        if is_coroutine_function(function):
            import asyncio

            self.loop = asyncio.Runner()

    def once(self):
        before = digest(self.parameter)
        value = self.function(*self.prepare())
        if self.loop is not None:
            value = self.loop.run(value)
        after = digest(self.parameter)
        return value, None if after in (before, "-") else "its-parameter"

    def runner(self, clock, empty=False):
        if empty and not self.has_setup:
            return lambda loops: plain_loop(loops, clock)
        if self.loop is not None:
            timed = self.awaiting(clock, empty)
            return lambda loops: self.loop.run(timed(loops))
        return self.calling(clock, empty)

    def awaiting(self, clock, empty):
        function, has_setup, prepare = self.function, self.has_setup, self.prepare

        async def timed(loops):
            spent = 0
            each = itertools.repeat(None, loops)
            if has_setup:
                for _ in each:
                    arguments = prepare()
                    start = clock()
                    if not empty:
                        await function(*arguments)
                    spent += clock() - start
                return spent
            arguments = prepare()
            start = clock()
            for _ in each:
                await function(*arguments)
            return clock() - start

        return timed

    def calling(self, clock, empty):
        function, has_setup, prepare = self.function, self.has_setup, self.prepare

        def run(loops):
            each = itertools.repeat(None, loops)
            if has_setup:
                spent = 0
                for _ in each:
                    arguments = prepare()
                    start = clock()
                    if not empty:
                        function(*arguments)
                    spent += clock() - start
                return spent
            arguments = prepare()
            # A call without arguments is the usual case, and the fastest kind of call.
            if not arguments:
                start = clock()
                for _ in each:
                    function()
                return clock() - start
            start = clock()
            for _ in each:
                function(*arguments)
            return clock() - start

        return run


def plain_loop(loops, clock):
    each = itertools.repeat(None, loops)
    start = clock()
    for _ in each:
        pass
    return clock() - start


def place_imports(path):
    """Where modules beside a file are found: beside it, or, in the environment of another
    revision, in that one's folder, after what is installed there."""
    folder = os.environ.get("HASTEN_BENCH_FOLDER")
    if folder is None:
        if path is not None:
            sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
        return
    inside = os.path.relpath(os.path.dirname(os.path.abspath(path or "x")))
    if path is not None and not inside.startswith(".."):
        folder = os.path.normpath(os.path.join(folder, inside))
    sys.path[:] = [entry for entry in sys.path if entry]
    own = [e.startswith(sys.prefix) and e.endswith("-packages") for e in sys.path]
    sys.path.insert(own.index(True) + 1 if True in own else 0, folder)


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
    from importlib.machinery import ModuleSpec, SourceFileLoader

    # What importlib.util would do, without what that imports.
    name, place = "hasten_benchmarks", os.path.abspath(path)
    place_imports(place)
    loader = SourceFileLoader(name, place)
    module = types.ModuleType(name)
    module.__file__, module.__loader__ = place, loader
    module.__spec__ = ModuleSpec(name, loader, origin=place)
    sys.modules[name] = module
    loader.exec_module(module)
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


def is_plain(value, depth=4, most=100000):
    """Whether its text says all, and is the same in every process."""
    kind = type(value)
    if kind in (int, float, complex, str, bytes, bool, type(None)):
        return True
    if depth == 0 or kind not in (tuple, list, dict) or len(value) > most:
        return False
    if kind is dict:
        value = itertools.chain.from_iterable(value.items())
    return all(is_plain(item, depth - 1, most) for item in value)


def digest(value):
    if value is NotImplemented or value is None or not is_plain(value):
        return "-"
    if type(value) is int and value.bit_length() > 10000:
        return f"{hash(value):x}"  # its digits would take long, or be refused
    import zlib

    return f"{zlib.crc32(repr(value).encode('utf-8', 'surrogatepass')):08x}"


class Sink(io.RawIOBase):
    """Takes what is printed, and counts it."""

    size = 0

    def writable(self):
        return True

    def write(self, data):
        self.size += len(data)
        return len(data)

    def fileno(self):
        return 1


def first(side, leaves_gc_on):
    """Executes once, and says what is worth knowing of it."""
    if not leaves_gc_on:
        gc.disable()
    sink, usual = Sink(), sys.stdout
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(sink), "utf-8", "replace", write_through=True)
    try:
        value, changed = side.once()
        sys.stdout.flush()
    finally:
        sys.stdout = usual
        gc.enable()
    return f"ready {digest(value)} {int(sink.size > 0)} {changed or '-'}\n"


def count_bytecodes(run, empty):
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is None:
        return -1
    # 3 and 4 have no name and are nobody's.
    free = [number for number in (4, 3, 5, 2, 1, 0) if monitoring.get_tool(number) is None]
    if not free:
        return -2
    tool = free[0]
    try:
        from hasten._bytecodes import executed, tick
    except ImportError:  # this interpreter has no hasten: the same number, later
        ticks = itertools.count()

        def tick(code, offset):
            next(ticks)

        def executed():
            return int(repr(ticks)[6:-1])

    def counted(run, loops):
        before = executed()
        monitoring.set_events(tool, monitoring.events.INSTRUCTION)
        run(loops)
        monitoring.set_events(tool, 0)
        return executed() - before

    monitoring.use_tool_id(tool, "hasten bench")
    monitoring.register_callback(tool, monitoring.events.INSTRUCTION, tick)
    try:
        # What surrounds an execution is in both.
        twice, once = counted(run, 2), counted(run, 1)
        return twice - once - (counted(empty, 2) - counted(empty, 1))
    finally:
        monitoring.register_callback(tool, monitoring.events.INSTRUCTION, None)
        monitoring.free_tool_id(tool)


def count(side, what):
    if what == "bytecodes":
        clock = time.perf_counter_ns
        return count_bytecodes(side.runner(clock), side.runner(clock, empty=True))
    try:
        side.runner(marking_clock())(1)
    except OSError:  # the marks are files that are not open: nobody counts
        return -1
    return 1


def switches():
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


# A block is preceded by this part of it, untimed: the other side has been in the caches.
UNTIMED_PART = 4


def serve(commands, answer, leaves_gc_on, side, run, is_timed):
    collections = 0

    def note(phase, info):
        nonlocal collections
        collections += phase == "start"

    # What is there by now is not looked at again: only what blocks leave behind.
    gc.collect()
    gc.freeze()
    if leaves_gc_on:
        gc.callbacks.append(note)
    while True:
        words = commands.readline().split()
        if not words:
            return
        gc.collect()
        if not leaves_gc_on:
            gc.disable()
        if is_timed and int(words[1]) >= 2 * UNTIMED_PART:
            run(int(words[1]) // UNTIMED_PART)
        collections = 0
        before = switches()
        is_block = words[0] != b"count"
        if words[0] == b"run":
            done = run(int(words[1]))
        elif is_block:
            done = side.runner(time.perf_counter_ns, empty=True)(int(words[1]))
        else:
            done = count(side, words[1].decode())
        involuntary = switches() - before
        gc.enable()
        answer(f"ok {done} {involuntary} {collections}\n" if is_block else f"counted {done}\n")


def main():
    read, write = int(sys.argv[1]), int(sys.argv[2])
    flags, kind, what = sys.argv[3].split(","), sys.argv[4], sys.argv[5:]
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
            side = Statement(what[0], what[1], module.__dict__)
        else:
            function = getattr(load(what[0]), what[1])
            side = Function(function, parameters(function)[int(what[2])])
        clock = time.perf_counter_ns
        if "unroll" in flags:
            run = side.unrolled_runner(clock)
        else:
            run = side.runner(clock)
        leaves_gc_on = "gc" in flags
        answered = first(side, leaves_gc_on)
        check_origin(what[0] if kind == "function" else None)
        answer(answered)
        serve(commands, answer, leaves_gc_on, side, run, "timed" in flags)
        if "counted" in flags:
            os._exit(0)  # what ending takes is not counted
    except (Exception, SystemExit):
        import traceback

        lines = traceback.format_exc().splitlines(True)
        # The frames of this program say nothing to its user.
        text = "".join(line for line in lines if 'File "<string>"' not in line)[-MOST_TEXT:]
        answer(f"error {len(text.encode('utf-8', 'backslashreplace'))}\n{text}")


main()
