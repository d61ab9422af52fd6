# SPDX-License-Identifier: MIT
"""What every match of a regular expression contains.

`required(pattern)` answers texts of which at least one is in whatever the pattern matches, or
None where that cannot be said. It reads the expression as `re` has parsed it and says nothing
of a part that it does not know, so a pattern is never thought to want more than it does.
"""

from re import _constants, _parser  # type: ignore[attr-defined]  # what re itself reads
from typing import Any

_MOST = 8  # alternatives: each is looked for on its own
_LEAST = 2  # characters: what is shorter is nearly everywhere

_IGNORE_CASE = 2  # re.IGNORECASE

_REPEATS = tuple(
    getattr(_constants, name)
    for name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
    if hasattr(_constants, name)
)
_ATOMIC = getattr(_constants, "ATOMIC_GROUP", None)


def _is_fixed(code: int, ignores_case: bool) -> bool:
    """Whether a literal stands for its own character only, in the bytes of the file too."""
    if code in {0x0A, 0x0D}:
        return False  # an end of a line may be another one in the file
    return not ignores_case or (code < 0x80 and not chr(code).isalpha())


def _better(one: list[str] | None, other: list[str] | None) -> list[str] | None:
    """Of two sets that are both required, the one that is in less text."""
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda texts: (min(map(len, texts)), -len(texts)))


def _branches(branches: list[Any], ignores_case: bool) -> list[str] | None:
    found: list[str] = []
    for branch in branches:
        texts = _required(branch, ignores_case)
        if texts is None:
            return None
        found += texts
    return found if len(found) <= _MOST else None


def _part(operation: Any, argument: Any, ignores_case: bool) -> list[str] | None:
    """What a part that is no literal requires."""
    if operation is _constants.SUBPATTERN:
        _group, added, removed, inner = argument
        ignores = (ignores_case or bool(added & _IGNORE_CASE)) and not removed & _IGNORE_CASE
        return _required(inner, ignores)
    if operation in _REPEATS:
        least, _most, inner = argument
        return _required(inner, ignores_case) if least >= 1 else None
    if operation is _constants.BRANCH:
        return _branches(argument[1], ignores_case)
    if _ATOMIC is not None and operation is _ATOMIC:
        return _required(argument, ignores_case)
    return None


def _required(parts: Any, ignores_case: bool) -> list[str] | None:
    best: list[str] | None = None
    run = ""
    for operation, argument in [*parts, (None, None)]:
        if operation is _constants.LITERAL and _is_fixed(argument, ignores_case):
            run += chr(argument)
            continue
        if len(run) >= _LEAST:
            best = _better(best, [run])
        run = ""
        if operation is not None:
            best = _better(best, _part(operation, argument, ignores_case))
    return best


def required(pattern: str | bytes, flags: int) -> list[str] | None:
    """Of a pattern of bytes, the characters are its bytes (latin-1)."""
    try:
        parsed = _parser.parse(pattern, flags)
        return _required(parsed, bool(parsed.state.flags & _IGNORE_CASE))
    except (AttributeError, RecursionError, TypeError, ValueError):
        return None  # parsed otherwise than we know: nothing can be said
