# SPDX-License-Identifier: MIT
"""What a function may cost, said beside it; `hasten.budget` is this.

    @hasten.budget(time="5 ms", memory="20 MB", complexity="n log n")
    def bench_report(): ...

The function is returned as it is, so that calling it costs nothing more. `hasten check` and
the pytest plugin read `__hasten_budget__` and judge what they measure by it.
"""

import re
from collections.abc import Callable
from typing import Any, TypedDict, TypeVar

__all__ = ["Budget", "budget", "parse_class", "parse_size", "parse_time"]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_AMOUNT = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-zA-Zµμ]*)\s*")
_TIMES_NS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9}
_TIMES_NS |= {"min": 60 * 10**9, "h": 3600 * 10**9}
# Of 1024, as everything that counts memory.
_SIZES: dict[str, int] = {"b": 1} | {
    unit + end: 1024**power for power, unit in enumerate("kmgt", 1) for end in ("", "b", "ib")
}


class Budget(TypedDict):
    """What `__hasten_budget__` is; None: not limited."""

    time_ns: int | None
    memory_bytes: int | None
    complexity: str | None


def parse_time(text: str) -> int:
    """ "5 ms" in nanoseconds."""
    match = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    unit = None if match is None else _TIMES_NS.get(match[2])
    if match is None or unit is None:
        raise ValueError(f'a time is a number and a unit, like "5 ms", not {text!r}')
    return round(float(match[1]) * unit)


def parse_size(text: str) -> int:
    """ "20 MB" in bytes."""
    match = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    unit = None if match is None else _SIZES.get(match[2].lower())
    if match is None or unit is None:
        raise ValueError(f'a size is a number and a unit, like "20 MB", not {text!r}')
    return round(float(match[1]) * unit)


def parse_class(text: str) -> str:
    """ "n log n" as "O(n log n)"."""
    from hasten._stats import find_class

    found = find_class(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(
            f"a class of growth is one of 1, log n, n, n log n, n^2, n^3, 2^n, not {text!r}"
        )
    return found[1]


def budget(
    *, time: str | None = None, memory: str | None = None, complexity: str | None = None
) -> Callable[[_Function], _Function]:
    """Says what a function may cost: time of a call, memory at its peak, class of growth."""
    limits = Budget(
        time_ns=None if time is None else parse_time(time),
        memory_bytes=None if memory is None else parse_size(memory),
        complexity=None if complexity is None else parse_class(complexity),
    )
    if not any(limit is not None for limit in limits.values()):
        raise ValueError("a budget limits time, memory or complexity")

    def mark(function: _Function) -> _Function:
        function.__hasten_budget__ = limits  # type: ignore[attr-defined]
        return function

    return mark
