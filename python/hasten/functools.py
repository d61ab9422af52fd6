# SPDX-License-Identifier: MIT
"""The standard module `functools`, with caches in C that cost less and can more.

All names are those of the running interpreter's own module; `lru_cache`, `cache` and
`cached_property` are ours. Without further keywords they are the standard module's to the
letter; with them, results are kept by other rules.
"""

import os
import sys
from collections import namedtuple
from collections.abc import Callable, ItemsView, MutableMapping, ValuesView
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from hasten._functools import (
    _after_fork,
    _cached_method,
    _lru_cache_wrapper,
    _managed_cache_wrapper,
    _Mapping,
    cached_property,
)
from hasten._standard import original

if TYPE_CHECKING:
    # At run time whoever imports this module pays for what it imports: as little as it can.
    from datetime import timedelta

_standard = original("functools")
_OURS = {
    "_lru_cache_wrapper": _lru_cache_wrapper,
    "cached_property": cached_property,
}
# All of it, private names included: programs and other standard modules use them.
globals().update(
    {name: value for name, value in vars(_standard).items() if not name.startswith("__")} | _OURS
)

__all__ = list(_standard.__all__)
__all__ += ["Cache", "cached_method"]

os.register_at_fork(after_in_child=_after_fork)

_CacheInfo = _standard._CacheInfo
_update_wrapper = _standard.update_wrapper
_CacheStats = namedtuple(
    "CacheStats",
    "hits misses evictions expirations stale waits size seconds_saved",
)


class _Default(int):
    """A default value that can be told from the same given by the caller."""


_MAXSIZE = _Default(128)
_CO_COROUTINE = 0x80  # inspect.CO_COROUTINE


def _seconds(time: Any, what: str) -> float:
    if time is None:
        return 0.0
    seconds = time.total_seconds() if hasattr(time, "total_seconds") else float(time)
    if not seconds > 0:
        raise ValueError(f"{what} must be positive")
    return seconds


def _types(exceptions: Any) -> tuple[type[BaseException], ...]:
    found = exceptions if isinstance(exceptions, tuple) else (exceptions,)
    for one in found:
        if not (isinstance(one, type) and issubclass(one, BaseException)):
            raise TypeError("exceptions= wants a type of exceptions, or a tuple of them")
    return found


def _deepcopy() -> Callable[[Any], Any]:
    from copy import deepcopy

    return deepcopy


def _is_async(function: Any) -> bool:
    while isinstance(function, (_standard.partial, MethodType)):
        function = function.func if isinstance(function, _standard.partial) else function.__func__
    return isinstance(function, FunctionType) and bool(function.__code__.co_flags & _CO_COROUTINE)


def _checked(is_async: bool = False, /, **options: Any) -> dict[str, Any]:
    """What was given, in the form that the wrapper in C wants."""
    for name in ("key", "weigh", "on_evict", "clock"):
        if options[name] is not None and not callable(options[name]):
            raise TypeError(f"{name}= must be callable")
    if options["stale"] is not None and options["ttl"] is None:
        raise TypeError("stale= wants a ttl=")
    if options["weigh"] is not None and options["maxbytes"] is None:
        raise TypeError("weigh= wants maxbytes=")
    shared = options["exceptions_shared"]
    if shared is not None and not (is_async or options["single_flight"]):
        raise TypeError("exceptions_shared= wants single_flight=True")
    copy, stale = options["copy"], options["stale"]
    return {
        "maxbytes": options["maxbytes"],
        "policy": options["policy"],
        "ttl": _seconds(options["ttl"], "ttl"),
        "jitter": options["jitter"],
        "stale": float("inf") if stale is True else _seconds(stale, "stale"),
        "clock": options["clock"],
        "failures": None if options["exceptions"] is None else _types(options["exceptions"]),
        "failure_ttl": _seconds(options["exceptions_ttl"], "exceptions_ttl"),
        "key": options["key"],
        "weigh": sys.getsizeof
        if options["maxbytes"] is not None and options["weigh"] is None
        else options["weigh"],
        "copy": _deepcopy() if copy is True else copy or None,
        "on_evict": options["on_evict"],
        "single_flight": options["single_flight"],
        "shared": is_async if shared is None else bool(shared),
        "front": None,
        "flying": None,
    }


def _managed(
    function: Any, maxsize: Any, typed: Any, options: dict[str, Any], stats: Any = _CacheStats
) -> Any:
    return _managed_cache_wrapper(
        function, _CacheInfo, stats, maxsize=maxsize, typed=typed, **options
    )


def _flights(function: Any, maxsize: Any, typed: Any, options: dict[str, Any], skipped: int) -> Any:
    """What keeps computations that go on, and who begins and awaits them."""
    from hasten._awaiting import Flights

    is_shared = maxsize != 0
    options_of_flying = _checked(**(_PLAIN | {"key": options["key"]}))
    flying = _managed(function, None if is_shared else 0, typed, options_of_flying)
    copy, shares_failures = options["copy"], options["shared"]
    return flying, Flights(function, flying, skipped, copy, shares_failures, is_shared)


def _of_async(function: Any, maxsize: Any, typed: Any, options: dict[str, Any]) -> Any:
    from hasten._awaiting import of_function

    flying, flights = _flights(function, maxsize, typed, options, 0)
    kept = _managed(function, maxsize, typed, options | {"flying": flying})
    return of_function(kept, flights, options["key"])


def _of_async_method(function: Any, maxsize: Any, typed: Any, options: dict[str, Any]) -> Any:
    """An instance's cached function."""
    from hasten._awaiting import of_method

    flying, flights = _flights(function, maxsize, typed, options, 1)
    front = of_method(flights, options["key"])
    return _managed(function, maxsize, typed, options | {"flying": flying, "front": front})


_PLAIN = {
    "ttl": None,
    "jitter": 0.0,
    "clock": None,
    "maxbytes": None,
    "weigh": None,
    "key": None,
    "policy": "lru",
    "single_flight": False,
    "stale": None,
    "exceptions": None,
    "exceptions_ttl": 1.0,
    "exceptions_shared": None,
    "copy": None,
    "on_evict": None,
    "shared": None,
    "namespace": None,
    "version": None,
    "serializer": "json",
}


def _shared(function: Any, maxsize: Any, typed: Any, given: dict[str, Any]) -> Any:
    """With a server behind it: python/hasten/_shared/."""
    from hasten import _shared

    if maxsize == 0:
        raise ValueError("shared= wants room for results here: maxsize must not be 0")
    if "maxbytes" in given and maxsize is _MAXSIZE:
        maxsize = None
    is_async = _is_async(function)
    # Who misses here waits for who else does.
    values = _PLAIN | given | {"single_flight": True}
    for name in ("maxbytes", "weigh", "stale"):
        if is_async and name in given:
            raise TypeError(f"{name}= is not for async functions")
    return _shared.wrap(
        function,
        is_async,
        bool(typed),
        given,
        _checked(is_async, **values),
        lambda compute, options, stats: _managed(compute, maxsize, typed, options, stats),
    )


def _wrapped(function: Any, maxsize: Any, typed: Any, given: dict[str, Any]) -> Any:
    is_async = _is_async(function)
    if "shared" in given:
        wrapper = _shared(function, maxsize, typed, given)
    elif not (given or is_async):
        wrapper = _lru_cache_wrapper(function, maxsize, typed, _CacheInfo)
    else:
        if "maxbytes" in given and maxsize is _MAXSIZE:
            maxsize = None
        make = _of_async if is_async else _managed
        wrapper = make(function, maxsize, typed, _checked(is_async, **(_PLAIN | given)))
    parameters = {"maxsize": maxsize if maxsize is None else int(maxsize), "typed": typed} | given
    wrapper.cache_parameters = lambda: dict(parameters)
    return _update_wrapper(wrapper, function)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """The keywords that a caller gave, of ours."""
    for name in values:
        if name not in _PLAIN and name not in ("maxsize", "typed"):
            raise TypeError(f"unexpected keyword argument {name!r}")
    given = {
        name: values[name]
        for name, plain in _PLAIN.items()
        if name in values and values[name] != plain
    }
    for name in ("namespace", "version", "serializer"):
        if name in given and "shared" not in given:
            raise TypeError(f"{name}= wants shared=")
    return given


def lru_cache(
    maxsize: Any = _MAXSIZE,
    typed: Any = False,
    *,
    ttl: "float | timedelta | None" = None,
    jitter: float = 0.0,
    clock: Callable[[], float] | None = None,
    maxbytes: int | None = None,
    weigh: Callable[[Any], int] | None = None,
    key: Callable[..., Any] | None = None,
    policy: str = "lru",
    single_flight: bool = False,
    stale: Any = None,
    exceptions: Any = None,
    exceptions_ttl: "float | timedelta" = 1.0,
    exceptions_shared: bool | None = None,
    copy: Any = None,
    on_evict: Callable[[Any, Any], object] | None = None,
    shared: Any = None,
    namespace: str | None = None,
    version: str | None = None,
    serializer: Any = "json",
) -> Any:
    """Least-recently-used cache decorator: as the standard module's, and more by keywords.

    If *maxsize* is None, the cache can grow without bound. If *typed* is True, arguments
    of different types are cached separately. Arguments must be hashable.

    The statistics are f.cache_info(), a named tuple (hits, misses, maxsize, currsize);
    f.cache_clear() forgets results and statistics; f.__wrapped__ is the function.

    *ttl*, *jitter*, *clock*: for how long a result is kept. *maxbytes*, *weigh*: how much
    all together may weigh. *key*: what stands for the arguments. *policy*: which result
    goes when there is no room. *single_flight*: threads wait for what another computes.
    *stale*: the old result meanwhile. *exceptions*, *exceptions_ttl*: failures are kept.
    *exceptions_shared*: who waits for a computation that fails has its exception.
    *copy*: callers get copies. *on_evict*: is told of results that go. *shared*: a server
    that keeps results for many processes; *namespace*, *version*, *serializer*: how there.
    """
    values = locals()
    given = _given(values)
    if isinstance(maxsize, int):
        # Negative maxsize is treated as 0
        maxsize = 0 if maxsize < 0 else maxsize
    elif callable(maxsize) and isinstance(typed, bool):
        # @lru_cache without parentheses.
        return _wrapped(maxsize, _MAXSIZE, typed, given)
    elif maxsize is not None:
        raise TypeError("Expected first argument to be an integer, a callable, or None")
    return lambda function: _wrapped(function, maxsize, typed, given)


def cache(user_function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """lru_cache(maxsize=None): as the standard module's, and with the same keywords."""
    decorate = lru_cache(None, **options)
    return decorate if user_function is None else decorate(user_function)


def cached_method(maxsize: Any = _MAXSIZE, typed: Any = False, **options: Any) -> Any:
    """lru_cache for methods: each instance has a cache of its own, which goes with it.

    The keywords are those of lru_cache; *key* is given the arguments without the instance.
    """
    if callable(maxsize):
        return _of_method(maxsize, _MAXSIZE, typed, _given(options))
    if isinstance(maxsize, int):
        maxsize = 0 if maxsize < 0 else maxsize
    elif maxsize is not None:
        raise TypeError("Expected first argument to be an integer, a callable, or None")
    return lambda function: _of_method(function, maxsize, typed, _given(options))


def _of_method(function: Any, maxsize: Any, typed: Any, given: dict[str, Any]) -> Any:
    is_async = _is_async(function)
    if "shared" in given:
        raise TypeError("shared= is not for methods: what each instance has is its own")
    if "maxbytes" in given and maxsize is _MAXSIZE:
        maxsize = None
    if given or is_async:
        keywords = _checked(is_async, **(_PLAIN | given))
        make_one = _of_async_method if is_async else _managed

        def make() -> Any:
            return make_one(function, maxsize, typed, keywords)
    else:

        def make() -> Any:
            return _lru_cache_wrapper(function, maxsize, typed, _CacheInfo)

    method = _cached_method(function, make)
    parameters = {"maxsize": maxsize if maxsize is None else int(maxsize), "typed": typed} | given
    method.cache_parameters = lambda: dict(parameters)
    make()  # That options are wrong is said here, not by the first call.
    return _update_wrapper(method, function)


class _Items(ItemsView):  # type: ignore[type-arg]
    """As iterating over keys: what is there when it begins, which is no use of it."""

    _mapping: Any

    def __iter__(self) -> Any:
        flat = self._mapping._snapshot()
        return zip(flat[::2], flat[1::2])

    def __contains__(self, item: Any) -> bool:
        key, value = item
        found = self._mapping.get(key, self)
        return found is not self and (found is value or found == value)


class _Values(ValuesView):  # type: ignore[type-arg]
    _mapping: Any

    def __iter__(self) -> Any:
        return iter(self._mapping._snapshot()[1::2])

    def __contains__(self, value: object) -> bool:
        return value in list(self)


class Cache(_Mapping, MutableMapping):  # type: ignore[type-arg]
    """A mapping that gives up entries by the rules of lru_cache's keywords.

    Iterating goes from what would go first, over what is there when it begins. To set, get,
    delete, pop and clear is atomic among threads. A subclass may have __missing__(key), as
    with dict.
    """

    def __new__(cls, maxsize: int | None = None, **options: Any) -> "Cache":
        ttl, maxbytes = options.get("ttl"), options.get("maxbytes")
        if ttl is not None:
            options["ttl"] = _seconds(ttl, "ttl")
        else:
            options.pop("ttl", None)
        if maxbytes is not None and options.get("weigh") is None:
            options["weigh"] = sys.getsizeof
        if maxbytes is None and options.get("weigh") is not None:
            raise TypeError("weigh= wants maxbytes=")
        self: Cache = super().__new__(cls, maxsize=maxsize, **options)
        return self

    def __init__(self, *_: Any, **__: Any) -> None:
        """All was said to __new__."""

    def __repr__(self) -> str:
        flat = self._snapshot()
        return f"{type(self).__name__}({dict(zip(flat[::2], flat[1::2]))!r})"

    clear, get, pop, popitem = _Mapping.clear, _Mapping.get, _Mapping.pop, _Mapping.popitem

    def setdefault(self, key: Any, default: Any = None) -> Any:
        value = self.get(key, self)
        if value is self:
            self[key] = value = default
        return value

    def items(self) -> "ItemsView[Any, Any]":
        return _Items(self)

    def values(self) -> "ValuesView[Any]":
        return _Values(self)

    def stats(self) -> Any:
        """What lru_cache's cache_stats() answers."""
        hits, misses, evictions, expirations, size = self._counts()
        return _CacheStats(hits, misses, evictions, expirations, 0, 0, size, 0.0)
