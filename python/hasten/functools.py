# SPDX-License-Identifier: MIT
"""The standard module `functools`, with caches in C that cost less and can more.

All names are those of the running interpreter's own module; `lru_cache`, `cache` and
`cached_property` are ours.
"""

import os
from collections.abc import Callable
from typing import Any

from hasten._functools import _after_fork, _lru_cache_wrapper, cached_property
from hasten._standard import original

_standard = original("functools")
# All of it, private names included: programs and other standard modules use them.
globals().update(
    {name: value for name, value in vars(_standard).items() if not name.startswith("__")}
    | {"_lru_cache_wrapper": _lru_cache_wrapper, "cached_property": cached_property}
)

__all__ = list(_standard.__all__)

os.register_at_fork(after_in_child=_after_fork)

_CacheInfo = _standard._CacheInfo
_update_wrapper = _standard.update_wrapper


def _wrapped(function: Any, maxsize: Any, typed: Any) -> Any:
    wrapper = _lru_cache_wrapper(function, maxsize, typed, _CacheInfo)
    wrapper.cache_parameters = lambda: {"maxsize": maxsize, "typed": typed}
    return _update_wrapper(wrapper, function)


def lru_cache(maxsize: Any = 128, typed: Any = False) -> Any:
    """Least-recently-used cache decorator: as the standard module's.

    If *maxsize* is None, the cache can grow without bound. If *typed* is True, arguments
    of different types are cached separately. Arguments must be hashable.

    The statistics are f.cache_info(), a named tuple (hits, misses, maxsize, currsize);
    f.cache_clear() forgets results and statistics; f.__wrapped__ is the function.
    """
    if isinstance(maxsize, int):
        # Negative maxsize is treated as 0
        maxsize = 0 if maxsize < 0 else maxsize
    elif callable(maxsize) and isinstance(typed, bool):
        # @lru_cache without parentheses.
        return _wrapped(maxsize, 128, typed)
    elif maxsize is not None:
        raise TypeError("Expected first argument to be an integer, a callable, or None")
    return lambda function: _wrapped(function, maxsize, typed)


def cache(user_function: Callable[..., Any], /) -> Any:
    """lru_cache(maxsize=None): as the standard module's."""
    return lru_cache(maxsize=None)(user_function)
