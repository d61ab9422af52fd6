# SPDX-License-Identifier: MIT
"""lru_cache and cache on `async def`: event loops that wait, fail, end and are forked."""

import asyncio
import copy
import gc
import inspect
import os
import threading
import warnings
import weakref

import pytest
from hasten.functools import cache, cached_method, lru_cache


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


def test_sizes_of_async_results():
    gone = []

    @lru_cache(maxbytes=10, weigh=len, on_evict=lambda key, value: gone.append((key, value)))
    async def function(text):
        await asyncio.sleep(0)
        return text

    async def main():
        for text in ("aaaa", "bbbb", "aaaa", "cccc", "too long for all"):
            assert await function(text) == text
        assert function.cache_stats().size == 8 and gone == [("bbbb", "bbbb")]
        assert function.cache_info()[:2] == (1, 4)
        assert function.cache_discard("aaaa") and not function.cache_discard("aaaa")

    asyncio.run(main())


def test_weigh_that_raises():
    @lru_cache(maxbytes=10, weigh=lambda value: 1 // value)
    async def function(value):
        return value

    async def main():
        with pytest.raises(ZeroDivisionError):
            await function(0)
        assert await function(1) == 1

    asyncio.run(main())
    assert function.cache_info()[:2] == (0, 2)


def test_stale_async_results():
    now, calls, go_on = [0.0], [], None

    @lru_cache(ttl=10, stale=5, clock=lambda: now[0])
    async def function():
        calls.append(None)
        if len(calls) == 2:
            await go_on.wait()
        return len(calls)

    async def main():
        nonlocal go_on
        go_on = asyncio.Event()
        assert await function() == 1
        now[0] = 12
        refresh = asyncio.create_task(function())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [await function(), await function()] == [1, 1]
        assert function.cache_stats().stale == 2
        go_on.set()
        assert await refresh == 2 and await function() == 2
        now[0] = 40
        assert await function() == 3

    asyncio.run(main())


def test_time_begins_when_the_result_is_there():
    now = [0.0]

    @cache(ttl=10, clock=lambda: now[0])
    async def function():
        now[0] += 9
        return now[0]

    async def main():
        assert await function() == 9
        now[0] = 18
        assert await function() == 9
        now[0] = 19
        assert await function() == 28

    asyncio.run(main())


def test_kept_failures_go_by_the_given_clock():
    now, calls = [0.0], []

    @cache(exceptions=Wrong, exceptions_ttl=5, clock=lambda: now[0])
    async def function():
        calls.append(None)
        raise Wrong

    async def main():
        for now[0] in (0, 4.9, 5, 9.9):
            with pytest.raises(Wrong):
                await function()

    asyncio.run(main())
    assert len(calls) == 2


def test_what_fails_late_does_not_take_a_newer_result_away():
    calls, go_on = [], None

    @cache
    async def function():
        calls.append(None)
        if len(calls) == 1:
            await go_on.wait()
            raise Wrong
        return "newer"

    async def main():
        nonlocal go_on
        go_on = asyncio.Event()
        first = asyncio.create_task(function())
        while not calls:
            await asyncio.sleep(0)
        function.cache_clear()
        assert await function() == "newer"
        go_on.set()
        with pytest.raises(Wrong):
            await first
        assert await function() == "newer" and len(calls) == 2

    asyncio.run(main())


def test_what_lands_after_it_was_forgotten_is_not_kept():
    calls, go_on = [], None

    @cache
    async def function(number):
        calls.append(number)
        await go_on.wait()
        return len(calls)

    async def main():
        nonlocal go_on
        go_on = asyncio.Event()
        first = asyncio.create_task(function(1))
        while not calls:
            await asyncio.sleep(0)
        assert function.cache_discard(1) and not function.cache_discard(1)
        go_on.set()
        assert await first == 1
        assert await function(1) == 2 == await function(1)

    asyncio.run(main())


@pytest.mark.parametrize("shared", [True, False, None])
def test_failures_shared_with_those_who_wait(shared):
    calls = []

    @lru_cache(exceptions_shared=shared)
    async def function():
        calls.append(None)
        number = len(calls)
        await asyncio.sleep(0.001)
        if number < 3:
            raise Wrong(number)
        return number

    async def main():
        answers = await asyncio.gather(*[function() for _ in range(4)], return_exceptions=True)
        if shared is False:
            assert [str(answer) for answer in answers] == ["1", "2", "3", "3"]
        else:
            assert [str(answer) for answer in answers] == ["1"] * 4
            assert len(set(map(id, answers))) == 1
            assert function.cache_stats().waits == 3

    asyncio.run(main())


def test_a_loop_that_is_cancelled_does_not_cancel_those_of_other_loops():
    calls, answers, inside = [], [], threading.Event()

    @cache
    async def function():
        calls.append(None)
        if len(calls) == 1:
            inside.set()
            await asyncio.sleep(3600)
        return len(calls)

    async def begin():
        task = asyncio.create_task(function())
        while not waits.is_set():
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        assert not task.done()
        # Here its loop ends, and with it the computation.

    async def wait():
        waits.set()
        return await function()

    waits = threading.Event()
    first = threading.Thread(target=lambda: asyncio.run(begin()))
    first.start()
    assert inside.wait(30)
    others = [
        threading.Thread(target=lambda: answers.append(asyncio.run(wait()))) for _ in range(2)
    ]
    for other in others:
        other.start()
    for thread in [first, *others]:
        thread.join(30)
        assert not thread.is_alive()
    assert answers == [2, 2]


def test_arguments_that_change_while_it_is_computed():
    @cache(key=lambda request: request["id"])
    async def function(request):
        request["id"] = "changed"
        await asyncio.sleep(0)
        return request

    async def main():
        request = {"id": 1}
        assert await function(request) is request
        assert await function({"id": 1}) is request
        assert function.cache_info()[:2] == (1, 1)

    asyncio.run(main())


def test_no_room():
    calls = []

    @lru_cache(maxsize=0)
    async def function():
        calls.append(None)
        await asyncio.sleep(0)

    async def main():
        await asyncio.gather(function(), function())
        await function()

    asyncio.run(main())
    assert len(calls) == 3 and function.cache_info() == (0, 3, 0, 0)


class Client:
    def __init__(self, name):
        self.name, self.calls = name, 0

    @cached_method(maxsize=3)
    async def get(self, path, *, fast=False):
        "Its text."
        self.calls += 1
        await asyncio.sleep(0.001)
        if path == "wrong":
            raise Wrong
        return f"{self.name}{path}{self.calls}"

    @cached_method(ttl=10, key=lambda request: request["path"])
    async def keyed(self, request):
        return [self.name, request["path"]]


def test_async_methods():
    async def main():
        one, other = Client("a"), Client("b")
        answers = await asyncio.gather(one.get("/"), one.get("/"), other.get("/"))
        assert answers == ["a/1", "a/1", "b/1"] and await Client.get(one, "/") == "a/1"
        assert one.get.cache_info() == (2, 1, 3, 1) and other.get.cache_info()[1] == 1
        assert await one.get("/", fast=True) == "a/2"
        for _ in range(2):
            with pytest.raises(Wrong):
                await one.get("wrong")
        assert one.calls == 4
        assert one.get.cache_discard("/") and await one.get("/") == "a/5"
        kept = await one.keyed({"path": "x", "more": 1})
        assert await one.keyed({"path": "x"}) is kept == ["a", "x"]
        assert one.keyed.cache_discard({"path": "x"})
        assert await one.keyed({"path": "x"}) is not kept
        duplicate = copy.copy(one)
        duplicate.calls = 10
        assert await duplicate.get("/") == "a/11"

    asyncio.run(main())
    assert Client.get.__name__ == "get" and Client.get.__doc__ == "Its text."


def test_async_methods_do_not_keep_instances_alive():
    async def main():
        client = Client("a")
        await client.get("/")
        with pytest.raises(Wrong):
            await client.get("wrong")
        gone = weakref.ref(client)
        # The loop tells of the end of tasks a little later.
        for _ in range(3):
            await asyncio.sleep(0)
        gc.disable()
        try:
            del client
            assert gone() is None
        finally:
            gc.enable()

    asyncio.run(main())


def test_the_async_method_of_one_instance_on_another():
    async def main():
        one = Client("a")
        await one.get("/")
        other = copy.deepcopy(one.get)
        other.__self__.name = "b"
        assert await other("/") == "b/2"

    asyncio.run(main())


def test_without_a_loop_nothing_is_begun():
    """Who is on a loop then is not kept waiting by who was on none."""

    @cache
    async def function(number):
        return number

    coroutine = function(1)
    with pytest.raises(RuntimeError, match="no running event loop"):
        coroutine.send(None)
    assert asyncio.run(asyncio.wait_for(function(1), 30)) == 1
