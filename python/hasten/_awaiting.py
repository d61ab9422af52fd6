# SPDX-License-Identifier: MIT
"""Results of `async def` functions, for caches: what is kept is the result, not the
coroutine, which could be awaited only once."""

import asyncio
import concurrent.futures
import os
import time
from collections.abc import Callable, Coroutine, Generator
from typing import Any


def _ignore(error: BaseException) -> None:
    pass


class Awaited:
    """One computation and those who wait for it, on whichever event loops they are.

    It runs as a task of the loop of who asks first, so that it goes on when that one is
    cancelled. Once it is done, only its result is left.
    """

    __slots__ = (
        "_coroutine",
        "_failed",
        "_future",
        "_process",
        "_task",
        "error",
        "failed_at",
        "is_done",
        "value",
    )

    def __init__(
        self, coroutine: Coroutine[Any, Any, Any], failed: Callable[[BaseException], object]
    ) -> None:
        self._coroutine: Coroutine[Any, Any, Any] | None = coroutine
        self._failed: Callable[[BaseException], object] | None = failed
        self._future: concurrent.futures.Future[Any] | None = concurrent.futures.Future()
        # That it runs: nobody who waits can cancel it.
        self._future.set_running_or_notify_cancel()
        self._process = 0
        self._task: asyncio.Task[None] | None = None
        self.is_done = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.failed_at = 0.0

    def _end(self, error: BaseException | None) -> None:
        future, failed = self._future, self._failed
        assert future is not None and failed is not None
        # Before what says that it is done: other threads look.
        self.error, self.failed_at = error, time.monotonic()
        self.is_done = True
        self._future = self._task = self._failed = None
        if error is None:
            future.set_result(self.value)
        else:
            # First, so that whoever hears of it and asks again computes.
            failed(error)
            future.set_exception(error)

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
        if not self.is_done:
            self._failed = _ignore

    async def wait(self) -> Any:
        future = self._future
        if self._coroutine is not None:
            coroutine, self._coroutine = self._coroutine, None
            self._process = os.getpid()
            self._task = asyncio.get_running_loop().create_task(self._run(coroutine))
            self._task.add_done_callback(self._ended)
        if future is None:
            if self.error is not None:
                raise self.error.with_traceback(None)
            return self.value
        return await asyncio.wrap_future(future)


class AwaitedValue(Awaited):
    """The value of an async property: it can be awaited any number of times."""

    __slots__ = ("_again",)

    _again: Callable[[], "AwaitedValue"] | None

    def _end(self, error: BaseException | None) -> None:
        super()._end(error)
        self._again = None

    def __await__(self) -> Generator[Any, None, Any]:
        if self.is_done and self.error is None:
            return self.value
        if self._again is not None and self.is_lost():
            return (yield from self._again().__await__())
        return (yield from self.wait().__await__())

    def __reduce__(self) -> Any:
        if not self.is_done or self.error is not None:
            raise TypeError("an async property that is being computed cannot be pickled")
        return _computed, (self.value,)


async def _nothing() -> None:
    pass


def _computed(value: Any) -> AwaitedValue:
    coroutine = _nothing()
    awaited = AwaitedValue(coroutine, _ignore)
    coroutine.close()
    awaited._again = None
    awaited.value, awaited.is_done = value, True
    awaited._coroutine = awaited._future = awaited._failed = None
    return awaited


def of_property(
    coroutine: Coroutine[Any, Any, Any], instance: Any, descriptor: Any
) -> AwaitedValue:
    """What an instance keeps of an async property. A failure is not kept."""

    def forget(error: BaseException | None = None) -> None:
        descriptor._forget(instance, awaited)

    def again() -> AwaitedValue:
        forget()
        value: AwaitedValue = descriptor.__get__(instance)
        return value

    awaited = AwaitedValue(coroutine, forget)
    awaited._again = again
    return awaited


def wrap(
    function: Callable[..., Coroutine[Any, Any, Any]],
    keep: Callable[[Callable[..., Any]], Any],
    exceptions: tuple[type[BaseException], ...],
    exceptions_ttl: float,
    copy: Callable[[Any], Any] | None,
) -> Any:
    """The coroutine function that answers what is kept; `keep` decorates what makes it."""

    def begin(*args: Any, **kwargs: Any) -> Awaited:
        def failed(error: BaseException) -> None:
            if not isinstance(error, exceptions):
                cached.cache_discard(*args, **kwargs)

        return Awaited(function(*args, **kwargs), failed)

    cached = keep(begin)

    async def answer(*args: Any, **kwargs: Any) -> Any:
        awaited = cached(*args, **kwargs)
        is_over = (
            awaited.error is not None and time.monotonic() - awaited.failed_at >= exceptions_ttl
        )
        if is_over or awaited.is_lost():
            awaited.abandon()
            cached.cache_discard(*args, **kwargs)
            awaited = cached(*args, **kwargs)
        if awaited.is_done and awaited.error is None:
            value = awaited.value
        else:
            value = await awaited.wait()
        return value if copy is None else copy(value)

    wrapper: Any = answer
    for name in ("cache_info", "cache_stats", "cache_clear", "cache_discard"):
        setattr(wrapper, name, getattr(cached, name))
    return wrapper
