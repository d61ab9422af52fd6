# SPDX-License-Identifier: MIT
"""Shared results of coroutine functions. What is kept here is the computation, begun and
awaited by whoever comes (hasten._awaiting), in a lease like any result's. The server is
asked in a thread of the loop's, so that the loop goes on."""

import asyncio
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
    shared: Shared,
    function: Callable[..., Any],
    exceptions: tuple[type[BaseException], ...],
    exceptions_s: float,
) -> Callable[..., Any]:
    """What the cache in front calls when it misses: answers a lease of what will be."""

    async def fetch(lease: Any, name: bytes, args: Any, kwargs: Any) -> Any:
        steps = shared.steps(lease, name, True)
        return (await _drive(shared, steps, lambda: function(*args, **kwargs)))[1]

    def begin(*args: Any, **kwargs: Any) -> Any:
        name = shared.name(args, kwargs)
        lease = shared.leases.announce(name)

        def landed(awaited: Awaited) -> None:
            if isinstance(awaited.error, exceptions):
                lease.limit(exceptions_s, 0)
            elif awaited.error is not None:
                lease.revoke()

        lease.hold(Awaited(fetch(lease, name, args, kwargs), landed))
        return lease

    return begin


def answering(cached: Any, options: dict[str, Any], discard_here: Callable[..., Any]) -> Any:
    """The coroutine function in front of what keeps computations."""
    copy, shares_failures = options["copy"], options["shared"]

    async def answer(*args: Any, **kwargs: Any) -> Any:
        while True:
            awaited = cached(*args, **kwargs)
            if awaited.is_lost():
                awaited.abandon()
                discard_here(*args, **kwargs)
                continue
            is_mine = awaited.is_done or await awaited.wait()
            if awaited.error is None:
                return awaited.value if copy is None else copy(awaited.value)
            # Another loop may have ended in the middle of it.
            is_failure = shares_failures and isinstance(awaited.error, Exception)
            if is_mine or is_failure:
                awaited.raise_error()

    return answer
