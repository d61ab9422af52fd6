# SPDX-License-Identifier: MIT
"""In place of wrapt, for its tests of object proxies: the names they use, of hasten's."""

import hasten.lazy


class BaseObjectProxy(hasten.lazy.Proxy):
    def __init__(self, wrapped):
        self.__wrapped__ = wrapped


class ObjectProxy(BaseObjectProxy):
    pass


class CallableObjectProxy(BaseObjectProxy):
    pass


class LazyObjectProxy(hasten.lazy.Proxy):
    def __init__(self, callback=None, *, interface=None):
        super().__init__(callback)
