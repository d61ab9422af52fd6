# SPDX-License-Identifier: MIT
import functools as _standard
import sys
from collections.abc import Callable
from functools import WRAPPER_ASSIGNMENTS as WRAPPER_ASSIGNMENTS
from functools import WRAPPER_UPDATES as WRAPPER_UPDATES
from functools import cmp_to_key as cmp_to_key
from functools import partial as partial
from functools import partialmethod as partialmethod
from functools import reduce as reduce
from functools import singledispatch as singledispatch
from functools import singledispatchmethod as singledispatchmethod
from functools import total_ordering as total_ordering
from functools import update_wrapper as update_wrapper
from functools import wraps as wraps
from typing import ParamSpec, TypeAlias, TypedDict, TypeVar, overload

from hasten._functools import _lru_cache_wrapper as _lru_cache_wrapper
from hasten._functools import cached_property as cached_property

if sys.version_info >= (3, 14):
    from functools import Placeholder as Placeholder

__all__ = [
    "WRAPPER_ASSIGNMENTS",
    "WRAPPER_UPDATES",
    "cache",
    "cached_property",
    "cmp_to_key",
    "lru_cache",
    "partial",
    "partialmethod",
    "reduce",
    "singledispatch",
    "singledispatchmethod",
    "total_ordering",
    "update_wrapper",
    "wraps",
]
if sys.version_info >= (3, 14):
    __all__ += ["Placeholder"]

_P = ParamSpec("_P")
_R = TypeVar("_R")

_CacheInfo: TypeAlias = _standard._CacheInfo

class _CacheParameters(TypedDict):
    maxsize: int | None
    typed: bool

@overload
def lru_cache(
    maxsize: int | None = 128, typed: bool = False
) -> Callable[[Callable[_P, _R]], _lru_cache_wrapper[_P, _R]]: ...
@overload
def lru_cache(maxsize: Callable[_P, _R], typed: bool = False) -> _lru_cache_wrapper[_P, _R]: ...
def cache(user_function: Callable[_P, _R], /) -> _lru_cache_wrapper[_P, _R]: ...
