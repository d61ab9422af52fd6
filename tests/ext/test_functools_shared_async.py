# SPDX-License-Identifier: MIT
"""Shared results of coroutine functions."""

import asyncio

import pytest
from hasten._shared import link as _shared_link
from hasten.functools import cache, lru_cache
from shared_server import until


def squaring(url, **options):
    made = []

    @cache(shared=url, namespace="async", version="1", **options)
    async def square(number):
        made.append(number)
        await asyncio.sleep(0.01)
        return [number * number]

    return square, made


def test_one_computes_for_all(server):
    square, made = squaring(server.url)
    again, made_again = squaring(server.url)

    async def main():
        return await asyncio.gather(square(3), square(3), square(4))

    assert asyncio.run(main()) == [[9], [9], [16]]
    assert sorted(made) == [3, 4]

    async def later():
        return await asyncio.gather(square(3), again(3))

    assert asyncio.run(later()) == [[9], [9]]
    assert (sorted(made), made_again) == ([3, 4], [])
    assert again.cache_stats().remote_hits == 1


def test_another_process(server, other):
    square, made = squaring(server.url)
    there = other("""
        import asyncio
        @cache(shared=url, namespace="async", version="1")
        async def square(number):
            await asyncio.to_thread(sys.stdin.readline)
            return ["there"]
    """)
    assert asyncio.run(square(3)) == [9]
    assert there.ask("asyncio.run(square(3))") == [9]
    there.ask("square.cache_discard(3)")
    until(lambda: square.cache_info().currsize == 0)
    there.begin("asyncio.run(square(3))")
    until(lambda: server.names("hasten-right:*"))
    # It is computed there; the loop goes on meanwhile.

    async def main():
        turns = 0
        task = asyncio.create_task(square(3))
        while not task.done():
            await asyncio.sleep(0.001)
            turns += 1
            if turns == 10:
                there.begin("go on")
        return await task, turns

    value, turns = asyncio.run(main())
    assert value == ["there"] == there.answer()
    assert turns >= 10
    assert made == [3]


def test_cancelled(server):
    square, made = squaring(server.url)

    async def main():
        tasks = [asyncio.create_task(square(3)) for _ in range(3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    answers = asyncio.run(main())
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [[9], [9]]
    assert made == [3]


def test_a_loop_that_ends_meanwhile(server):
    begun = []

    @cache(shared=server.url, version="1")
    async def slow(number):
        begun.append(number)
        if len(begun) == 1:
            await asyncio.sleep(600)
        return number

    async def main():
        task = asyncio.create_task(slow(1))
        while not begun:
            await asyncio.sleep(0.001)
        return task

    asyncio.run(main())
    assert asyncio.run(slow(1)) == 1
    assert begun == [1, 1]


def test_failures(server):
    made = []

    @cache(shared=server.url, version="1")
    async def fail(number):
        made.append(number)
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            asyncio.run(fail(1))
    assert made == [1, 1]
    assert server.names("*") == []

    @lru_cache(shared=server.url, version="1", exceptions=ValueError, exceptions_ttl=600)
    async def fail_once(number):
        made.append(number)
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            asyncio.run(fail_once(1))
    assert made == [1, 1, 1]


@pytest.mark.filterwarnings("ignore:shared cache:RuntimeWarning")
def test_without_the_server(server):
    server.kill()
    square, made = squaring(server.url)
    assert asyncio.run(square(3)) == [9]
    server.begin()
    until(lambda: _shared_link._links[server.url].is_up)
    assert asyncio.run(square(4)) == [16]
    assert len(server.names()) == 1
    assert made == [3, 4]


def test_what_is_forgotten(server):
    square, made = squaring(server.url, copy=True)
    first = asyncio.run(square(3))
    assert asyncio.run(square(3)) is not first
    assert square.cache_discard(3) is True
    asyncio.run(square(3))
    square.cache_clear()
    assert server.names("*") == []
    asyncio.run(square(3))
    assert made == [3, 3, 3]
    with pytest.raises(TypeError, match="not for async"):
        lru_cache(shared=server.url, maxbytes=10)(awaited)


async def awaited():
    """Not a test: a coroutine function."""
