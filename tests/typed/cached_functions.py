# SPDX-License-Identifier: MIT
"""What type checkers see of hasten.functools: mypy and pyright read this, nobody runs it."""

from collections.abc import Callable
from datetime import timedelta
from typing import assert_type

from hasten.functools import Cache, cache, cached_method, cached_property, lru_cache


@lru_cache
def plain(number: int, *, text: str = "") -> list[int]:
    return [number]


@lru_cache(maxsize=10, typed=True)
def limited(number: int) -> str:
    return str(number)


@cache
def unlimited(number: int) -> float:
    return number


@cache(ttl=timedelta(minutes=1), single_flight=True, exceptions_shared=True)
def managed(number: int, /) -> bytes:
    return bytes(number)


@lru_cache(maxbytes=1000, weigh=len)
async def awaited(path: str) -> bytes:
    return path.encode()


class Owner:
    @lru_cache(maxsize=3)
    def shared(self, number: int) -> int:
        return number

    @cached_method
    def plain(self, number: int) -> str:
        return str(number)

    @cached_method(ttl=3)
    def managed(self, number: int) -> str:
        return str(number)

    @cached_method
    async def fetched(self, path: str) -> bytes:
        return path.encode()

    @cached_property
    def value(self) -> int:
        return 1

    @cached_property(ttl=60, once=True)
    def timed(self) -> str:
        return ""

    @cached_property
    async def session(self) -> bytes:
        return b""


assert_type(plain(1, text="x"), list[int])
assert_type(limited(1), str)
assert_type(unlimited(1), float)
assert_type(managed(1), bytes)
assert_type(plain.cache_info().hits, int)
assert_type(managed.cache_stats().seconds_saved, float)
assert_type(managed.cache_discard(1), bool)
assert_type(limited.cache_parameters()["maxsize"], int | None)


async def main() -> None:
    assert_type(await awaited("x"), bytes)
    assert_type(await Owner().session, bytes)
    assert_type(await Owner().fetched("x"), bytes)


owner = Owner()
assert_type(owner.shared(1), int)
assert_type(owner.plain(1), str)
assert_type(owner.managed(1), str)
assert_type(owner.managed.cache_discard(1), bool)
assert_type(owner.value, int)
assert_type(owner.timed, str)

words: Cache[str, int] = Cache(maxsize=10, ttl=1.5)
assert_type(words["x"], int)
assert_type(words.get("x"), int | None)
assert_type(words.pop("x", "none"), int | str)
assert_type(words.stats().size, int)
clock: Callable[[], float] = words.stats().seconds_saved.__float__

# Each of these is wrong, and is to be found.
plain("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
limited(1, 2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
owner.plain()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
words[1] = 1  # type: ignore[index]  # pyright: ignore[reportArgumentType]
lru_cache(policy="fifo")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
