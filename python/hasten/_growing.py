# SPDX-License-Identifier: MIT
"""Executes a function on inputs of a size: the hands of `hasten complexity`.

`hasten complexity` carries this text in itself and starts it with `python -c`, so that any
interpreter can run the function, with or without hasten; `hasten.complexity` imports it. What
to execute, how often, and what follows is decided in C (src/core/scaling/).

    argv: READ WRITE GC FUNCTION GENERATE    (MODULE:NAME or FILE.py:NAME; GENERATE may be "")
    in:   "time SIZE EXECUTIONS DRAW", "memory SIZE", "explain"
    out:  "ready -"
          "ok EXECUTIONS NANOSECONDS WHOLE_NANOSECONDS INPUT_BYTES FRESH", "ok BYTES"
          "raised TEXT" in one line
          "error BYTES" and so many bytes of text: it cannot go on
"""

import contextlib
import gc
import inspect
import itertools
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import IO, Any

clock = time.perf_counter_ns
# Inputs that the executions of a block take in turns. As many as possible, because of an
# input that it has seen before the processor knows the branches by heart, and small sizes
# would look several times as fast as they are; but no more than a cache holds.
INPUTS_NS = 3_000_000
MOST_INPUT_BYTES = 250_000
# Where each execution needs an input of its own, making them may take so long a block.
FRESH_NS = 20_000_000
# Executions that take longer are not warmed up.
LONG_NS = 5_000_000
# An object of the interpreter and the reference to it.
ITEM_BYTES = 64
# Up to here it is looked whether the function changes its input.
MOST_CHECKED_SIZE = 1024
MOST_TEXT = 20000


class Waiting:
    """What the kernel lets this thread wait for a processor, in nanoseconds so far.

    Where others compute too, long executions are interrupted and short ones hardly ever:
    taken for the function's own time, the waiting would look like growth. Sleeping and
    waiting for files or locks is not in it.

    What is measured is the program's: it may close all descriptors, or open others in their
    place, and go on in another thread or a child. Then a file is opened anew."""

    PATH = "/proc/thread-self/schedstat"

    def __init__(self) -> None:
        self.descriptor = -1  # where the kernel does not count it
        self.file = (0, 0)
        self.thread = 0
        self.open()

    def open(self) -> None:
        self.thread = threading.get_native_id()
        try:
            self.descriptor = os.open(self.PATH, os.O_RDONLY | os.O_CLOEXEC)
            self.file = self.identity()
            self.read()
        except (OSError, ValueError, IndexError):
            self.close()

    def identity(self) -> tuple[int, int]:
        found = os.fstat(self.descriptor)
        return found.st_dev, found.st_ino

    def is_own(self) -> bool:
        """Whether the descriptor is still that of the file, and the file this thread's."""
        try:
            return self.thread == threading.get_native_id() and self.file == self.identity()
        except OSError:
            return False

    def read(self) -> int:
        return int(os.pread(self.descriptor, 100, 0).split()[1])

    def now(self) -> int:
        """-1 where that is not known."""
        if self.descriptor < 0:
            return -1
        try:
            if not self.is_own():
                self.close()
                self.open()
            return self.read() if self.descriptor >= 0 else -1
        except (OSError, ValueError, IndexError):
            return -1

    def since(self, before: int, spent: float) -> int:
        """What it has waited since, of a time that it spent; 0 where that is not known."""
        waited = self.now() - before
        return waited if before >= 0 and 0 < waited < spent else 0

    def close(self) -> None:
        """Nothing that the program has opened in its place."""
        if self.descriptor >= 0:
            try:
                if self.file == self.identity():
                    os.close(self.descriptor)
            except OSError:
                pass
            self.descriptor = -1

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # the interpreter may be ending
            self.close()


def _pass_over(items: Iterable[Any]) -> int:
    start = clock()
    for _ in items:
        pass
    return clock() - start


def _overhead() -> tuple[int, float]:
    """Nanoseconds of reading the clock, and of a loop's step."""
    nothing = min(_pass_over(()) for _ in range(50))
    loop = min(_pass_over(itertools.islice(itertools.cycle(((),)), 10000)) for _ in range(10))
    return nothing, max(loop - nothing, 0) / 10000


def _pickled(value: Any) -> bytes | None:
    import pickle

    try:
        return pickle.dumps(value)
    except Exception:
        return None  # it cannot be told whether it was changed


class Runner:
    """A function and what makes its inputs."""

    def __init__(
        self, function: Callable[..., Any], generate: Callable[[int], Any] | None = None
    ) -> None:
        self.function = function
        self.generate = generate
        self.loop: Any = None  # of a coroutine function: all its executions have one
        if inspect.iscoroutinefunction(function):
            import asyncio

            # No Runner: it has the result's text made when it ends, which is memory.
            self.loop = asyncio.new_event_loop()
        # A number cannot be changed. Anything else is made anew for each execution until
        # it was seen to be left alone.
        self.fresh = generate is not None
        self.untouched = 0
        self.lasted: dict[int, float] = {}  # nanoseconds of an execution, by size
        self.waiting = Waiting()
        self.overhead = _overhead()

    def close(self) -> None:
        self.waiting.close()
        if self.loop is not None:
            self.loop.close()

    def call(self, arguments: tuple[Any, ...]) -> None:
        """One execution that is not timed."""
        made = self.function(*arguments)
        if self.loop is not None:
            self.loop.run_until_complete(made)

    def arguments(self, size: int) -> tuple[Any, ...]:
        if self.generate is None:
            return (size,)
        made = self.generate(size)
        return made if isinstance(made, tuple) else (made,)

    def look(self, size: int) -> None:
        """Whether the function leaves its input alone: of the first sizes."""
        arguments = self.arguments(size)
        before = _pickled(arguments)
        self.call(arguments)
        if before is None or _pickled(arguments) != before:
            self.untouched = -1
            self.fresh = True
        else:
            self.untouched += 1
            self.fresh = False

    def inputs(self, size: int, executions: int, draw: int) -> tuple[list[tuple[Any, ...]], int]:
        """Inputs for a block, and the bytes of one, about. Of one draw they are the same
        where they are made with `random`, whose numbers otherwise go on as they would."""
        state = random.getstate()
        random.seed(f"{size} {draw}")
        try:
            return self.make(size, executions)
        finally:
            random.setstate(state)

    def make(self, size: int, executions: int) -> tuple[list[tuple[Any, ...]], int]:
        began = clock()
        blocks = sys.getallocatedblocks()
        made = [self.arguments(size)]
        item_bytes = max(sys.getallocatedblocks() - blocks, 0) * ITEM_BYTES
        item_bytes += sum(sys.getsizeof(one, 0) for one in made[0])
        most_ns = FRESH_NS if self.fresh else INPUTS_NS
        most = min(executions, max(1, MOST_INPUT_BYTES // max(item_bytes, ITEM_BYTES)))
        if self.generate is None:
            most = 1
        while len(made) < max(most, 2) and clock() - began < most_ns:
            made.append(self.arguments(size))
        return made, item_bytes

    def time(self, size: int, executions: int, draw: int = 0) -> tuple[int, float, int, int, int]:
        """(executions made, their nanoseconds, nanoseconds of all, bytes of an input,
        whether each execution had one of its own)"""
        waited = self.waiting.now()
        began = clock()
        if self.generate is not None and 0 <= self.untouched < 3 and size <= MOST_CHECKED_SIZE:
            self.look(size)
        made, item_bytes = self.inputs(size, executions + 1, draw)
        # One to begin with, untimed: code and allocator are at hand then, which would count
        # where few executions follow. What is long does not notice.
        warming = made.pop() if len(made) > 1 else None if self.fresh else made[0]
        if warming is not None and self.lasted.get(size, 0) < LONG_NS:
            self.call(warming)
        if self.fresh:
            executions = len(made)
        collects = gc.isenabled()
        gc.disable()
        try:
            spent = self.block(made, executions)
        finally:
            if collects:
                gc.enable()
        self.lasted[size] = spent / executions
        whole = clock() - began
        whole -= self.waiting.since(waited, whole)
        return executions, spent, whole, item_bytes, int(self.fresh)

    def block(self, made: list[tuple[Any, ...]], executions: int) -> float:
        """Nanoseconds of so many executions, the inputs in turns."""
        function, wait = self.function, self.waiting.now
        spent: float
        if self.loop is not None:
            spent, waited = self.loop.run_until_complete(self.awaited(made, executions))
        elif len(made[0]) == 1:
            turns = itertools.islice(itertools.cycle([one for (one,) in made]), executions)
            waited = wait()
            start = clock()
            for argument in turns:
                function(argument)
            spent = clock() - start
        else:
            turns = itertools.islice(itertools.cycle(made), executions)
            waited = wait()
            start = clock()
            for arguments in turns:
                function(*arguments)
            spent = clock() - start
        # More was beside what is timed.
        spent -= self.waiting.since(waited, spent)
        nothing, step = self.overhead
        return max(spent - nothing - step * executions, 0.0)

    async def awaited(self, made: list[tuple[Any, ...]], executions: int) -> tuple[float, int]:
        function = self.function
        turns = itertools.islice(itertools.cycle(made), executions)
        waited = self.waiting.now()
        start = clock()
        for arguments in turns:
            await function(*arguments)
        return clock() - start, waited

    def memory(self, size: int) -> int:
        """Bytes at the peak of one execution, above what was there before."""
        import importlib

        tracemalloc = importlib.import_module("tracemalloc")
        if not tracemalloc.is_tracing():  # else hasten's would refuse to begin
            with contextlib.suppress(ImportError):
                tracemalloc = importlib.import_module("hasten.tracemalloc")
        arguments = self.arguments(size)
        began = not tracemalloc.is_tracing()
        if began:
            tracemalloc.start()
        try:
            before: int = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            self.call(arguments)
            peak: int = tracemalloc.get_traced_memory()[1]
            return peak - before if peak > before else 0
        finally:
            if began:
                tracemalloc.stop()


def load(name: str) -> Callable[..., Any]:
    """What MODULE:NAME or FILE.py:NAME calls."""
    import importlib
    import importlib.util

    found: Any
    place, colon, attribute = name.rpartition(":")
    if not colon or not place or not attribute:
        raise ValueError(f"MODULE:FUNCTION or FILE.py:FUNCTION is expected, not {name!r}")
    if place.endswith(".py"):
        known = sys.modules.get("hasten_functions")
        if known is None or known.__file__ != place:
            sys.path.insert(0, os.path.dirname(os.path.abspath(place)))
            spec = importlib.util.spec_from_file_location("hasten_functions", place)
            assert spec is not None and spec.loader is not None  # it ends with .py
            known = importlib.util.module_from_spec(spec)
            sys.modules["hasten_functions"] = known
            spec.loader.exec_module(known)
        found = known
    else:
        if sys.path[0] != "":
            sys.path.insert(0, "")
        found = importlib.import_module(place)
    for part in attribute.split("."):
        found = getattr(found, part)
    if not callable(found):
        raise TypeError(f"{name} cannot be called")
    function: Callable[..., Any] = found
    return function


def serve(commands: IO[bytes], answer: Callable[[str], None], runner: Runner) -> None:
    text = ""
    while True:
        words = commands.readline().split()
        if not words:
            return
        if words[0] == b"explain":
            answer(f"error {len(text.encode('utf-8', 'backslashreplace'))}\n{text}")
            continue
        try:
            if words[0] == b"memory":
                answer(f"ok {runner.memory(int(words[1]))}\n")
            else:
                made, spent, *rest = runner.time(*map(int, words[1:4]))
                answer(f"ok {made} {spent:.0f} {rest[0]} {rest[1]} {rest[2]}\n")
        except (Exception, SystemExit) as error:
            text = explanation()
            shown = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            answer(f"raised {shown}\n")


def explanation() -> str:
    import traceback

    lines = traceback.format_exc().splitlines(True)
    # The frames of this program say nothing to its user.
    return "".join(line for line in lines if 'File "<string>"' not in line)[-MOST_TEXT:]


def main() -> None:
    read, write = int(sys.argv[1]), int(sys.argv[2])
    function_name, generate_name = sys.argv[4:6]
    sys.argv[1:] = []
    # What the function starts must not keep the pipes open.
    os.set_inheritable(read, False)
    os.set_inheritable(write, False)
    commands = os.fdopen(read, "rb")

    def answer(text: str) -> None:
        data = text.encode("utf-8", "backslashreplace")
        while data:
            data = data[os.write(write, data) :]

    try:
        function = load(function_name)
        generate = load(generate_name) if generate_name else None
        runner = Runner(function, generate)
        answer("ready -\n")
    except (Exception, SystemExit):
        text = explanation()
        answer(f"error {len(text.encode('utf-8', 'backslashreplace'))}\n{text}")
        return
    serve(commands, answer, runner)


if __name__ == "__main__":
    main()
