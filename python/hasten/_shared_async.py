# SPDX-License-Identifier: MIT
"""Shared results of coroutine functions. What is kept here is the computation, begun and
awaited by whoever comes (hasten._awaiting), in a lease like any result's. The server is
asked in a thread of the loop's, so that the loop goes on."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hasten._awaiting import Awaited
from hasten._shared import ASK, WAIT, Shared, Steps


async def _drive(shared: Shared, steps: Steps, compute: Callable[[], Any]) -> tuple[Any, Any]:
    """For coroutine functions: the server is asked in a thread of the loop's."""
    loop = asyncio.get_running_loop()
    error: BaseException | None = None
    answer: Any = None
    while True:
        try:
            kind, what, arguments = steps.send(answer)
        except StopIteration as end:
            lease, value = end.value
            break
        if kind == ASK:
            answer = await loop.run_in_executor(None, shared.ask, what, *arguments)
        elif kind == WAIT:
            event = asyncio.Event()

            def wake(event: asyncio.Event = event) -> None:
                with suppress(RuntimeError):  # The loop is closed.
                    loop.call_soon_threadsafe(event.set)

            with shared.link().waiting(what, wake), suppress(asyncio.TimeoutError):
                await asyncio.wait_for(event.wait(), arguments)
        else:
            try:
                answer = True, await compute()
            except GeneratorExit:
                raise  # Nothing can be waited for any more.
            except BaseException as raised:
                error, answer = raised, (False, None)
    if error is not None:
        try:
            raise error
        finally:
            del error
    return lease, value


def beginning(
    shared: Shared, function: Callable[..., Any], exceptions: tuple[type[BaseException], ...]
) -> Callable[..., Any]:
    """The same for coroutine functions: the lease is of what will be."""

    async def fetch(lease: Any, name: bytes, args: Any, kwargs: Any) -> Any:
        steps = shared.steps(lease, name, True)
        return (await _drive(shared, steps, lambda: function(*args, **kwargs)))[1]

    def begin(*args: Any, **kwargs: Any) -> Any:
        name = shared.name(args, kwargs)
        lease = shared.leases.announce(name)

        def failed(error: BaseException) -> None:
            if not isinstance(error, exceptions):
                lease.revoke()

        lease.hold(Awaited(fetch(lease, name, args, kwargs), failed))
        return lease

    return begin


def answering(cached: Any, options: dict[str, Any], discard_here: Callable[..., Any]) -> Any:
    """The coroutine function in front of what keeps computations."""
    ttl_s, copy = options["failure_ttl"], options["copy"]

    async def answer(*args: Any, **kwargs: Any) -> Any:
        awaited = cached(*args, **kwargs)
        is_over = awaited.error is not None and time.monotonic() - awaited.failed_at >= ttl_s
        if is_over or awaited.is_lost():
            awaited.abandon()
            discard_here(*args, **kwargs)
            awaited = cached(*args, **kwargs)
        if awaited.is_done and awaited.error is None:
            value = awaited.value
        else:
            value = await awaited.wait()
        return value if copy is None else copy(value)

    return answer
