# SPDX-License-Identifier: MIT
"""A server that keeps results for many processes (Redis, Valkey), as one process has it.

A thread for each server listens to what the server says of keys that change, in the
server's broadcasting mode: it is told the prefixes that matter and needs to remember
nothing of who read what. Redis sends such messages on one connection (the listener's) on
behalf of another, the writer's, which is left out when it is itself who writes, so that a
process does not hear of its own results.
"""

import atexit
import os
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from hasten._shared import server
from hasten._shared.server import Connections, Refused, Unreachable, refusals

PING_S = 1.0  # between questions whether the server is there
RETRY_S = 1.0  # between attempts to reach it
LOCK_S = 10.0  # for how long who computes has the right to, unless it is renewed
SCANNED_AT_ONCE = 1000

_CHANNEL = b"__redis__:invalidate"
_HOLDS = "redis.call('get', KEYS[1]) == ARGV[1]"
_UNLOCK = f"if {_HOLDS} then return redis.call('del', KEYS[1]) end return 0"
_RENEW = f"if {_HOLDS} then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0"


class Subscriber(Protocol):
    """Who wants to hear of keys with a prefix."""

    prefix: bytes

    def hear(self, key: bytes) -> None: ...
    def doubt(self) -> None: ...


class Link:
    """What this process has to do with one server."""

    def __init__(self, server: Any) -> None:
        self._connections = Connections(server)
        self.name = self._connections.name
        self._subscribers: dict[bytes, list[weakref.ref[Subscriber]]] = {}
        self._warned: set[str] = set()
        self._begin()

    def _begin(self) -> None:
        """As it is without a thread and connections; in a child of fork() again."""
        # They can be had again by who has them: collecting garbage and signals may run code
        # of the program at any place, which may call what is cached here.
        self._lock = threading.RLock()  # the thread, and prefixes; before the next
        self._writing = threading.RLock()  # the writer
        self._is_writing = False
        self._waiting = threading.RLock()
        self._thread: threading.Thread | None = None
        self._ends = threading.Event()
        self._tried = threading.Event()
        self._listener: Any = None
        self._writer: Any = None
        self._listener_id = 0
        self._tracked: set[bytes] = set()
        self._waiters: dict[bytes, list[Callable[[], object]]] = {}
        # What this process computes: by keys of rights, what tells them from others', and who.
        self.rights: dict[bytes, tuple[bytes, object]] = {}
        self.is_up = False  # messages come
        self.is_usable = False  # and it answered when it was last asked

    # Who hears of what.

    def attach(self, subscriber: Subscriber) -> None:
        """Lets it hear of its keys from now on. Answers once the server was reached, or
        could not be."""
        with self._lock:
            known = [some for some in self._subscribers.get(subscriber.prefix, []) if some()]
            if weakref.ref(subscriber) not in known:
                known.append(weakref.ref(subscriber))
            self._subscribers[subscriber.prefix] = known
            self._start()
            if self.is_up and subscriber.prefix not in self._tracked:
                try:
                    self._track([subscriber.prefix])
                except (Unreachable, Refused):
                    self.is_usable = self.is_up = False  # The thread does the rest.
        self._tried.wait(4 * (server.CONNECT_S + server.ANSWER_S))

    def ensure(self) -> None:
        """That the thread runs: a child of fork() has none."""
        if self._thread is None:
            with self._lock:
                self._start()
            self._tried.wait(4 * (server.CONNECT_S + server.ANSWER_S))

    def _start(self) -> None:
        if self._thread is not None or self._ends.is_set():
            return
        # An interpreter within another may have no daemons, and perhaps no threads. One that
        # is no daemon is waited for at the end: it must be told before that, which only
        # this function of the standard module's does.
        for is_daemon in True, False:
            try:
                if not is_daemon:
                    threading._register_atexit(self.end)  # type: ignore[attr-defined]
                thread = threading.Thread(
                    target=self._run, name="hasten shared cache", daemon=is_daemon
                )
                thread.start()
            except (RuntimeError, AttributeError) as error:
                trouble = error
            else:
                self._thread = thread
                return
        self._ends.set()
        self._tried.set()
        self.warn("lost", f"results are computed here and not kept ({trouble})")

    def is_watched(self) -> bool:
        """Whether a thread listens, or will: else nothing may be kept."""
        return self._thread is not None

    def _all(self, prefix: bytes | None = None) -> Iterator[Subscriber]:
        lists = (
            self._subscribers.values() if prefix is None else [self._subscribers.get(prefix, [])]
        )
        for references in list(lists):
            for reference in list(references):
                subscriber = reference()
                if subscriber is not None:
                    yield subscriber

    def tell(self, key: bytes, but: Subscriber | None = None) -> None:
        """A key's value is another one."""
        end = key.find(b":", key.find(b":") + 1) + 1
        for subscriber in self._all(key[:end]):
            if subscriber is not but:
                subscriber.hear(key)
        with self._waiting:
            calls = list(self._waiters.get(key, ()))
        for call in calls:
            call()

    def _doubt(self) -> None:
        for subscriber in self._all():
            subscriber.doubt()
        with self._waiting:
            calls = [call for some in self._waiters.values() for call in some]
        for call in calls:
            call()

    @contextmanager
    def waiting(self, key: bytes, call: Callable[[], object]) -> Iterator[None]:
        """Calls when something is said of the key."""
        with self._waiting:
            self._waiters.setdefault(key, []).append(call)
        try:
            yield
        finally:
            with self._waiting:
                calls = self._waiters.get(key, [])
                if call in calls:
                    calls.remove(call)
                if not calls:
                    self._waiters.pop(key, None)

    def warn(self, kind: str, text: str) -> None:
        """Once for each kind of trouble."""
        if kind not in self._warned:
            self._warned.add(kind)
            # Where warnings are errors: a cache does not make a program fail.
            with suppress(RuntimeWarning):
                warnings.warn(f"shared cache {self.name}: {text}", RuntimeWarning, stacklevel=2)

    # The thread.

    def _run(self) -> None:
        pause = 0.05
        while not self._ends.is_set():
            try:
                self._connect()
                pause = 0.05
                self._listen()
            except Exception as error:  # Whatever a server may answer.
                if not self._ends.is_set():
                    self.warn("lost", f"results are computed here ({error})")
            self._fall()
            self._close()
            self._tried.set()
            self._ends.wait(pause)
            pause = min(2 * pause, RETRY_S)

    def _connect(self) -> None:
        listener = self._listener = self._connections.make()
        listener.send_command("CLIENT", "ID")
        self._listener_id = int(listener.read_response())
        listener.send_command("SUBSCRIBE", _CHANNEL)
        if listener.read_response()[0] != b"subscribe":
            raise Unreachable("no subscription")
        writer = self._connections.make()
        writer.send_command("PING")
        writer.read_response()
        with self._lock:
            with self._writing:
                self._writer = writer
            self._tracked = set()
            self._track([prefix for prefix in self._subscribers if any(self._all(prefix))])
            self._doubt()
            self.is_usable = self.is_up = True
        self._tried.set()

    def _track(self, prefixes: list[bytes]) -> None:
        """Messages about keys with these prefixes too."""
        if prefixes:
            command: list[Any] = ["CLIENT", "TRACKING", "ON", "REDIRECT", self._listener_id]
            command += ["BCAST", "NOLOOP"]
            for prefix in prefixes:
                command += ["PREFIX", prefix]
            [answer] = self._exchange([command])
            if isinstance(answer, Exception):
                raise Refused(str(answer)) from answer
            self._tracked.update(prefixes)

    def _listen(self) -> None:
        listener = self._listener
        until_s = time.monotonic() + PING_S
        while self.is_up and not self._ends.is_set():
            if listener.can_read(timeout=max(0.001, until_s - time.monotonic())):
                self._heard(listener.read_response())
            if time.monotonic() >= until_s or not self.is_usable:
                self._check()
                until_s = time.monotonic() + PING_S

    def _heard(self, message: Any) -> None:
        if message[0] == b"message" and message[1] == _CHANNEL:
            if message[2] is None:  # All keys are gone.
                self._doubt()
                return
            for key in message[2]:
                self.tell(key)

    def _check(self) -> None:
        """Whether both connections are there; what came before the answer is heard first."""
        listener = self._listener
        listener.send_command("PING")
        while True:
            if not listener.can_read(timeout=server.ANSWER_S):
                raise Unreachable("no answer in time")
            message = listener.read_response()
            if message[0] == b"pong":
                break
            self._heard(message)
        commands: list[list[Any]] = [["PING"]]
        for key, (token, _) in list(self.rights.items()):
            commands.append(["EVAL", _RENEW, 1, key, token, int(LOCK_S * 1000)])
        # Who has it notices itself whether the connection is there.
        if self._writing.acquire(blocking=False):
            try:
                self._exchange(commands)
            finally:
                self._writing.release()
        self.is_usable = True

    def _fall(self) -> None:
        """No message may come any more: nothing that was kept is believed."""
        self.is_usable = self.is_up = False
        self._doubt()

    def _close(self) -> None:
        with self._writing:
            connections = [self._listener, self._writer, *self._connections.give_up()]
            self._listener = self._writer = None
        for connection in connections:
            if connection is not None:
                connection.disconnect()

    def end(self) -> None:
        """At the end of the process: the thread sleeps in its connection."""
        self._ends.set()
        listener, thread = self._listener, self._thread
        sock = getattr(listener, "_sock", None)
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(2)
        if thread is not None:
            thread.join(timeout=server.ANSWER_S)

    def forked(self) -> None:
        """In a child: its parent has the connections, and the thread."""
        connections = [self._listener, self._writer, *self._connections.give_up()]
        self._begin()
        for connection in connections:
            if connection is not None and connection.pid != os.getpid():
                connection.disconnect()  # Closes, and does not shut down.
        for subscriber in self._all():
            subscriber.doubt()

    # What is asked.

    @contextmanager
    def _writer_alone(self) -> Iterator[Callable[..., list[Any]]]:
        """The writer for one thread: a function that answers what it answers to commands."""

        def exchange(*commands: list[Any]) -> list[Any]:
            writer.send_packed_command(writer.pack_commands(commands))
            return [self._connections.answer(writer) for _ in commands]

        with self._writing:
            if self._writer is None or self._is_writing:
                raise Unreachable("not connected")
            writer, self._is_writing = self._writer, True
            try:
                yield exchange
            except BaseException as error:
                # An answer may yet come, so the connection is of no use; messages go with it.
                self._writer, self.is_usable, self.is_up = None, False, False
                writer.disconnect()
                if isinstance(error, Exception):
                    raise Unreachable(str(error)) from error
                raise
            finally:
                self._is_writing = False

    def _exchange(self, commands: list[list[Any]]) -> list[Any]:
        try:
            with self._writer_alone() as exchange:
                return exchange(*commands)
        except BaseException:
            self._fall_if_lost()
            raise

    def _fall_if_lost(self) -> None:
        # With nothing locked: what was kept may have code that runs when it goes.
        if not self.is_up:
            self._doubt()

    def _ask(self, *commands: tuple[Any, ...]) -> list[Any]:
        try:
            return self._connections.ask(*commands)
        except Unreachable:
            self.is_usable = False  # Until the thread has seen to it.
            raise

    def read(self, key: bytes) -> bytes | None:
        [answer] = self._ask(("GETRANGE", key, 0, server.LARGEST_BYTES))
        return answer or None

    def claim(
        self, key: bytes, right: bytes, token: bytes, owner: object
    ) -> tuple[bool, bytes | None]:
        """Whether this process is the one to compute the value of the key, and the value
        that there is by now."""
        claimed, payload = self._ask(
            ("SET", right, token, "NX", "PX", int(LOCK_S * 1000)),
            ("GETRANGE", key, 0, server.LARGEST_BYTES),
        )
        if claimed:
            self.rights[right] = token, owner
        return bool(claimed), payload or None

    def release(self, right: bytes, token: bytes) -> None:
        self.rights.pop(right, None)
        self._ask(("EVAL", _UNLOCK, 1, right, token))

    def write(self, key: bytes, payload: bytes, life_ms: int, right: bytes, token: bytes) -> bool:
        """Writes a value if this process still has the right to, which ends. Whoever
        invalidates the key in between takes the right away."""
        self.rights.pop(right, None)
        store: list[Any] = ["SET", key, payload]
        store += ["PX", life_ms] if life_ms else []
        answers: list[Any] = []
        try:
            with self._writer_alone() as exchange:
                held = exchange(["WATCH", right], ["GET", right])[1]
                if held == token:
                    answers = exchange(["MULTI"], store, ["UNLINK", right], ["EXEC"])
                else:
                    exchange(["UNWATCH"])
        except BaseException:
            self._fall_if_lost()
            raise
        for refusal in refusals(answers):
            raise Refused(str(refusal)) from refusal
        return bool(answers) and answers[-1] is not None

    def invalidate(self, key: bytes, right: bytes) -> bool:
        """Everybody forgets the value; who computes it does not write. Answers whether
        there was one."""
        # That a key which is not there is removed says nothing to anybody: so it is made.
        gone: list[list[Any]] = [["UNLINK", right], ["UNLINK", key]]
        said: list[list[Any]] = [["SET", key, b""], ["UNLINK", key]]
        answers = self._exchange([["MULTI"], *gone, *said, ["EXEC"]])
        if not refusals(answers):
            return bool(answers[-1][1])
        # A server that is full takes no transaction and no new key.
        answers = self._exchange(gone)
        for refusal in refusals(answers):
            raise Refused(str(refusal)) from refusal
        return bool(answers[1])

    def clear(self, prefix: bytes, patterns: tuple[bytes, ...]) -> None:
        """Removes all keys that match; then everybody forgets those with the prefix."""
        for pattern in patterns:
            cursor: Any = b"0"
            while True:
                scan = ("SCAN", cursor, "MATCH", pattern, "COUNT", SCANNED_AT_ONCE)
                [(cursor, keys)] = self._ask(scan)
                if keys:
                    for refusal in refusals(self._exchange([["UNLINK", *keys]])):
                        raise Refused(str(refusal)) from refusal
                if cursor == b"0":
                    break
        self.invalidate(prefix, prefix)


_links: dict[Any, Link] = {}


def link_to(server: Any) -> Link:
    """The link to a server: one for each URL or client in the process."""
    key = server if isinstance(server, str) else server.connection_pool
    return _links.get(key) or _links.setdefault(key, Link(server))


def _forked() -> None:
    for link in list(_links.values()):
        link.forked()


def _end() -> None:
    for link in list(_links.values()):
        link.end()


os.register_at_fork(after_in_child=_forked)
atexit.register(_end)
