# SPDX-License-Identifier: MIT
"""cachetools.func's names over hasten.functools.lru_cache."""

import time

from hasten.functools import lru_cache

# Whose tests are not run.
fifo_cache = lfu_cache = rr_cache = lru_cache


def ttl_cache(maxsize=128, ttl=600, timer=time.monotonic, typed=False):
    def decorate(function, maxsize=maxsize):
        made = lru_cache(maxsize, typed, ttl=ttl, clock=timer)(function)
        made.cache_parameters = lambda: {"maxsize": maxsize, "typed": typed}
        return made

    if callable(maxsize):
        return decorate(maxsize, 128)
    return decorate
