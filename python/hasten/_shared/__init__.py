# SPDX-License-Identifier: MIT
"""Results of a function that a server keeps for many processes: what `shared=` does.

In front is the function's own cache in C, and a hit there comes nowhere near this module.
Each result in it is a lease (src/ext/functools/shared.h), which ends when the server says
that the key has another value. A call that misses comes here: it announces the lease, asks
the server, and computes what is not there, if no other process does.

What such a call does is a generator, `Shared.steps`: it yields what must be done, and two
drivers do it, one for functions and one for coroutine functions. They answer with what
came of it and never throw into it, so that what a function raises passes by unchanged.
"""

import hashlib
import os
import random
import threading
import time
from collections.abc import Callable, Generator
from types import FunctionType
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from hasten._functools import _Leases, _shared_key
from hasten._shared.link import Link, link_to
from hasten._shared.server import LARGEST_BYTES, Refused, Unreachable
from hasten._shared.values import Unfit, namespace_of, pack, serializer_of, unpack, version_of

WAIT_S = 30.0  # for what another process computes, before computing it here too
POLL_S = (0.01, 0.25)  # first and last pause between looks whether it is there
LONGEST_NAME = 200  # bytes of arguments in a key; more are a hash

_SCHEMES = {
    "redis": "redis",
    "rediss": "rediss",
    "unix": "unix",
    "valkey": "redis",
    "valkeys": "rediss",
}
ASK, WAIT, COMPUTE = range(3)
_NONE, _FRESH, _STALE = range(3)
_FAILED: Any = object()

_Step = tuple[int, Any, Any]
Steps = Generator[_Step, Any, tuple[Any, Any]]


class SharedCacheStats(NamedTuple):
    """What cache_stats() answers: what it does of any cache, and of the server."""

    hits: int
    misses: int
    evictions: int
    expirations: int
    stale: int
    waits: int
    size: int
    seconds_saved: float
    remote_hits: int
    remote_misses: int
    remote_errors: int
    invalidations: int
    unshared: int


_COUNTED = SharedCacheStats._fields[SharedCacheStats._fields.index("remote_hits") :]


def address_of(server: Any) -> Any:
    """A URL that redis-py knows, or a client of its."""
    if isinstance(server, str):
        scheme = urlsplit(server).scheme
        if scheme not in _SCHEMES:
            names = ", ".join(f"{name}://" for name in _SCHEMES)
            raise ValueError(f"shared= wants a URL that begins with {names}")
        return _SCHEMES[scheme] + server[len(scheme) :]
    pool = getattr(server, "connection_pool", None)
    if pool is None or ".asyncio" in type(pool).__module__:
        raise TypeError("shared= wants a URL, or a client redis.Redis that is not of asyncio")
    return server


class Shared:
    """What a function's calls share with those in other processes."""

    def __init__(
        self, function: Any, typed: bool, given: dict[str, Any], options: dict[str, Any]
    ) -> None:
        self._server = address_of(given["shared"])
        self._function = function
        self._version = given.get("version")
        if self._version is None and not isinstance(function, FunctionType):
            namespace_of(function)  # Refuses.
        namespace = given.get("namespace") or namespace_of(function)
        for what, text in ("namespace", namespace), ("version", self._version or ""):
            if not isinstance(text, str):
                raise TypeError(f"{what}= wants text")
        self._namespace = quote(namespace, safe="<>()/@ ").encode()
        self._serializer = serializer_of(given.get("serializer", "json"))
        self._key = options["key"]
        self._typed = typed
        self._ttl_s: float | None = options["ttl"] or None
        self._stale_s: float = options["stale"]
        self._jitter: float = options["jitter"]
        self.prefix = b"hasten:" + self._namespace + b":"
        self._names: bytes | None = None
        self._link: Link | None = None
        self.leases = _Leases()
        self.counts = dict.fromkeys(_COUNTED, 0)

    def stats(self, *here: Any) -> Any:
        return SharedCacheStats(*here, *self.counts.values())

    # Names.

    def name(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
        """The key in the server of what a call answers."""
        names = self._names
        if names is None:
            version = self._version
            version = version_of(self._function) if version is None else quote(version, safe="")
            names = self._names = self.prefix + version.encode() + b":"
        if self._key is not None:
            args, kwargs = (self._key(*args, **kwargs),), {}
        name: bytes = _shared_key(names, args, kwargs, self._typed)
        if len(name) > len(names) + LONGEST_NAME:
            digest = hashlib.blake2b(name[len(names) :], digest_size=20).hexdigest()
            name = names + b"#" + digest.encode()
        return name

    @staticmethod
    def right(name: bytes) -> bytes:
        """The key of the right to compute it, of which no messages are sent."""
        return b"hasten-right:" + name[len(b"hasten:") :]

    # What the link tells.

    def hear(self, key: bytes) -> None:
        if key == self.prefix:
            self.counts["invalidations"] += 1
            self.leases.revoke_all()
        else:
            self.counts["invalidations"] += self.leases.revoke(key)

    def doubt(self) -> None:
        self.leases.revoke_all()

    # The server.

    def link(self) -> Link:
        """Made at the first call, and begun again in a child of fork()."""
        link = self._link
        if link is not None:
            link.ensure()
            return link
        try:
            link = link_to(self._server)
        except RuntimeError as error:
            # Some modules cannot be imported once the interpreter ends.
            raise Unreachable(str(error)) from error
        link.attach(self)
        self._link = link
        return link

    def ask(self, method: Callable[..., Any], *arguments: Any) -> Any:
        """What the server answers, or _FAILED, counted."""
        try:
            return method(*arguments)
        except Unreachable as error:
            self.counts["remote_errors"] += 1
            self._warn("lost", f"results are computed here ({error})")
        except Refused as error:
            self.counts["remote_errors"] += 1
            self._warn("refused", f"the server refuses ({error})")
        return _FAILED

    def _warn(self, kind: str, text: str) -> None:
        if self._link is not None:
            self._link.warn(kind, text)

    def open(self, payload: bytes) -> tuple[int, Any, float | None]:
        """How good what the server has is, the value, and the seconds that are left of it."""
        try:
            if len(payload) > LARGEST_BYTES:
                raise ValueError("too large")
            value, left_s = unpack(self._serializer, payload)
        except Exception as error:
            self.counts["remote_errors"] += 1
            self._warn("rubbish", f"something else is where a result should be ({error!r})")
            return _NONE, None, None
        if left_s is None or left_s > 0 or self._ttl_s is None:
            return _FRESH, value, left_s
        if left_s < -self._ttl_s - self._stale_s:
            # Kept by who had another stale=: a clock that differs is no reason for so much.
            return _NONE, None, None
        return _STALE if self._stale_s > 0 else _FRESH, value, left_s

    def take(self, lease: Any, left_s: float | None) -> None:
        """The server's value is what the call answers."""
        self.counts["remote_hits"] += 1
        if left_s is not None and self._ttl_s is not None:
            # Clocks of two machines differ: never longer than if it were computed now.
            lease.limit(min(left_s, self._ttl_s), self._stale_s)

    # A call that missed.

    def read(self, lease: Any, name: bytes) -> tuple[bool, Any]:
        """Whether the server has the value, where it is known to be there: most calls that
        miss end here."""
        link = self._link
        if link is not None and link.is_usable:
            payload = self.ask(link.read, name)
            if payload is not None and payload is not _FAILED:
                quality, value, left_s = self.open(payload)
                if quality == _FRESH:
                    self.take(lease, left_s)
                    return True, value
        return False, None

    def steps(self, lease: Any, name: bytes, is_async: bool) -> Steps:
        """Answers a lease, of coroutine functions the same one, and the value."""
        link = yield ASK, self.link, ()
        right = self.right(name)
        token = os.urandom(12)
        until_s = time.monotonic() + WAIT_S
        pause_s = POLL_S[0]
        has_missed = False
        while link is not _FAILED and link.is_usable:
            if not is_async:
                if link.rights.get(right, (b"", None))[1] is self:
                    # The cache in front lets this through while the same is computed here
                    # only where it would wait for itself.
                    break
                if not lease.is_alive:
                    # What is asked for from here on is newer than what ended it.
                    lease = self.leases.announce(name)
            answer = yield ASK, link.claim, (name, right, token, self)
            if answer is _FAILED:
                break
            is_ours, payload = answer
            quality, value, left_s = _NONE, None, None
            if payload is not None:
                quality, value, left_s = self.open(payload)
            if quality == _FRESH or (quality == _STALE and not is_ours):
                self.take(lease, left_s)
                if is_ours:
                    yield ASK, link.release, (right, token)
                return lease, value
            if not has_missed:
                has_missed = True
                self.counts["remote_misses"] += 1
            if is_ours:
                return (yield from self._compute(lease, name, right, token))
            if time.monotonic() >= until_s:
                break
            yield WAIT, name, pause_s
            pause_s = min(2 * pause_s, POLL_S[1])
        if link is _FAILED or not link.is_watched():
            lease.revoke()
        _, value = yield COMPUTE, None, None
        return lease, value

    def _compute(self, lease: Any, name: bytes, right: bytes, token: bytes) -> Steps:
        link = self._link
        assert link is not None
        try:
            is_computed, value = yield COMPUTE, None, None
            if not is_computed:
                yield ASK, link.release, (right, token)
                return lease, None
            payload, life_ms = self._pack(value)
            if payload is None:
                yield ASK, link.release, (right, token)
                return lease, value
            is_written = yield ASK, link.write, (name, payload, life_ms, right, token)
            if is_written is _FAILED:
                if link.is_usable:
                    yield ASK, link.release, (right, token)
            elif is_written:
                link.tell(name, but=self)
            else:
                # It was invalidated, or took longer than it had the right to.
                lease.revoke()
            return lease, value
        finally:
            link.rights.pop(right, None)

    def _pack(self, value: Any) -> tuple[bytes | None, int]:
        end_ms = life_ms = 0
        if self._ttl_s is not None:
            life_s = self._ttl_s * (1 + self._jitter * random.uniform(-1, 1))
            end_ms = int((time.time() + life_s) * 1000)
            if self._stale_s != float("inf"):
                life_ms = max(1, int((life_s + self._stale_s) * 1000))
        try:
            payload = pack(self._serializer, value, end_ms)
            if len(payload) > LARGEST_BYTES:
                raise Unfit(f"it is larger than {LARGEST_BYTES >> 20} MiB")
        except Unfit as error:
            self.counts["unshared"] += 1
            kind = f"a result of {self._namespace.decode()} stays here"
            self._warn(kind, f"{kind}: {error}")
            return None, 0
        return payload, life_ms

    # What a program asks for.

    def clear(self) -> None:
        """In all processes, and in the server."""
        link = self._connected()
        # Anything but letters and digits may mean something in a pattern.
        name = "".join(
            chr(byte) if chr(byte).isalnum() else "\\" + chr(byte) for byte in self._namespace
        ).encode()
        try:
            link.clear(self.prefix, (b"hasten-right:" + name + b":*", b"hasten:" + name + b":*"))
        except (Unreachable, Refused) as error:
            raise ConnectionError(f"shared cache {link.name}: {error}") from error
        finally:
            self.leases.revoke_all()

    def _connected(self) -> Link:
        try:
            return self.link()
        except Unreachable as error:
            raise ConnectionError(f"shared cache: {error}") from error

    def discard(self, name: bytes) -> bool:
        link = self._connected()
        try:
            return link.invalidate(name, self.right(name))
        except (Unreachable, Refused) as error:
            raise ConnectionError(f"shared cache {link.name}: {error}") from error
        finally:
            # Last: what was asked for before may have been the old value.
            self.leases.revoke(name)
            link.tell(name)


def _drive(shared: Shared, steps: Steps, compute: Callable[[], Any]) -> tuple[Any, Any]:
    """For functions: does what must be done, one after the other."""
    error: BaseException | None = None
    answer: Any = None
    while True:
        try:
            kind, what, arguments = steps.send(answer)
        except StopIteration as end:
            lease, value = end.value
            break
        if kind == ASK:
            answer = shared.ask(what, *arguments)
        elif kind == WAIT:
            event = threading.Event()
            with shared.link().waiting(what, event.set):
                event.wait(arguments)
        else:
            try:
                answer = True, compute()
            except BaseException as raised:
                error, answer = raised, (False, None)
    if error is not None:
        try:
            raise error
        finally:
            del error
    return lease, value


def _computing(shared: Shared, function: Callable[..., Any]) -> Callable[..., Any]:
    """What the cache in front calls when it misses: answers a lease."""
    announce, read, name_of = shared.leases.announce, shared.read, shared.name

    def compute(*args: Any, **kwargs: Any) -> Any:
        name = name_of(args, kwargs)
        lease = announce(name)
        found, value = read(lease, name)
        if not found:
            steps = shared.steps(lease, name, False)
            lease, value = _drive(shared, steps, lambda: function(*args, **kwargs))
        lease.hold(value)
        return lease

    return compute


def _opened(call: Callable[..., Any] | None, is_async: bool) -> Callable[..., Any] | None:
    """A function of the program's that is given a result, which here is in a lease."""
    if call is None:
        return None

    def tell(*arguments: Any) -> Any:
        *before, lease = arguments
        value = lease.value
        if is_async:
            if not value.is_done or value.error is not None:
                return None
            value = value.value
        return call(*before, value)

    return tell


def wrap(
    function: Any,
    is_async: bool,
    typed: bool,
    given: dict[str, Any],
    options: dict[str, Any],
    manage: Callable[[Any, dict[str, Any], Any], Any],
) -> Any:
    """The cached function; `manage` makes the cache in front of what computes."""
    if given.get("clock") is not None:
        raise TypeError("clock= is not for shared results")
    server = Shared(function, typed, given, options)
    inner = options | {
        "weigh": _opened(options["weigh"], False),
        "on_evict": _opened(options["on_evict"], is_async),
        "single_flight": not is_async,
    }
    if is_async:
        from hasten._shared import coroutines

        inner |= {"copy": None, "failures": None, "shared": False}
        failures, failures_s = options["failures"] or (), options["failure_ttl"]
        compute = coroutines.beginning(server, function, failures, failures_s)
    else:
        compute = _computing(server, function)
    cached = manage(compute, inner, server.stats)
    server.leases.serve(cached)
    clear_here, discard_here = cached.cache_clear, cached.cache_discard

    def cache_clear(*, shared: bool = True) -> None:
        server.leases.revoke_all()
        clear_here()
        server.counts.update(dict.fromkeys(_COUNTED, 0))
        if shared:
            server.clear()

    def cache_discard(*args: Any, **kwargs: Any) -> bool:
        name = server.name(args, kwargs)
        was_here = discard_here(*args, **kwargs)
        return server.discard(name) or was_here

    wrapper = cached
    if is_async:
        wrapper = coroutines.answering(cached, options, discard_here)
        wrapper.cache_info, wrapper.cache_stats = cached.cache_info, cached.cache_stats
    wrapper.cache_clear, wrapper.cache_discard = cache_clear, cache_discard
    return wrapper
