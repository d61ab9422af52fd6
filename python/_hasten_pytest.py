# SPDX-License-Identifier: MIT
"""pytest's markers limit_memory and limit_leaks, as pytest-memray spells them.

    @pytest.mark.limit_memory("24 MB")
    @pytest.mark.limit_leaks("1 MB", warmups=1, iterations=5, filter_fn=...)

Beside the package, and without importing it: a run without the markers pays for nothing.
Where pytest-memray is installed and switched on (--memray), the markers are its.
"""

import contextlib
import inspect
import re

import pytest

MARKERS = (
    "limit_memory(limit): fail the test where its peak of memory is above the limit, like"
    ' "24 MB" (hasten)',
    "limit_leaks(limit, *, warmups=0, iterations=1, filter_fn=None): fail the test where a place"
    ' of it leaves more memory behind than the limit, like "1 MB" (hasten)',
)
UNITS = {"B": 0, "KB": 1, "MB": 2, "GB": 3, "TB": 4, "PB": 5}
SIZE = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([KMGTP]?B)\s*", re.IGNORECASE)
# Frames of each allocation that are kept: what filter_fn sees of a stack.
FRAMES = 10
# Places that a failure names.
PLACES = 5
# What the running of tests itself keeps.
OWN_CHAINS = ("_hasten_pytest.", "_pytest.", "pluggy.", "pytest.", "(held by C)")


def pytest_configure(config):
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


def parse_size(text):
    """ "24 MB" in bytes; of 1024, as everything that counts memory."""
    match = SIZE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f'a limit is a number and a unit, like "24 MB", not {text!r}')
    return int(float(match[1]) * 1024 ** UNITS[match[2].upper()])


def size_text(size):
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(size) < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def _memray_is_on(config):
    return bool(
        config.pluginmanager.hasplugin("memray_manager")
        or (config.pluginmanager.hasplugin("memray") and config.getoption("memray", False))
    )


def _arguments(marker, **defaults):
    """The limit and the keywords of a marker, both checked."""
    rest = dict(marker.kwargs)
    names = ("memory_limit", "location_limit", "max_leaked_memory", "limit")
    named = [rest.pop(name) for name in names if name in rest]
    given = [*marker.args, *named]
    if rest.pop("current_thread_only", False):
        raise ValueError(f"{marker.name}: hasten counts all threads, not the current one only")
    unknown = sorted(set(rest) - set(defaults))
    if len(given) != 1 or unknown:
        wrong = f"does not know {', '.join(unknown)}" if unknown else "takes one limit"
        raise ValueError(f"{marker.name} {wrong}")
    return parse_size(given[0]), {**defaults, **rest}


def _tracer():
    import _tracemalloc

    if not _tracemalloc.is_tracing():  # else hasten's would refuse to begin
        with contextlib.suppress(ImportError):
            from hasten import tracemalloc

            return tracemalloc
    import tracemalloc

    return tracemalloc


class Tracing:
    """Memory is counted as long as this is entered; a program's own tracing goes on."""

    def __init__(self, frames):
        self.frames = frames
        self.module = _tracer()

    def __enter__(self):
        self.began = not self.module.is_tracing()
        if self.began:
            self.module.start(self.frames)
        return self.module

    def __exit__(self, *_):
        if self.began:
            self.module.stop()


def _place(trace):
    frame = trace[-1]
    return f"{frame.filename}:{frame.lineno}"


def _largest(statistics):
    lines = []
    for row in statistics[:PLACES]:
        lines.append(
            f"  {size_text(row.size):>10}  in {row.count} block{'s' * (row.count != 1)}"
            f"  {_place(row.traceback)}"
        )
    return lines


class PeakWatcher:
    """Looks from a thread at how much there is, and who allocated it while it is too much:
    afterwards nobody knows."""

    INTERVAL_S = 0.005

    def __init__(self, module):
        self.module = module
        self.most = float("inf")
        self.largest = 0
        self.snapshot = None

    def __enter__(self):
        import threading

        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, name="hasten limit_memory", daemon=True)
        self.thread.start()
        return self

    def run(self):
        while not self.stop.wait(self.INTERVAL_S):
            self.look()

    def look(self):
        now = self.module.get_traced_memory()[0]
        if now > self.most and now > self.largest * 1.1:
            self.largest = now
            self.snapshot = self.module.take_snapshot()

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def _own(module, snapshot):
    """Without what this plugin, the tracer and the watch allocate."""
    import sys
    import threading

    names = ("hasten.leaks", "tracemalloc")
    modules = [module, threading, *(sys.modules[name] for name in names if name in sys.modules)]
    files = {__file__, *(one.__file__ for one in modules)}
    return snapshot.filter_traces([module.Filter(False, file) for file in files])


def _memory_text(limit, peak, module, watcher):
    lines = [f"Test was limited to {size_text(limit)} but allocated {size_text(peak)}"]
    if watcher.snapshot is None:
        lines.append("(the peak passed too quickly to see whose it was)")
    else:
        rows = _own(module, watcher.snapshot).statistics("lineno")
        lines += ["Largest allocations near the peak:", *_largest(rows)]
    return "\n".join(lines)


def _limit_memory(marker):
    limit, _ = _arguments(marker)
    with Tracing(1) as module:
        with PeakWatcher(module) as watcher:
            before = module.get_traced_memory()[0]
            watcher.most = before + limit
            module.reset_peak()
            result = yield
        peak = module.get_traced_memory()[1] - before
        text = _memory_text(limit, peak, module, watcher) if peak > limit else None
    if text:
        pytest.fail(text, pytrace=False)
    return result


def _function_at(filename, lineno):
    """The name of the function around a line, which traces of memory do not have."""
    import ast
    import linecache

    name = "<module>"
    try:
        tree = ast.parse("".join(linecache.getlines(filename)))
    except (SyntaxError, ValueError):
        return "<unknown>"
    for node in ast.walk(tree):  # the outer ones come first
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if is_function and node.lineno <= lineno <= (node.end_lineno or node.lineno):
            name = node.name
    return name


class StackFrame:
    """One frame of a stack, as filter_fn gets it."""

    __slots__ = ("filename", "function", "lineno")

    def __init__(self, function, filename, lineno):
        self.function = function
        self.filename = filename
        self.lineno = lineno

    def __repr__(self):
        return f"StackFrame({self.function!r}, {self.filename!r}, {self.lineno})"


class Stack:
    """Where something was allocated: `frames`, the innermost first."""

    __slots__ = ("frames",)

    def __init__(self, trace):
        self.frames = tuple(
            StackFrame(_function_at(frame.filename, frame.lineno), frame.filename, frame.lineno)
            for frame in reversed(trace)
        )

    def __repr__(self):
        return f"Stack({self.frames!r})"


def _below(trace, file, first, last):
    """The frames of a trace from the test's function on: who called that is pytest's."""
    for i, frame in enumerate(trace):
        if frame.filename == file and first <= frame.lineno <= last:
            return tuple(trace)[i:]
    return tuple(trace)


def _leaking(module, before, after, code):
    """[bytes, blocks] that each stack left behind, the innermost frame last."""
    last = max(line for _, _, line in code.co_lines() if line)
    leaking = {}
    for row in _own(module, after).compare_to(_own(module, before), "traceback"):
        if row.size_diff > 0:
            trace = _below(row.traceback, code.co_filename, code.co_firstlineno, last)
            sums = leaking.setdefault(trace, [0, 0])
            sums[0] += row.size_diff
            sums[1] += row.count_diff
    return sorted(leaking.items(), key=lambda pair: -pair[1][0])


def _leaks_text(rows, limit, iterations, watch):
    each = "" if iterations == 1 else f" in each of {iterations} iterations"
    lines = [
        f"Test was allowed to leak {size_text(limit)} per location{each}"
        " but at least one location leaked more"
    ]
    for trace, (size, count) in rows[:PLACES]:
        lines.append(f"  {size_text(size / iterations):>10}  in {count} blocks  {_place(trace)}")
    held = [leak for leak in watch.leaks if not leak.chain.startswith(OWN_CHAINS)]
    if held:
        lines.append("Held by:")
        for leak in held[:PLACES]:
            lines.append(f"  {leak.chain}  ({size_text(leak.bytes_per_iteration)} each time)")
            lines.append(f"      {leak.advice}")
    return "\n".join(lines)


def _limit_leaks(item, marker):
    import gc

    limit, options = _arguments(marker, warmups=0, iterations=1, filter_fn=None)
    iterations, filter_fn = options["iterations"], options["filter_fn"]
    again = _caller(item, marker, options["warmups"], iterations)
    from hasten.leaks import Watch

    for _ in range(options["warmups"]):
        again()
    watch = Watch(limit=4 * PLACES, least_bytes=limit)
    with Tracing(FRAMES) as module:
        gc.collect()
        before = module.take_snapshot()
        watch.mark()
        for _ in range(iterations - 1):
            again()
            gc.collect()
            watch.mark()
        result = yield
        gc.collect()
        watch.mark()
        watch.report(unjudged=True)
        after = module.take_snapshot()
        leaking = _leaking(module, before, after, inspect.unwrap(item.obj).__code__)
    rows = [(trace, sums) for trace, sums in leaking if sums[0] > limit * iterations]
    if filter_fn is not None:
        rows = [row for row in rows if filter_fn(Stack(row[0]))]
    if rows:
        pytest.fail(_leaks_text(rows, limit, iterations, watch), pytrace=False)
    return result


def _caller(item, marker, warmups, iterations):
    """Calls the test's function once more than pytest does, with the same arguments."""
    if warmups < 0 or iterations < 1 or warmups != int(warmups) or iterations != int(iterations):
        raise ValueError(f"{marker.name}: warmups are 0 or more, iterations 1 or more")
    if warmups + iterations > 1 and inspect.iscoroutinefunction(item.obj):
        raise ValueError(f"{marker.name}: a coroutine is run once; repeat inside the test")
    names = item._fixtureinfo.argnames
    return lambda: item.obj(**{name: item.funcargs[name] for name in names})


def _call(pyfuncitem):
    memory = pyfuncitem.get_closest_marker("limit_memory")
    leaks = pyfuncitem.get_closest_marker("limit_leaks")
    if (memory is None and leaks is None) or _memray_is_on(pyfuncitem.config):
        return (yield)
    if memory is not None and leaks is not None:
        raise ValueError("limit_memory and limit_leaks do not go together on one test")
    if memory is not None:
        return (yield from _limit_memory(memory))
    return (yield from _limit_leaks(pyfuncitem, leaks))


def _refuse(item):
    """With a pluggy before 1.2 a test cannot be failed from around it."""
    for name in ("limit_memory", "limit_leaks"):
        if item.get_closest_marker(name) is not None and not _memray_is_on(item.config):
            pytest.fail(f"{name} needs pluggy 1.2 or later", pytrace=False)


try:
    pytest_pyfunc_call = pytest.hookimpl(wrapper=True)(_call)
except TypeError:
    pytest_runtest_setup = _refuse
