# SPDX-License-Identifier: MIT
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

from _typeshed import Unused

__all__ = ["Content", "Leak", "Site", "Watch", "mark", "report", "watch"]

LEAST_ITERATIONS: int
LEAST_BYTES: int
MOST_GROWN: int

_P = ParamSpec("_P")
_R = TypeVar("_R")

class Site:
    __slots__ = ("bytes", "bytes_before", "count", "count_before", "file", "line")
    bytes: int
    bytes_before: int
    count: int
    count_before: int
    file: str
    line: int
    def __init__(
        self, file: str, line: int, bytes: int, count: int, bytes_before: int, count_before: int
    ) -> None: ...
    def as_dict(self) -> dict[str, Any]: ...

class Content:
    __slots__ = ("bytes", "count", "type")
    type: str
    count: int
    bytes: int
    def __init__(self, type: str, count: int, bytes: int) -> None: ...
    def as_dict(self) -> dict[str, Any]: ...

class Leak:
    __slots__ = (
        "advice",
        "bytes",
        "chain",
        "contents",
        "count",
        "growth",
        "holder",
        "holder_type",
        "iterations",
        "kind",
        "site",
        "type",
    )
    advice: str
    bytes: int
    chain: str
    contents: list[Content]
    count: int
    growth: list[tuple[int, int]]
    holder: str
    holder_type: str | None
    iterations: int
    kind: str
    site: tuple[tuple[str, int], ...]
    type: str
    def __init__(self, found: dict[str, Any]) -> None: ...
    @property
    def count_per_iteration(self) -> float: ...
    @property
    def bytes_per_iteration(self) -> float: ...
    def as_dict(self) -> dict[str, Any]: ...
    def lines(self) -> Iterator[str]: ...

class Watch:
    limit: int
    least_bytes: int
    def __init__(self, *, limit: int = 10, least_bytes: int = 1024) -> None: ...
    def mark(self) -> int: ...
    @property
    def iterations(self) -> int: ...
    def report(self, *, unjudged: bool = False) -> Watch: ...
    @property
    def leaks(self) -> tuple[Leak, ...]: ...
    @property
    def sites(self) -> tuple[Site, ...]: ...
    def __enter__(self) -> Watch: ...
    def __exit__(self, *_: Unused) -> None: ...
    def __call__(self, function: Callable[_P, _R]) -> Callable[_P, _R]: ...
    def __bool__(self) -> bool: ...
    def as_dict(self) -> dict[str, Any]: ...
    def text(self) -> str: ...

def watch(*, limit: int = 10, least_bytes: int = 1024) -> Watch: ...
def mark() -> int: ...
def report() -> Watch: ...
