# SPDX-License-Identifier: MIT
"""lru_cache and cache on `async def`: event loops that wait, fail, end and are forked."""

import asyncio
import gc
import inspect
import os
import threading
import warnings

import pytest
from hasten.functools import cache, lru_cache


class Wrong(Exception):
    pass


def test_the_result_of_an_async_function_is_kept():
    calls = []

    @lru_cache(maxsize=3)
    async def function(number):
        "Its text."
        calls.append(number)
        await asyncio.sleep(0.01)
        return [number]

    async def main():
        answers = await asyncio.gather(*[function(1) for _ in range(5)])
        assert all(answer is answers[0] for answer in answers)
        assert await asyncio.create_task(function(1)) is answers[0]
        return answers[0]

    first = asyncio.run(main())
    # Another loop: what is there is there.
    assert asyncio.run(main()) is first
    assert calls == [1]
    assert inspect.iscoroutinefunction(function)
    assert function.cache_info()[1:] == (1, 3, 1)
    assert function.__doc__ == "Its text." and function.__wrapped__ is not function
    function.cache_clear()
    assert asyncio.run(main()) is not first


def test_one_who_waits_is_cancelled():
    @cache
    async def function():
        await asyncio.sleep(0.05)
        return 5

    async def main():
        tasks = [asyncio.create_task(function()) for _ in range(3)]
        await asyncio.sleep(0.01)
        tasks[0].cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(answers[0], asyncio.CancelledError) and answers[1:] == [5, 5]

    asyncio.run(main())
    assert function.cache_info().misses == 1


def test_failures_of_async_functions():
    calls = []

    @lru_cache
    async def function():
        calls.append(None)
        await asyncio.sleep(0)
        raise Wrong

    @lru_cache(exceptions=Wrong, exceptions_ttl=30)
    async def kept():
        calls.append(None)
        raise Wrong

    async def main(function):
        answers = await asyncio.gather(*[function() for _ in range(3)], return_exceptions=True)
        assert [type(answer) for answer in answers] == [Wrong] * 3
        with pytest.raises(Wrong):
            await function()

    asyncio.run(main(function))
    assert len(calls) == 2
    calls.clear()
    asyncio.run(main(kept))
    assert len(calls) == 1


def test_a_loop_that_ends_in_the_middle():
    @cache
    async def function():
        await asyncio.sleep(0.02)
        return 5

    async def begin():
        task = asyncio.create_task(function())
        await asyncio.sleep(0.005)
        assert not task.done()

    asyncio.run(begin())
    assert asyncio.run(function()) == 5


def test_two_loops_wait_for_one_computation():
    calls, answers = [], []

    @cache
    async def function():
        calls.append(None)
        await asyncio.sleep(0.1)
        return 5

    threads = [
        threading.Thread(target=lambda: answers.append(asyncio.run(function()))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert answers == [5, 5, 5] and len(calls) == 1


def test_a_loop_that_is_closed_in_the_middle():
    calls = []

    @cache
    async def function():
        calls.append(None)
        await asyncio.sleep(0 if len(calls) > 1 else 3600)
        return len(calls)

    loop = asyncio.new_event_loop()
    task = loop.create_task(function())
    while not calls:
        loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert asyncio.run(function()) == 2
    # Its coroutine is told that it ends, which is not that of the second.
    del task, loop
    gc.collect()
    assert asyncio.run(function()) == 2 and len(calls) == 2


def test_fork_while_a_loop_computes():
    calls = []

    @cache
    async def function():
        calls.append(None)
        await asyncio.sleep(0.01)
        return len(calls)

    async def main():
        task = asyncio.create_task(function())
        while not calls:
            await asyncio.sleep(0)
        child = os.fork()
        if child == 0:
            try:
                thread = threading.Thread(target=lambda: calls.append(asyncio.run(function())))
                thread.start()
                thread.join()
            finally:
                os._exit(0 if calls == [None, None, 2] else 1)
        assert await task == 1
        assert os.waitpid(child, 0)[1] == 0

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        asyncio.run(main())


def test_async_options():
    now = [0.0]

    @lru_cache(ttl=10, clock=lambda: now[0], key=lambda argument: argument["id"], copy=True)
    async def function(argument):
        return [argument["id"]]

    async def main():
        answer = await function({"id": 1})
        answer.append(2)
        assert await function({"id": 1}) == [1]
        now[0] = 11
        await function({"id": 1})
        assert function.cache_stats().misses == 2

    asyncio.run(main())
    for keywords in ({"maxbytes": 10}, {"ttl": 1, "stale": 1}):
        with pytest.raises(TypeError, match="is not for async functions"):
            lru_cache(**keywords)(function.__wrapped__)
