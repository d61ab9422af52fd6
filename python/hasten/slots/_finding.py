# SPDX-License-Identifier: MIT
"""Which attributes the instances of a class have, by the class's own account: its annotations
and what its methods assign to their first argument.
"""

import functools
import re
import sys
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType, MethodType
from typing import Any

from hasten import _slots

# What the first argument of a function is.
_INSTANCE, _CLASS, _NEITHER = range(3)
# Wrappers around wrappers that are looked into.
_DEEPEST = 12


class Found:
    """Names with where they are from; the first places where something could not be told."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.class_read: dict[str, str] = {}
        self.uses_dict: str | None = None
        self.computes: str | None = None


def _unwrapped(value: Any) -> Iterator[tuple[Any, int | None]]:
    """What a wrapper wraps, and what its first argument is where the wrapper says so."""
    if isinstance(value, (staticmethod, classmethod)):
        yield value.__func__, _CLASS if isinstance(value, classmethod) else _NEITHER
    elif isinstance(value, property):
        yield from ((part, None) for part in (value.fget, value.fset, value.fdel))
    elif isinstance(value, functools.singledispatchmethod):
        yield value.func, None
        yield from ((part, None) for part in value.dispatcher.registry.values())
    elif isinstance(value, (functools.partial, functools.partialmethod, functools.cached_property)):
        yield value.func, None
    elif isinstance(value, MethodType):
        yield value.__func__, None
    elif not isinstance(value, type):
        # Whatever else wraps a function says so by one of these names.
        for name in ("__wrapped__", "func", "fget", "fset"):
            try:
                yield getattr(value, name, None), None
            except Exception:
                continue


def _in_closure(function: FunctionType, prefix: str) -> Iterator[Any]:
    """Functions of the class that a wrapper keeps without saying so."""
    for cell in function.__closure__ or ():
        try:
            content = cell.cell_contents
        except ValueError:
            continue
        if isinstance(content, FunctionType) and content.__qualname__.startswith(prefix):
            yield content


def functions(cls: type) -> Iterator[tuple[FunctionType, int]]:
    """The functions of a class, with what their first argument is."""
    prefix = f"{cls.__qualname__}."
    seen = set()
    for name, attribute in list(vars(cls).items()):
        # __new__ is a staticmethod whose instance is what it returns.
        kind = _INSTANCE
        waiting = [(attribute, kind, 0)]
        while waiting:
            value, kind, depth = waiting.pop()
            if id(value) in seen or depth > _DEEPEST or value is None:
                continue
            seen.add(id(value))
            if isinstance(value, FunctionType):
                yield value, kind
                waiting += [(inner, kind, depth + 1) for inner in _in_closure(value, prefix)]
                inner = value.__dict__.get("__wrapped__")
                waiting.append((inner, kind, depth + 1))
                continue
            for inner, said in _unwrapped(value):
                own = kind if said is None or name == "__new__" else said
                waiting.append((inner, own, depth + 1))


def scan(cls: type, found: Found, class_name: str) -> None:
    """Adds what the methods of one class assign."""
    for function, kind in functions(cls):
        code: CodeType = function.__code__
        place = f"{function.__qualname__}(), line "
        assigned: dict[str, int] = {}
        class_read: set[str] = set()
        dict_line, computed_line = _slots.assigned(code, class_name, kind, assigned, class_read)
        for name, line in assigned.items():
            found.names.setdefault(name, f"{place}{line}")
        for name in class_read:
            found.class_read.setdefault(name, f"{function.__qualname__}()")
        if dict_line and found.uses_dict is None:
            found.uses_dict = f"{place}{dict_line}"
        if computed_line and found.computes is None:
            found.computes = f"{place}{computed_line}"


def _raw_annotations(cls: type) -> dict[str, Any]:
    if sys.version_info < (3, 14):
        found: dict[str, Any] = vars(cls).get("__annotations__", {})
        return found
    annotate = cls.__annotate__
    if annotate is None:
        # Written as text, or assigned: nothing is evaluated.
        return dict(cls.__annotations__)
    try:
        return dict(annotate(1))
    except Exception:
        import annotationlib  # type: ignore[import-not-found]

        form = annotationlib.Format.FORWARDREF
        return dict(annotationlib.call_annotate_function(annotate, form, owner=cls))


def _special(annotation: Any, cls: type) -> str | None:
    """'ClassVar' or 'Final', where it is one."""
    typing = sys.modules.get("typing")
    if not isinstance(annotation, str):
        if typing is None:
            return None
        origin = typing.get_origin(annotation) or annotation
        if origin is typing.ClassVar:
            return "ClassVar"
        if origin is typing.Final:
            return "Final"
        annotation = getattr(annotation, "__forward_arg__", None)
        if not isinstance(annotation, str):
            return None
    words = re.match(r"[\s'\"]*(?:(\w+)\s*\.\s*)?(\w+)", annotation)
    if words is None:
        return None
    names = vars(sys.modules.get(cls.__module__)) if cls.__module__ in sys.modules else {}
    holder, name = words[1], words[2]
    value = getattr(names.get(holder), name, None) if holder else names.get(name)
    for special in ("ClassVar", "Final"):
        if value is not None and value is getattr(typing, special, None):
            return special
        if value is None and name == special:
            return special  # imported for type checkers only
    return None


def _annotated(cls: type) -> Iterator[str]:
    own = vars(cls)
    for name, annotation in _raw_annotations(cls).items():
        special = _special(annotation, cls)
        # A Final with a value is a constant of the class.
        if special == "ClassVar" or (special == "Final" and name in own):
            continue
        yield name


def _mangled(name: str, cls: type) -> str:
    if not isinstance(name, str) or not name.isidentifier():
        raise TypeError(f"{name!r} can be no slot: it is no name")
    owner = cls.__name__.lstrip("_")
    if name.startswith("__") and not name.endswith("__") and owner:
        return f"_{owner}{name}"
    return name


def find(cls: type, names: Iterable[str], every_base: bool = False) -> Found:
    """`every_base`: also those that have a __dict__, where what they assign has a place."""
    found = Found()
    for name in _annotated(cls):
        found.names[name] = "an annotation"
    for base in cls.__mro__:
        if base is not cls and base.__dictoffset__ != 0 and not every_base:
            continue
        scan(base, found, cls.__name__)
    for name in names:
        found.names.setdefault(_mangled(name, cls), "slots=")
    return found
