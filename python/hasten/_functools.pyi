# SPDX-License-Identifier: MIT
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import GenericAlias
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, final, overload

from typing_extensions import disjoint_base

from hasten.functools import _CacheInfo, _CacheParameters, _CacheStats

_P = ParamSpec("_P")
_Q = ParamSpec("_Q")
_R = TypeVar("_R")
_R_co = TypeVar("_R_co", covariant=True)
_I = TypeVar("_I")
_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)

class _Wrapped(Generic[_P, _R_co]):
    """What all that stands for a function has; only for types."""

    __wrapped__: Callable[..., _R_co]
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R_co: ...
    def cache_parameters(self) -> _CacheParameters: ...

class _Cached(_Wrapped[_P, _R_co]):
    """What a cached function and one bound to an instance have in common; only for types."""

    def cache_info(self) -> _CacheInfo: ...
    def cache_clear(self) -> None: ...

@disjoint_base
class _lru_cache_wrapper(_Cached[_P, _R_co]):
    def __new__(
        cls,
        user_function: Callable[_P, _R_co],
        maxsize: int | None,
        typed: bool,
        cache_info_type: Callable[..., Any],
    ) -> Self: ...
    @overload
    def __get__(self, instance: None, owner: type | None = None, /) -> Self: ...
    @overload
    def __get__(
        self: _lru_cache_wrapper[Concatenate[_I, _Q], _R],
        instance: _I,
        owner: type | None = None,
        /,
    ) -> _Cached[_Q, _R]: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: Any, /) -> Self: ...

class _Managed(_Cached[_P, _R_co]):
    """The same, of those that keep results by other rules; only for types."""

    def cache_stats(self) -> _CacheStats: ...
    def cache_discard(self, *args: Any, **kwargs: Any) -> bool: ...

@final
class _managed_cache_wrapper(_Managed[_P, _R_co]):
    def __new__(
        cls,
        user_function: Callable[_P, _R_co],
        info_type: Callable[..., Any],
        stats_type: Callable[..., Any],
        *,
        maxsize: int | None,
        maxbytes: int | None,
        typed: bool,
        policy: str,
        ttl: float,
        jitter: float,
        stale: float,
        clock: Callable[[], float] | None,
        failures: tuple[type[BaseException], ...] | None,
        failure_ttl: float,
        key: Callable[..., Any] | None,
        weigh: Callable[[Any], int] | None,
        copy: Callable[[Any], Any] | None,
        on_evict: Callable[[Any, Any], object] | None,
        single_flight: bool,
        shared: bool,
        front: Callable[..., Any] | None,
        flying: Any,
    ) -> Self: ...
    def _find(self, missing: Any, /, *args: Any, **kwargs: Any) -> Any: ...
    def _find_stale(self, missing: Any, /, *args: Any, **kwargs: Any) -> Any: ...
    def _meet(self, value: Any, /, *args: Any, **kwargs: Any) -> Any: ...
    def _land(
        self, value: Any, is_failure: bool, seconds: float, /, *args: Any, **kwargs: Any
    ) -> None: ...
    def _forget(self, value: Any, /, *args: Any, **kwargs: Any) -> bool: ...
    def _waited(self) -> None: ...
    @overload
    def __get__(self, instance: None, owner: type | None = None, /) -> Self: ...
    @overload
    def __get__(
        self: _managed_cache_wrapper[Concatenate[_I, _Q], _R],
        instance: _I,
        owner: type | None = None,
        /,
    ) -> _Managed[_Q, _R]: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: Any, /) -> Self: ...

@final
class _cached_method(_Wrapped[_P, _R_co]):
    def __new__(cls, function: Callable[_P, _R_co], make: Callable[[], Any], /) -> Self: ...
    @overload
    def __get__(self, instance: None, owner: type | None = None, /) -> Self: ...
    @overload
    def __get__(
        self: _cached_method[Concatenate[_I, _Q], _R],
        instance: _I,
        owner: type | None = None,
        /,
    ) -> _Managed[_Q, _R]: ...
    def __set_name__(self, owner: type[Any], name: str, /) -> None: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: Any, /) -> Self: ...

@disjoint_base
class cached_property(Generic[_T_co]):
    func: Callable[[Any], _T_co]
    attrname: str | None
    @overload
    def __init__(
        self,
        func: Callable[[Any], _T_co],
        *,
        once: bool = ...,
        ttl: float | timedelta | None = ...,
        clock: Callable[[], float] | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: cached_property[Any],
        *,
        once: bool = ...,
        ttl: float | timedelta | None = ...,
        clock: Callable[[], float] | None = ...,
    ) -> None: ...
    # Of what comes of keywords alone: @cached_property(ttl=60). Only for types.
    def __call__(self, func: Callable[[Any], _T], /) -> cached_property[_T]: ...
    @overload
    def __get__(self, instance: None, owner: type[Any] | None = None, /) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None, /) -> _T_co: ...
    def __set_name__(self, owner: type[Any], name: str, /) -> None: ...
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...
    def _forget(self, instance: Any, value: Any, /) -> None: ...

@disjoint_base
class _Mapping:
    def __new__(
        cls,
        *,
        maxsize: int | None = ...,
        maxbytes: int | None = ...,
        policy: str = ...,
        ttl: float = ...,
        jitter: float = ...,
        clock: Callable[[], float] | None = ...,
        weigh: Callable[[Any], int] | None = ...,
        on_evict: Callable[[Any, Any], object] | None = ...,
    ) -> Self: ...
    def __getitem__(self, key: Any, /) -> Any: ...
    def __setitem__(self, key: Any, value: Any, /) -> None: ...
    def __delitem__(self, key: Any, /) -> None: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def clear(self) -> None: ...
    def get(self, key: Any, default: Any = None) -> Any: ...
    @overload
    def pop(self, key: Any, /) -> Any: ...
    @overload
    def pop(self, key: Any, default: Any, /) -> Any: ...
    def popitem(self) -> tuple[Any, Any]: ...
    def _snapshot(self) -> list[Any]: ...
    def _counts(self) -> tuple[int, int, int, int, int]: ...

def _after_fork() -> None: ...
