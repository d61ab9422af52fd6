# SPDX-License-Identifier: MIT
"""async-lru's names, for its tests, over hasten.functools."""

import asyncio
import functools
import random  # noqa: F401 (its tests look for it here)
from typing import Any, TypedDict, TypeVar

from hasten.functools import lru_cache

_R = TypeVar("_R")
_LRUCacheWrapper = list[_R]


class _CacheParameters(TypedDict):
    typed: bool
    maxsize: int | None
    tasks: int
    closed: bool


class AlruCacheLoopResetWarning(UserWarning):
    pass


def _is_coroutine_function(function):
    while isinstance(function, (functools.partial, functools.partialmethod)):
        function = function.func
    return asyncio.iscoroutinefunction(function)


def alru_cache(maxsize: Any = 128, typed: bool = False, **options: Any) -> Any:
    def decorate(function):
        if not _is_coroutine_function(function):
            raise RuntimeError("only coroutine functions are for it")
        made = lru_cache(maxsize, typed, **options)(function)
        made.cache_invalidate = made.cache_discard
        made.cache_parameters = lambda: _CacheParameters(
            typed=typed, maxsize=maxsize, tasks=0, closed=False
        )
        return made

    if callable(maxsize):
        function, maxsize = maxsize, 128
        return decorate(function)
    if not (maxsize is None or isinstance(maxsize, int)):
        raise NotImplementedError
    return decorate
