# SPDX-License-Identifier: MIT
"""What lazy objects need of coroutines, and those that are made by one."""

import os
import threading
from collections.abc import Awaitable, Callable, Generator
from typing import Any

from hasten._awaiting import Awaited
from hasten._lazy import Proxy


class _Step:
    """Its lock is held for one step, by who begins to make an object or has made it."""

    lock = threading.Lock()


def _forked() -> None:
    # A thread that does not exist any more may have had it.
    _Step.lock = threading.Lock()


os.register_at_fork(after_in_child=_forked)


async def wait_for(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _not_awaited() -> Any:
    raise RuntimeError("the object is not there yet: await it first")


class AsyncProxy(Proxy):
    """Stands for the object that the coroutine factory() answers, which runs when the lazy
    object is first awaited; from then on it is used like any.

    Whoever awaits it meanwhile, on whatever event loop, waits for the same. Where the factory
    fails they all have its exception, and the next to await it tries again.
    """

    __slots__ = ("_awaited", "_make")

    _awaited: Awaited | None
    _make: Callable[[], Awaitable[Any]]

    def __init__(self, factory: Callable[[], Awaitable[Any]]) -> None:
        super().__init__(_not_awaited)
        self._make = factory
        self._awaited = None

    @property
    def __factory__(self) -> Any:
        return self._make

    def __await__(self) -> Generator[Any, None, Any]:
        return _obtain(self).__await__()


async def _made(proxy: AsyncProxy) -> Any:
    return await proxy._make()


def _begun(proxy: AsyncProxy) -> Awaited | None:
    """What makes the object; begun, if nobody has. None: the object is there."""

    def landed(awaited: Awaited) -> None:
        try:
            if awaited.error is None:
                proxy.__wrapped__ = awaited.value
        finally:
            with _Step.lock:
                if proxy._awaited is awaited:
                    proxy._awaited = None

    with _Step.lock:
        awaited = proxy._awaited
        if awaited is not None and awaited.is_lost():
            awaited.abandon()
            awaited = None
        if awaited is None and not proxy.__resolved__:
            awaited = proxy._awaited = Awaited(_made(proxy), landed)
        return awaited


async def _obtain(proxy: AsyncProxy) -> Any:
    while not proxy.__resolved__:
        awaited = _begun(proxy)
        if awaited is None:
            continue
        is_mine = await awaited.wait()
        # That another loop ended, or its program's wish to end, is no answer.
        if awaited.error is not None and (is_mine or isinstance(awaited.error, Exception)):
            try:
                awaited.raise_error()
            finally:
                del awaited
    return proxy.__wrapped__
