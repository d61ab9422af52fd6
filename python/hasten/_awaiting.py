# SPDX-License-Identifier: MIT
"""Results of `async def` functions, for caches: what is kept is the result, not the
coroutine, which could be awaited only once."""

import asyncio
import concurrent.futures
import os
import time
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeAlias

_MISSING = object()
_Call: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]


class Awaited:
    """One computation and those who wait for it, on whichever event loops they are.

    It runs as a task of the loop of who asks first, so that it goes on when that one is
    cancelled. Once it is done, only its result is left.
    """

    __slots__ = (
        "_begun",
        "_future",
        "_landed",
        "_process",
        "_start",
        "_task",
        "_traceback",
        "error",
        "is_done",
        "seconds",
        "value",
    )

    def __init__(
        self, coroutine: Coroutine[Any, Any, Any], landed: Callable[["Awaited"], object] | None
    ) -> None:
        # Of one item, which whoever begins it takes: among threads, one does.
        self._start: list[Coroutine[Any, Any, Any]] = [coroutine]
        self._landed = landed
        self._future: concurrent.futures.Future[None] | None = concurrent.futures.Future()
        # That it runs: nobody who waits can cancel it.
        self._future.set_running_or_notify_cancel()
        self._process = 0
        self._begun = 0.0
        self._task: asyncio.Task[None] | None = None
        self._traceback: Any = None
        self.is_done = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.seconds = 0.0

    def _end(self, error: BaseException | None) -> None:
        future, landed = self._future, self._landed
        assert future is not None
        self.error, self.seconds = error, time.monotonic() - self._begun
        try:
            # First, so that whoever hears of it and asks again finds what is kept.
            if landed is not None:
                landed(self)
        except BaseException as wrong:
            self.error = error = wrong
        self._traceback = None if error is None else error.__traceback__
        # Before what says that it is done: other threads look.
        self.is_done = True
        self._future = self._task = self._landed = None
        # Never the exception, from which one who waits could not tell that it is itself
        # that is cancelled.
        future.set_result(None)

    async def _run(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        try:
            self.value = await coroutine
        except BaseException as error:
            self._end(error)
            if not isinstance(error, Exception):
                # The loop ends, or the program does.
                raise
        else:
            self._end(None)
        finally:
            # Else what failed, whose traceback has this frame, would keep itself alive.
            del self, coroutine

    def _ended(self, task: object) -> None:
        # A loop may end before the task's first step.
        if not self.is_done:
            self._end(asyncio.CancelledError())

    def is_lost(self) -> bool:
        """Whether it will never be done: its loop is closed, or runs in the parent process."""
        task = self._task
        if task is None or self.is_done:
            return False
        return task.get_loop().is_closed() or self._process != os.getpid()

    def abandon(self) -> None:
        """What becomes of it is nobody's concern any more."""
        self._landed = None

    async def wait(self) -> bool:
        """Waits until it is done; answers whether it is the caller that computes it."""
        future = self._future
        # Before it is begun: where none runs, whoever asks next begins it.
        loop = None if self.is_done else asyncio.get_running_loop()
        try:
            coroutine = self._start.pop()
        except IndexError:
            is_mine = False
        else:
            is_mine = True
            self._process, self._begun = os.getpid(), time.monotonic()
            assert loop is not None
            self._task = loop.create_task(self._run(coroutine))
            self._task.add_done_callback(self._ended)
        if future is not None:
            await asyncio.wrap_future(future)
        return is_mine

    def raise_error(self) -> None:
        """Raises what it failed with, with the traceback that it had then."""
        assert self.error is not None
        try:
            raise self.error.with_traceback(self._traceback)
        finally:
            del self


class AwaitedValue(Awaited):
    """The value of an async property: it can be awaited any number of times."""

    __slots__ = ("_again",)

    _again: Callable[[], "AwaitedValue"] | None

    def _end(self, error: BaseException | None) -> None:
        super()._end(error)
        if self.error is None:
            self._again = None

    def __await__(self) -> Generator[Any, None, Any]:
        if self.is_done and self.error is None:
            return self.value
        if self._again is not None and self.is_lost():
            return (yield from self._again().__await__())
        is_mine = yield from self.wait().__await__()
        if self.error is None:
            return self.value
        if self._again is not None and not is_mine and not isinstance(self.error, Exception):
            # Another loop ended in the middle of it.
            return (yield from self._again().__await__())
        return self.raise_error()

    def __reduce__(self) -> Any:
        if not self.is_done or self.error is not None:
            raise TypeError("an async property that is being computed cannot be pickled")
        return _computed, (self.value,)


async def _nothing() -> None:
    pass


def _computed(value: Any) -> AwaitedValue:
    coroutine = _nothing()
    awaited = AwaitedValue(coroutine, None)
    coroutine.close()
    awaited._start.clear()
    awaited._again = None
    awaited.value, awaited.is_done = value, True
    awaited._future = None
    return awaited


def of_property(
    coroutine: Coroutine[Any, Any, Any], instance: Any, descriptor: Any
) -> AwaitedValue:
    """What an instance keeps of an async property. A failure is not kept."""

    def forget() -> None:
        descriptor._forget(instance, awaited)

    def landed(_: Awaited) -> None:
        if awaited.error is not None:
            forget()
        elif (begin_time := getattr(descriptor, "_begin_time", None)) is not None:
            begin_time(instance, awaited)

    def again() -> AwaitedValue:
        forget()
        value: AwaitedValue = descriptor.__get__(instance)
        return value

    awaited = AwaitedValue(coroutine, landed)
    awaited._again = again
    return awaited


class Flights:
    """The computations of one cached function, or of one instance's, that go on.

    A *call* is what tells them apart: the arguments, or the key that was made of them.
    """

    __slots__ = ("_copy", "_flying", "_function", "_is_shared", "_shares_failures", "_skipped")

    def __init__(
        self,
        function: Callable[..., Coroutine[Any, Any, Any]],
        flying: Any,
        skipped: int,
        copy: Callable[[Any], Any] | None,
        shares_failures: bool,
        is_shared: bool,
    ) -> None:
        self._function = function
        # Keeps an Awaited for a call until it lands; nothing where each caller is to compute.
        self._flying = flying
        self._is_shared = is_shared
        # So many arguments tell whose results are meant, not which.
        self._skipped = skipped
        self._copy = copy
        self._shares_failures = shares_failures

    def _begin(self, kept: Any, call: _Call, args: Any, kwargs: Any) -> Awaited:
        """The computation of a call, which may be another thread's, begun meanwhile."""
        flying, rest, named = self._flying, call[0][self._skipped :], call[1]

        def landed(awaited: Awaited) -> None:
            # Unless it was forgotten, and another may have come in its place.
            if self._is_shared and flying._find(_MISSING, *rest, **named) is not awaited:
                return
            try:
                failed = awaited.error is not None
                value = awaited.error if failed else awaited.value
                kept._land(value, failed, awaited.seconds, *call[0], **named)
            finally:
                flying._forget(awaited, *rest, **named)

        coroutine = self._function(*args, **kwargs)
        mine = Awaited(coroutine, landed)
        awaited: Awaited = flying._meet(mine, *rest, **named)
        if awaited is not mine:
            coroutine.close()
        return awaited

    async def value(self, kept: Any, call: _Call, args: Any, kwargs: Any) -> Any:
        """What a call answers whose result is not kept."""
        flying, rest, named = self._flying, call[0][self._skipped :], call[1]
        while True:
            awaited = flying._find(_MISSING, *rest, **named)
            if awaited is not _MISSING and awaited.is_lost():
                awaited.abandon()
                flying._forget(awaited, *rest, **named)
                awaited = _MISSING
            if awaited is _MISSING:
                awaited = self._begin(kept, call, args, kwargs)
            else:
                old = kept._find_stale(_MISSING, *call[0], **named)
                if old is not _MISSING:
                    return old
            is_mine = await awaited.wait()
            error = awaited.error
            if error is None:
                if not is_mine:
                    kept._waited()
                value = awaited.value
                return value if self._copy is None else self._copy(value)
            # That another loop ended, or its program's wish to end, is no answer.
            if is_mine or (self._shares_failures and isinstance(error, Exception)):
                if not is_mine:
                    kept._waited()
                try:
                    awaited.raise_error()
                finally:
                    del awaited, error
            value = kept._find(_MISSING, *call[0], **named)
            if value is not _MISSING:
                return value


def of_function(kept: Any, flights: Flights, key: Callable[..., Any] | None) -> Any:
    """The coroutine function that answers what is kept, or computes it."""
    find, value_of = kept._find, flights.value

    async def answer(*args: Any, **kwargs: Any) -> Any:
        value = find(_MISSING, *args, **kwargs)
        if value is not _MISSING:
            return value
        return await value_of(kept, (args, kwargs), args, kwargs)

    async def keyed(*args: Any, **kwargs: Any) -> Any:
        assert key is not None
        # Once: it may be another when the computation ends.
        call = (key(*args, **kwargs),)
        value = find(_MISSING, *call)
        if value is not _MISSING:
            return value
        return await value_of(kept, (call, {}), args, kwargs)

    wrapper: Any = answer if key is None else keyed
    for name in ("cache_info", "cache_stats", "cache_clear", "cache_discard"):
        setattr(wrapper, name, getattr(kept, name))
    return wrapper


def of_method(flights: Flights, key: Callable[..., Any] | None) -> Any:
    """The same of an instance's: it is given first who keeps, and then the instance."""
    value_of = flights.value

    async def answer(kept: Any, instance: Any, /, *args: Any, **kwargs: Any) -> Any:
        if key is None:
            call = ((instance, *args), kwargs)
        else:
            call = ((instance, key(*args, **kwargs)), {})
        value = kept._find(_MISSING, *call[0], **call[1])
        if value is not _MISSING:
            return value
        return await value_of(kept, call, (instance, *args), kwargs)

    return answer
