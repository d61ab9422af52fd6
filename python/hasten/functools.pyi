# SPDX-License-Identifier: MIT
import functools as _standard
import sys
from collections.abc import Callable, Iterator, MutableMapping
from datetime import timedelta
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
from typing import (
    Any,
    Literal,
    NamedTuple,
    ParamSpec,
    Protocol,
    Required,
    Self,
    TypeAlias,
    TypedDict,
    TypeVar,
    overload,
)

from hasten._functools import _cached_method as _cached_method
from hasten._functools import _lru_cache_wrapper as _lru_cache_wrapper
from hasten._functools import _managed_cache_wrapper as _managed_cache_wrapper
from hasten._functools import _Mapping, _Wrapped
from hasten._functools import cached_property as cached_property
from hasten._shared import SharedCacheStats as _SharedCacheStats

if sys.version_info >= (3, 14):
    from functools import Placeholder as Placeholder

__all__ = [
    "WRAPPER_ASSIGNMENTS",
    "WRAPPER_UPDATES",
    "Cache",
    "cache",
    "cached_method",
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
_R_co = TypeVar("_R_co", covariant=True)
_K = TypeVar("_K")
_V = TypeVar("_V")
_D = TypeVar("_D")

_Policy: TypeAlias = Literal["lru", "sieve", "s3fifo", "tinylfu"]
_Exceptions: TypeAlias = type[BaseException] | tuple[type[BaseException], ...]
_CacheInfo: TypeAlias = _standard._CacheInfo

class _CacheParameters(TypedDict, total=False):
    maxsize: Required[int | None]
    typed: Required[bool]
    ttl: float | timedelta
    jitter: float
    clock: Callable[[], float]
    maxbytes: int
    weigh: Callable[[Any], int]
    key: Callable[..., Any]
    policy: str
    single_flight: bool
    stale: float | timedelta | bool
    exceptions: _Exceptions
    exceptions_ttl: float | timedelta
    exceptions_shared: bool
    copy: bool | Callable[[Any], Any]
    on_evict: Callable[[Any, Any], object]
    shared: Any
    namespace: str
    version: str
    serializer: Literal["json", "msgpack", "pickle"] | _Serializer

class _CacheStats(NamedTuple):
    hits: int
    misses: int
    evictions: int
    expirations: int
    stale: int
    waits: int
    size: int
    seconds_saved: float

class _Serializer(Protocol):
    def dumps(self, value: Any, /) -> bytes: ...
    def loads(self, data: bytes, /) -> Any: ...

class _SharedCached(_Wrapped[_P, _R_co]):
    """A cached function whose results many processes have; only for types."""

    def cache_info(self) -> _CacheInfo: ...
    def cache_stats(self) -> _SharedCacheStats: ...
    def cache_clear(self, *, shared: bool = True) -> None: ...
    def cache_discard(self, *args: Any, **kwargs: Any) -> bool: ...

class _SharedDecorator(Protocol):
    def __call__(self, function: Callable[_P, _R], /) -> _SharedCached[_P, _R]: ...

class _Decorator(Protocol):
    def __call__(self, function: Callable[_P, _R], /) -> _managed_cache_wrapper[_P, _R]: ...

@overload
def lru_cache(
    maxsize: int | None = 128, typed: bool = False
) -> Callable[[Callable[_P, _R]], _lru_cache_wrapper[_P, _R]]: ...
@overload
def lru_cache(maxsize: Callable[_P, _R], typed: bool = False) -> _lru_cache_wrapper[_P, _R]: ...
@overload
def lru_cache(
    maxsize: int | None = 128,
    typed: bool = False,
    *,
    ttl: float | timedelta | None = None,
    jitter: float = 0.0,
    clock: Callable[[], float] | None = None,
    maxbytes: int | None = None,
    weigh: Callable[[Any], int] | None = None,
    key: Callable[..., Any] | None = None,
    policy: _Policy = "lru",
    single_flight: bool = False,
    stale: float | timedelta | bool | None = None,
    exceptions: _Exceptions | None = None,
    exceptions_ttl: float | timedelta = 1.0,
    exceptions_shared: bool | None = None,
    copy: bool | Callable[[Any], Any] | None = None,
    on_evict: Callable[[Any, Any], object] | None = None,
) -> _Decorator: ...
@overload
def lru_cache(
    maxsize: int | None = 128,
    typed: bool = False,
    *,
    ttl: float | timedelta | None = None,
    jitter: float = 0.0,
    maxbytes: int | None = None,
    weigh: Callable[[Any], int] | None = None,
    key: Callable[..., Any] | None = None,
    policy: _Policy = "lru",
    single_flight: bool = False,
    stale: float | timedelta | bool | None = None,
    exceptions: _Exceptions | None = None,
    exceptions_ttl: float | timedelta = 1.0,
    copy: bool | Callable[[Any], Any] | None = None,
    on_evict: Callable[[Any, Any], object] | None = None,
    shared: Any,
    namespace: str | None = None,
    version: str | None = None,
    serializer: Literal["json", "msgpack", "pickle"] | _Serializer = "json",
) -> _SharedDecorator: ...
@overload
def cache(user_function: Callable[_P, _R], /) -> _lru_cache_wrapper[_P, _R]: ...
@overload
def cache(
    user_function: None = None,
    /,
    *,
    typed: bool = False,
    ttl: float | timedelta | None = None,
    jitter: float = 0.0,
    clock: Callable[[], float] | None = None,
    maxbytes: int | None = None,
    weigh: Callable[[Any], int] | None = None,
    key: Callable[..., Any] | None = None,
    policy: _Policy = "lru",
    single_flight: bool = False,
    stale: float | timedelta | bool | None = None,
    exceptions: _Exceptions | None = None,
    exceptions_ttl: float | timedelta = 1.0,
    exceptions_shared: bool | None = None,
    copy: bool | Callable[[Any], Any] | None = None,
    on_evict: Callable[[Any, Any], object] | None = None,
) -> _Decorator: ...
@overload
def cache(
    user_function: Callable[_P, _R],
    /,
    *,
    typed: bool = False,
    ttl: float | timedelta | None = None,
    jitter: float = 0.0,
    clock: Callable[[], float] | None = None,
    maxbytes: int | None = None,
    weigh: Callable[[Any], int] | None = None,
    key: Callable[..., Any] | None = None,
    policy: _Policy = "lru",
    single_flight: bool = False,
    stale: float | timedelta | bool | None = None,
    exceptions: _Exceptions | None = None,
    exceptions_ttl: float | timedelta = 1.0,
    exceptions_shared: bool | None = None,
    copy: bool | Callable[[Any], Any] | None = None,
    on_evict: Callable[[Any, Any], object] | None = None,
) -> _managed_cache_wrapper[_P, _R]: ...
@overload
def cache(
    user_function: None = None,
    /,
    *,
    typed: bool = False,
    ttl: float | timedelta | None = None,
    jitter: float = 0.0,
    maxbytes: int | None = None,
    weigh: Callable[[Any], int] | None = None,
    key: Callable[..., Any] | None = None,
    policy: _Policy = "lru",
    single_flight: bool = False,
    stale: float | timedelta | bool | None = None,
    exceptions: _Exceptions | None = None,
    exceptions_ttl: float | timedelta = 1.0,
    copy: bool | Callable[[Any], Any] | None = None,
    on_evict: Callable[[Any, Any], object] | None = None,
    shared: Any,
    namespace: str | None = None,
    version: str | None = None,
    serializer: Literal["json", "msgpack", "pickle"] | _Serializer = "json",
) -> _SharedDecorator: ...
@overload
def cache(
    user_function: Callable[_P, _R],
    /,
    *,
    typed: bool = False,
    ttl: float | timedelta | None = None,
    jitter: float = 0.0,
    maxbytes: int | None = None,
    weigh: Callable[[Any], int] | None = None,
    key: Callable[..., Any] | None = None,
    policy: _Policy = "lru",
    single_flight: bool = False,
    stale: float | timedelta | bool | None = None,
    exceptions: _Exceptions | None = None,
    exceptions_ttl: float | timedelta = 1.0,
    copy: bool | Callable[[Any], Any] | None = None,
    on_evict: Callable[[Any, Any], object] | None = None,
    shared: Any,
    namespace: str | None = None,
    version: str | None = None,
    serializer: Literal["json", "msgpack", "pickle"] | _Serializer = "json",
) -> _SharedCached[_P, _R]: ...

class _MethodDecorator(Protocol):
    def __call__(self, function: Callable[_P, _R], /) -> _cached_method[_P, _R]: ...

@overload
def cached_method(maxsize: Callable[_P, _R], typed: bool = False) -> _cached_method[_P, _R]: ...
@overload
def cached_method(
    maxsize: int | None = 128,
    typed: bool = False,
    *,
    ttl: float | timedelta | None = None,
    jitter: float = 0.0,
    clock: Callable[[], float] | None = None,
    maxbytes: int | None = None,
    weigh: Callable[[Any], int] | None = None,
    key: Callable[..., Any] | None = None,
    policy: _Policy = "lru",
    single_flight: bool = False,
    stale: float | timedelta | bool | None = None,
    exceptions: _Exceptions | None = None,
    exceptions_ttl: float | timedelta = 1.0,
    exceptions_shared: bool | None = None,
    copy: bool | Callable[[Any], Any] | None = None,
    on_evict: Callable[[Any, Any], object] | None = None,
) -> _MethodDecorator: ...

class Cache(_Mapping, MutableMapping[_K, _V]):
    def __new__(
        cls,
        maxsize: int | None = None,
        *,
        maxbytes: int | None = None,
        weigh: Callable[[_V], int] | None = None,
        policy: _Policy = "lru",
        ttl: float | timedelta | None = None,
        jitter: float = 0.0,
        clock: Callable[[], float] | None = None,
        on_evict: Callable[[_K, _V], object] | None = None,
    ) -> Self: ...
    def __init__(
        self,
        maxsize: int | None = None,
        *,
        maxbytes: int | None = None,
        weigh: Callable[[_V], int] | None = None,
        policy: _Policy = "lru",
        ttl: float | timedelta | None = None,
        jitter: float = 0.0,
        clock: Callable[[], float] | None = None,
        on_evict: Callable[[_K, _V], object] | None = None,
    ) -> None: ...
    def __getitem__(self, key: _K, /) -> _V: ...
    def __setitem__(self, key: _K, value: _V, /) -> None: ...
    def __delitem__(self, key: _K, /) -> None: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[_K]: ...
    def clear(self) -> None: ...
    @overload
    def get(self, key: _K, default: None = None) -> _V | None: ...
    @overload
    def get(self, key: _K, default: _V | _D) -> _V | _D: ...
    @overload
    def pop(self, key: _K, /) -> _V: ...
    @overload
    def pop(self, key: _K, default: _V | _D, /) -> _V | _D: ...
    def popitem(self) -> tuple[_K, _V]: ...
    @overload
    def setdefault(self: Cache[_K, _D | None], key: _K, default: None = None) -> _D | None: ...
    @overload
    def setdefault(self, key: _K, default: _V) -> _V: ...
    def stats(self) -> _CacheStats: ...
