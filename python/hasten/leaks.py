# SPDX-License-Identifier: MIT
"""Finds what a program keeps although it should not, and says what holds it.

    with hasten.leaks.watch() as found:
        for request in requests:
            handle(request)
            found.mark()
    print(found)

Looks at all objects at each mark. What is left behind by iteration after iteration is a
leak; caches that level off, pools and tables that are filled once are not. For each leak
there is the shortest chain of holders from a module or a running function.
"""

import _tracemalloc
import functools
import sys
from collections import Counter

from hasten._leaks import Watcher

__all__ = ["Content", "Leak", "Site", "Watch", "mark", "report", "watch"]

# Below this an iteration count is no ground for a verdict (src/core/leaks/growth.h).
LEAST_ITERATIONS = 4
# Leaks of fewer bytes altogether are not shown.
LEAST_BYTES = 1024
# Lines and types whose growth is shown.
MOST_GROWN = 5

_ADVICE = {
    "lru_cache on a method": "Each cached call keeps its `self` alive. Cache on the instance"
    " (functools.cached_property, a dict in __init__) or key the cache by an id instead of self.",
    "lru_cache": "The cache has no bound: give it a maxsize, or call its cache_clear() where what"
    " it is for is over.",
    "traceback": "A kept exception keeps its traceback, and that the locals of every function it"
    " passed. Keep str(error) or traceback.format_exception(error), or call"
    " error.with_traceback(None).",
    "thread-local": "Thread-local data lives as long as its thread: delete it when the task is"
    " over, a pool's threads never end.",
    "context variable": "A context keeps what its variables are set to: reset() them with the"
    " token of set(), or run the task in contextvars.copy_context().run().",
    "generator": "A generator or coroutine that was not finished keeps its frame and all locals:"
    " close() it or let go of it.",
    "weakref callback": "The callback of a weak reference is held strongly as long as the"
    " reference is: weakref.finalize, or a callback without the object in its closure.",
    "bound method": "A bound method keeps its object: register weakref.WeakMethod(method), or"
    " remove the listener when its object is done.",
    "closure": "The functions keep what they close over: pass what they need as arguments, or"
    " remove them when they are done.",
    "class attribute": "A container in the class body belongs to the class and so to all"
    " instances, for ever: make it in __init__, or empty it.",
    "cycle": "The objects hold each other and the collector is off: break the cycle with"
    " weakref.ref in one direction, or turn it on (gc.enable(), gc.collect()).",
    "local variable": "A function that runs on holds it in a local: del it, or empty it.",
    "held by C": "An extension module or the interpreter holds it: look at what was registered"
    " there (atexit, signal handlers, callbacks).",
}
_WEAK = {
    "dict": "weakref.WeakValueDictionary forgets a value when nobody else uses it",
    "dict key": "weakref.WeakKeyDictionary forgets an entry when nobody else uses its key",
    "list": "weakref.WeakSet forgets an object when nobody else uses it",
    "set": "weakref.WeakSet forgets an object when nobody else uses it",
}
_BOUND = {
    "dict": "Nothing removes its entries: delete them, or bound it (functools.lru_cache with a"
    " maxsize, or drop the oldest).",
    "list": "Nothing removes its items: remove them, or bound it (collections.deque with maxlen).",
    "set": "Nothing removes its members: discard them when they are done.",
    "deque": "It has no bound: give it a maxlen, or take from it as fast as it is filled.",
}


def _bytes_text(size):
    unit = "B"
    for larger in ("KiB", "MiB", "GiB"):
        if size < 1000:
            break
        size /= 1024
        unit = larger
    return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.3g} {unit}"


# What looking makes itself.
_OWN_TYPES = ("hasten.", "tracemalloc.")
# Those who may know where objects were allocated.
_TRACERS = ("hasten.tracemalloc", "tracemalloc")


def _tracers():
    """The modules that may know where objects were allocated."""
    if _tracemalloc.is_tracing():
        # -X tracemalloc starts it without this module.
        import tracemalloc  # noqa: F401
    for name in _TRACERS:
        module = sys.modules.get(name)
        if module is not None and module.is_tracing():
            yield module


def _site(samples):
    """Where most of the objects were allocated, as frames with the innermost last."""
    sites = Counter()
    for module in _tracers():
        for sample in samples:
            trace = module.get_object_traceback(sample)
            if trace:
                sites[tuple((frame.filename, frame.lineno) for frame in trace)] += 1
        if sites:
            return sites.most_common(1)[0][0]
    return ()


def _amounts():
    """Bytes and blocks that are alive, by the line that allocated them, where a module knows.
    The snapshot itself is not kept: it would be among what grows."""
    for module in _tracers():
        return {
            (frame.filename, frame.lineno): (line.size, line.count)
            for line in module.take_snapshot().statistics("lineno")
            for frame in line.traceback[-1:]
        }
    return None


def _grown_sites(older, newer):
    """Lines that have more alive than they had, but for what looking takes itself."""
    if older is None or newer is None:
        return ()
    modules = [sys.modules.get(name) for name in (__name__, *_TRACERS)]
    own = {module.__file__ for module in modules if module is not None}
    sites = [
        Site(*place, *amounts, *older.get(place, (0, 0)))
        for place, amounts in newer.items()
        if place[0] not in own
    ]
    grown = (site for site in sites if site.bytes > site.bytes_before)
    return tuple(sorted(grown, key=lambda site: site.bytes_before - site.bytes))


def _is_hashable(kind):
    """Without asking the type, whose attributes are the program's code."""
    for base in type.__dict__["__mro__"].__get__(kind):
        names = type.__dict__["__dict__"].__get__(base)
        if "__hash__" in names:
            return names["__hash__"] is not None
    return True


def _can_be_weak(samples):
    """Whether there are weak references to these, and containers of such."""
    offset = type.__dict__["__weakrefoffset__"]
    kinds = {id(kind): kind for kind in map(type, samples)}.values()
    return bool(kinds) and all(offset.__get__(k) != 0 and _is_hashable(k) for k in kinds)


def _advise(kind, chain, can_be_weak):
    if kind in _ADVICE:
        return _ADVICE[kind]
    advice = _BOUND.get(kind, "")
    weak = "dict key" if kind == "dict" and "(key " in chain else kind
    if can_be_weak and weak in _WEAK:
        advice = f"{advice} {_WEAK[weak]}.".strip()
    return advice or "Something keeps what it should let go of: see its holder."


class Site:
    """A line, and how much of what it allocated is alive."""

    __slots__ = ("bytes", "bytes_before", "count", "count_before", "file", "line")

    def __init__(self, file, line, bytes, count, bytes_before, count_before):
        self.file = file
        self.line = line
        self.bytes = bytes
        self.count = count
        self.bytes_before = bytes_before
        self.count_before = count_before

    def __repr__(self):
        more = _bytes_text(self.bytes - self.bytes_before)
        return f"<Site {self.file}:{self.line}, {more} more>"

    def as_dict(self):
        return {name: getattr(self, name) for name in self.__slots__}


class Content:
    """Objects of one type that a leak holds."""

    __slots__ = ("bytes", "count", "type")

    def __init__(self, type, count, bytes):
        self.type = type
        self.count = count
        self.bytes = bytes

    def __repr__(self):
        return f"Content(type={self.type!r}, count={self.count}, bytes={self.bytes})"

    def as_dict(self):
        return {"type": self.type, "count": self.count, "bytes": self.bytes}


class Leak:
    """Something that grows: what, where it hangs, by how much."""

    __slots__ = (
        "advice",
        "bytes",
        "chain",
        "contents",
        "count",
        "growth",
        "holder",
        "holder_type",
        "iterations",
        "kind",
        "site",
        "type",
    )

    def __init__(self, found):
        samples = found["samples"]
        self.chain = found["chain"]
        self.holder = found["holder"]
        self.holder_type = found["holder_type"]
        self.kind = found["kind"]
        self.type = found["type"]
        self.count = found["count"]
        self.bytes = found["bytes"]
        self.iterations = found["iterations"]
        self.growth = found["cohorts"]
        self.contents = [Content(*content) for content in found["contents"]]
        self.site = _site(samples)
        self.advice = _advise(self.kind, self.chain, _can_be_weak(samples))

    @property
    def count_per_iteration(self):
        return self.count / max(self.iterations, 1)

    @property
    def bytes_per_iteration(self):
        return self.bytes / max(self.iterations, 1)

    def as_dict(self):
        return {
            "chain": self.chain,
            "holder": self.holder,
            "holder_type": self.holder_type,
            "kind": self.kind,
            "type": self.type,
            "count": self.count,
            "bytes": self.bytes,
            "iterations": self.iterations,
            "count_per_iteration": self.count_per_iteration,
            "bytes_per_iteration": self.bytes_per_iteration,
            "growth": [{"count": count, "bytes": size} for count, size in self.growth],
            "contents": [content.as_dict() for content in self.contents],
            "site": [{"file": file, "line": line} for file, line in self.site],
            "advice": self.advice,
        }

    def lines(self):
        """The leak in words, the first line for those who read only one."""
        each = _bytes_text(self.bytes_per_iteration)
        yield f"{self.chain}: {each} more in each iteration ({self.kind})"
        holder = f" ({self.holder_type})" if self.holder_type else ""
        yield f"held by {self.holder}{holder}"
        if self.contents:
            parts = ", ".join(
                f"{content.count} {content.type} ({_bytes_text(content.bytes)})"
                for content in self.contents
            )
            yield f"kept in {self.iterations} iterations: {parts}"
        else:
            yield f"larger by {_bytes_text(self.bytes)} after {self.iterations} iterations"
        if self.site:
            file, line = self.site[-1]
            yield f"allocated at {file}:{line}"
        yield self.advice

    def __repr__(self):
        return f"<Leak {self.chain}: {_bytes_text(self.bytes_per_iteration)} an iteration>"


class Watch:
    """Watches the program's objects from mark to mark. A context manager whose end is the
    report; as a decorator, each return of the function is a mark."""

    def __init__(self, *, limit=10, least_bytes=LEAST_BYTES):
        self.limit = limit
        self.least_bytes = least_bytes
        self._watcher = Watcher()
        self._leaks = ()
        self._sites = ()
        self._facts = {}
        self._first = None  # amounts at the first mark, by line

    def mark(self):
        """Ends an iteration (the first call: begins the first). Answers its number."""
        if self._first is None:
            self._first = _amounts()
        return self._watcher.mark()

    @property
    def iterations(self):
        return max(self._watcher.marks - 1, 0)

    def report(self, *, unjudged=False):
        """Looks at what grew so far; the watch goes on. `unjudged`: where there were too few
        iterations for a verdict, whatever is new."""
        found = self._watcher.report(self.limit, self.least_bytes, unjudged)
        self._sites = _grown_sites(self._first, _amounts())
        self._leaks = tuple(Leak(finding) for finding in found.pop("findings"))
        self._facts = found
        return self

    @property
    def leaks(self):
        """What grew, by bytes, as of the last report."""
        return self._leaks

    @property
    def sites(self):
        """Lines that have more alive than at the first mark (the first after tracemalloc was
        started), the most grown first. Empty where allocations are not traced."""
        return self._sites

    def __enter__(self):
        self.mark()
        return self

    def __exit__(self, *_):
        if self._watcher.marks == 1:
            self.mark()
        self.report()

    def __call__(self, function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            if self._watcher.marks == 0:
                self.mark()
            try:
                return function(*args, **kwargs)
            finally:
                self.mark()

        return call

    def __bool__(self):
        """Whether anything leaks."""
        return bool(self._leaks)

    def _grown_types(self):
        rows = (row for row in self._facts.get("types", ()) if not row[0].startswith(_OWN_TYPES))
        return sorted(rows, key=lambda row: row[3] - row[4])

    def _grown(self):
        """Tables of what there is more of than at the first mark; none where it is not known
        which lines that is of."""
        sites = [
            (site.bytes - site.bytes_before, site.count - site.count_before, place)
            for site in self._sites[:MOST_GROWN]
            for place in [f"{site.file}:{site.line}"]
        ]
        types = [
            (size - bytes_before, count - count_before, name)
            for name, count_before, count, bytes_before, size in self._grown_types()[:MOST_GROWN]
        ]
        for title, rows in (("line", sites), ("type", types)):
            if not sites or not rows:
                continue
            yield ""
            yield f"more than at the first mark, by {title}"
            shown = [(_bytes_text(size), f"{count:+d}", name) for size, count, name in rows]
            widths = [max(map(len, column)) for column in zip(*shown)]
            for size, count, name in shown:
                yield f"   {size:>{widths[0]}}  {count:>{widths[1]}}  {name}"

    def as_dict(self):
        """All of the last report, ready for JSON."""
        facts = self._facts
        return {
            "iterations": facts.get("iterations", 0),
            "objects": facts.get("objects", 0),
            "levelled_off": facts.get("levelled", 0),
            "replaced": facts.get("replaced", 0),
            "bounded": facts.get("bounded", 0),
            "garbage_bytes": facts.get("garbage_bytes", 0),
            "collector": facts.get("collector", True),
            "leaks": [leak.as_dict() for leak in self._leaks],
            "types": [
                {
                    "type": name,
                    "count_before": count_before,
                    "count": count,
                    "bytes_before": bytes_before,
                    "bytes": size,
                }
                for name, count_before, count, bytes_before, size in self._grown_types()
            ],
            "sites": [site.as_dict() for site in self._sites],
        }

    def text(self):
        """The last report in words."""
        if not self._facts:
            return "nothing was reported yet: call report(), or leave the with statement"
        iterations = self._facts["iterations"]
        after = f"after {iterations} iteration{'' if iterations == 1 else 's'}"
        if iterations < LEAST_ITERATIONS and not self._leaks:
            return (
                f"no verdict {after}: what grows once may only be warming up."
                f" Call mark() after each of {LEAST_ITERATIONS} iterations or more."
            )
        if not self._leaks:
            return f"no leak {after}"
        count = len(self._leaks)
        lines = [f"{count} leak{'' if count == 1 else 's'} {after}"]
        for number, leak in enumerate(self._leaks, 1):
            first, *rest = leak.lines()
            lines += ["", f"{number}. {first}", *(f"   {line}" for line in rest)]
        return "\n".join([*lines, *self._grown()])

    __str__ = text


def watch(*, limit=10, least_bytes=LEAST_BYTES):
    """A new watch: `with hasten.leaks.watch() as found:`, or a decorator."""
    return Watch(limit=limit, least_bytes=least_bytes)


_default = []


def mark():
    """A mark of the program's own watch, which begins with the first."""
    if not _default:
        _default.append(Watch())
    return _default[0].mark()


def report():
    """What grew between the calls of mark()."""
    if not _default:
        _default.append(Watch())
        _default[0].mark()
    return _default[0].report()
