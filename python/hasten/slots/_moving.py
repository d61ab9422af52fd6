# SPDX-License-Identifier: MIT
"""Puts one class in the place of another where hooks may have kept the first: a registry that
__init_subclass__ or a metaclass writes into, and the like. Looked at are attributes of the bases
and of the metaclass, and what their hooks have as globals and in closures, a few steps deep:
known places, not all of memory.
"""

import weakref
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

# Steps from a hook or an attribute to a container, and containers that are looked at.
_DEEPEST = 3
_MOST = 2000
# Larger ones are no registries of classes.
_LARGEST = 100_000
_HOOKS = ("__init_subclass__",)
_META_HOOKS = ("__new__", "__init__")
_SETS = (set, weakref.WeakSet)
_WEAK = (weakref.WeakSet, weakref.WeakKeyDictionary, weakref.WeakValueDictionary)


def _function(value: Any) -> FunctionType | None:
    value = getattr(value, "__func__", value)
    return value if isinstance(value, FunctionType) else None


def _used_by(function: FunctionType) -> Iterator[Any]:
    for name in function.__code__.co_names:
        if name in function.__globals__:
            yield function.__globals__[name]
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            continue


def _owners(old: type) -> Iterator[tuple[type, bool]]:
    """The bases and the metaclasses, which the second value tells."""
    for owner in old.__mro__[1:]:
        yield owner, False
    for owner in type(old).__mro__:  # type: ignore[attr-defined]
        yield owner, True


def _places(old: type, new: type) -> Iterator[Any]:
    for owner, is_meta in _owners(old):
        if owner.__module__ in ("builtins", "abc", "typing"):
            continue
        hooks = _META_HOOKS if is_meta else _HOOKS
        for name, value in list(vars(owner).items()):
            if value is old:
                type.__setattr__(owner, name, new)
            function = _function(value)
            if function is None:
                yield value
            elif name in hooks:
                yield from _used_by(function)


class _Mover:
    """Asks objects for their real types only: what looks like something else, a proxy,
    must not come to life by this."""

    def __init__(self, old: type, new: type) -> None:
        self.old = old
        self.new = new
        self.seen: set[int] = set()

    def visit(self, value: Any, depth: int) -> None:
        kind = type(value)
        if depth > _DEEPEST or id(value) in self.seen or len(self.seen) > _MOST:
            return
        if issubclass(kind, (type, ModuleType, FunctionType)):
            return
        self.seen.add(id(value))
        if issubclass(kind, (list, dict, set, *_WEAK)):
            if len(value) > _LARGEST:
                return
            self.replace(value, kind)
            inner = list(value if issubclass(kind, (list, *_SETS)) else value.values())
        elif kind.__dictoffset__ != 0:
            own = object.__getattribute__(value, "__dict__")
            if type(own) is not dict:
                return
            self.replace(own, dict)
            inner = list(own.values())
        else:
            return
        for item in inner:
            self.visit(item, depth + 1)

    def swapped(self, item: Any) -> Any:
        """The item, or what is to be in its place: a tuple is another one then."""
        if item is self.old:
            return self.new
        if type(item) is tuple and any(part is self.old for part in item):
            return tuple(self.new if part is self.old else part for part in item)
        return item

    def replace(self, container: Any, kind: type) -> None:
        if issubclass(kind, list):
            for i, item in enumerate(container):
                if self.swapped(item) is not item:
                    container[i] = self.swapped(item)
        elif issubclass(kind, _SETS):
            for item in list(container):
                if self.swapped(item) is not item:
                    container.discard(item)
                    container.add(self.swapped(item))
        else:
            self.replace_in_dict(container)

    def replace_in_dict(self, container: Any) -> None:
        items = list(container.items())
        new = [(self.swapped(key), self.swapped(value)) for key, value in items]
        if any(key is not other for (key, _), (other, _) in zip(items, new)):
            container.clear()  # in the order that it had
        for (key, value), (new_key, new_value) in zip(items, new):
            if key is not new_key or value is not new_value or new_key not in container:
                container[new_key] = new_value


def move(old: type, new: type) -> None:
    mover = _Mover(old, new)
    for value in _places(old, new):
        mover.visit(value, 1)
