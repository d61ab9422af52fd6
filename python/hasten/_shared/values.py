# SPDX-License-Identifier: MIT
"""What is in a server: the form of a value, and whose it is.

A value is twelve bytes and what the serialiser made: a mark with the form's version, and
when it ends, in milliseconds since 1970, 0 for never. Anything may have been written there
by anybody: what does not fit counts as nothing.
"""

import hashlib
import importlib
import json
import struct
import sys
import time
from collections.abc import Callable
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from hasten._functools import _is_plain, _shared_key

_HEAD = struct.Struct(">4sQ")
_MARK = b"hst1"


class Unfit(Exception):
    """The serialiser would not give back what it was given."""


class Serializer(NamedTuple):
    dumps: Callable[[Any], bytes]
    loads: Callable[[bytes], Any]


def _json() -> Serializer:
    def dumps(value: Any) -> bytes:
        if not _is_plain(value, False):
            raise Unfit("JSON has no form for it that comes back the same")
        return json.dumps(value, separators=(",", ":"), check_circular=False).encode()

    return Serializer(dumps, json.loads)


def _msgpack() -> Serializer:
    try:
        msgpack = importlib.import_module("msgpack")
    except ImportError as error:
        raise ImportError(
            "serializer='msgpack' wants the package msgpack: pip install msgpack", name="msgpack"
        ) from error

    def dumps(value: Any) -> bytes:
        if not _is_plain(value, True):
            raise Unfit("msgpack has no form for it that comes back the same")
        packed: bytes = msgpack.packb(value)
        return packed

    def loads(data: bytes) -> Any:
        return msgpack.unpackb(data, strict_map_key=False)

    return Serializer(dumps, loads)


def _pickle() -> Serializer:
    import pickle

    return Serializer(lambda value: pickle.dumps(value, protocol=5), pickle.loads)


_KNOWN = {"json": _json, "msgpack": _msgpack, "pickle": _pickle}


def serializer_of(given: Any) -> Serializer:
    """By its name, or an object with `dumps` (to bytes) and `loads`."""
    if isinstance(given, str):
        if given not in _KNOWN:
            raise ValueError(f"serializer must be one of {', '.join(_KNOWN)}, not {given!r}")
        return _KNOWN[given]()
    if callable(getattr(given, "dumps", None)) and callable(getattr(given, "loads", None)):
        return Serializer(given.dumps, given.loads)
    raise TypeError("serializer= wants a name, or an object with dumps and loads")


def pack(serializer: Serializer, value: Any, end_ms: int) -> bytes:
    """Raises Unfit, whatever the serialiser raises."""
    try:
        data = serializer.dumps(value)
    except Unfit:
        raise
    except Exception as error:
        raise Unfit(str(error)) from error
    if not isinstance(data, (bytes, bytearray)):
        raise Unfit("the serialiser's dumps() answered no bytes")
    return _HEAD.pack(_MARK, end_ms) + data


def unpack(serializer: Serializer, payload: bytes) -> tuple[Any, float | None]:
    """The value, and how many seconds are left of it; None: it has no end. Raises whatever
    comes of something that is no such value."""
    mark, end_ms = _HEAD.unpack_from(payload)
    if mark != _MARK:
        raise ValueError("no value of a cache")
    value = serializer.loads(payload[_HEAD.size :])
    return value, end_ms / 1000 - time.time() if end_ms else None


def _digest_constant(value: Any) -> Any:
    if isinstance(value, CodeType):
        return _digest_code(value)
    if isinstance(value, (tuple, frozenset)):
        parts = [repr(_digest_constant(item)) for item in value]
        # The order of a set is not the same in two processes.
        return type(value).__name__, sorted(parts) if isinstance(value, frozenset) else parts
    return type(value).__name__, repr(value)


def _digest_code(code: CodeType) -> Any:
    """All that a function does, not where it is."""
    return (
        code.co_code.hex(),
        [_digest_constant(constant) for constant in code.co_consts],
        (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars),
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags),
    )


def _digest_value(value: Any) -> Any:
    try:
        return _shared_key(b"", (value,), {}, True).hex()
    except (TypeError, RecursionError):
        # Its repr may be another in each process.
        return type(value).__module__, type(value).__qualname__


def _digest_cell(cell: CellType, seen: set[int]) -> Any:
    """What a function has of the one around it, which may have made others like it."""
    try:
        value = cell.cell_contents
    except ValueError:
        return "empty"
    value = _unwrapped(value)
    if isinstance(value, FunctionType):
        return _digest_function(value, seen)
    if isinstance(value, (ModuleType, type, BuiltinFunctionType)):
        return getattr(value, "__module__", ""), getattr(value, "__qualname__", value.__name__)
    try:
        return _shared_key(b"", (value,), {}, True).hex()
    except TypeError:
        raise TypeError(
            f"the function uses a {type(value).__qualname__} of the function around it: "
            "version= must tell it from others that are made there"
        ) from None


def _unwrapped(value: Any) -> Any:
    while hasattr(type(value), "__get__") and hasattr(value, "__wrapped__"):
        value = value.__wrapped__
    return value


def _digest_function(function: FunctionType, seen: set[int]) -> Any:
    if id(function) in seen:
        return function.__qualname__
    seen.add(id(function))
    return (
        _digest_code(function.__code__),
        [_digest_value(value) for value in function.__defaults__ or ()],
        [
            (name, _digest_value(value))
            for name, value in sorted((function.__kwdefaults__ or {}).items())
        ],
        [_digest_cell(cell, seen) for cell in function.__closure__ or ()],
    )


def version_of(function: FunctionType) -> str:
    """A name for what a function does: another once its code is changed, or compiled by
    another minor version of Python."""
    text = repr((sys.version_info[:2], _digest_function(function, set())))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def namespace_of(function: Any) -> str:
    """Whose results they are, where the program does not say."""
    if not isinstance(function, FunctionType):
        raise TypeError("shared= on what is no plain function wants namespace= and version=")
    return f"{function.__module__}.{function.__qualname__}"
