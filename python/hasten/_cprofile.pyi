# SPDX-License-Identifier: MIT
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any, Final, Literal, TypeAlias, final

from _typeshed import structseq
from typing_extensions import disjoint_base

@final
class profiler_subentry(structseq[Any], tuple[CodeType | str, int, int, float, float]):
    __match_args__: Final = ("code", "callcount", "reccallcount", "totaltime", "inlinetime")
    @property
    def code(self) -> CodeType | str: ...
    @property
    def callcount(self) -> int: ...
    @property
    def reccallcount(self) -> int: ...
    @property
    def totaltime(self) -> float: ...
    @property
    def inlinetime(self) -> float: ...

@final
class profiler_entry(
    structseq[Any], tuple[CodeType | str, int, int, float, float, list[profiler_subentry] | None]
):
    __match_args__: Final = (
        "code",
        "callcount",
        "reccallcount",
        "totaltime",
        "inlinetime",
        "calls",
    )
    @property
    def code(self) -> CodeType | str: ...
    @property
    def callcount(self) -> int: ...
    @property
    def reccallcount(self) -> int: ...
    @property
    def totaltime(self) -> float: ...
    @property
    def inlinetime(self) -> float: ...
    @property
    def calls(self) -> list[profiler_subentry] | None: ...

@final
class Durations(structseq[Any], tuple[CodeType | str, int, float, float, float, float, float]):
    __match_args__: Final = ("code", "count", "shortest", "median", "p90", "p99", "longest")
    @property
    def code(self) -> CodeType | str: ...
    @property
    def count(self) -> int: ...  # type: ignore[override]
    @property
    def shortest(self) -> float: ...
    @property
    def median(self) -> float: ...
    @property
    def p90(self) -> float: ...
    @property
    def p99(self) -> float: ...
    @property
    def longest(self) -> float: ...

_Label: TypeAlias = tuple[str, int, str]
_Callers: TypeAlias = dict[_Label, tuple[int, int, float, float]]

def snapshot(
    entries: Sequence[profiler_entry], /
) -> dict[_Label, tuple[int, int, float, float, _Callers]]: ...

@disjoint_base
class Profiler:
    def __init__(
        self,
        timer: Callable[[], float] | None = ...,
        timeunit: float = 0.0,
        subcalls: bool = True,
        builtins: bool = True,
        *,
        threads: Literal["all"] | None = None,
        tasks: bool = False,
        greenlets: bool = False,
        clock: Literal["wall", "cpu"] = "wall",
        histogram: bool = False,
        include: str | Sequence[str] | None = None,
        exclude: str | Sequence[str] | None = None,
        subtract_overhead: bool = False,
    ) -> None: ...
    def enable(self, subcalls: bool = ..., builtins: bool = ...) -> None: ...
    def disable(self) -> None: ...
    def clear(self) -> None: ...
    def getstats(self) -> list[profiler_entry]: ...
    def durations(self) -> list[Durations]: ...

def trace(folder: str, since_ns: int, builtins: bool, /) -> None: ...
