# SPDX-License-Identifier: MIT
"""cachetools' names, for its tests, over hasten.functools.Cache."""

import math
import time

from hasten.functools import Cache


class LRUCache(Cache):
    def __new__(cls, maxsize, getsizeof=None, **options):
        limit = None if maxsize == math.inf else maxsize
        if getsizeof is None:
            self = super().__new__(cls, limit, **options)
        else:
            self = super().__new__(cls, maxbytes=limit, weigh=getsizeof, **options)
        self.maxsize, self._getsizeof = maxsize, getsizeof
        return self

    def getsizeof(self, value):
        return 1 if self._getsizeof is None else self._getsizeof(value)

    @property
    def currsize(self):
        return self.stats().size


class TTLCache(LRUCache):
    def __new__(cls, maxsize, ttl=math.inf, timer=time.monotonic, getsizeof=None):
        self = super().__new__(cls, maxsize, getsizeof, ttl=ttl, clock=timer)
        self.ttl, self.timer = ttl, timer
        return self
