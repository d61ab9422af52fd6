# SPDX-License-Identifier: MIT
from collections.abc import Callable, Mapping
from optparse import OptionParser
from types import CodeType, TracebackType
from typing import Any, ParamSpec, Self, TypeAlias, TypeVar

from _typeshed import StrOrBytesPath

from hasten._cprofile import Profiler

__all__ = ["Profile", "run", "runctx"]

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Label: TypeAlias = tuple[str, int, str]

def run(
    statement: str, filename: str | None = None, sort: str | int | tuple[str, ...] = -1
) -> None: ...
def runctx(
    statement: str,
    globals: dict[str, Any],
    locals: Mapping[str, Any] | None,
    filename: str | None = None,
    sort: str | int | tuple[str, ...] = -1,
) -> None: ...

class Profile(Profiler):
    stats: dict[_Label, tuple[int, int, float, float, dict[_Label, tuple[int, int, float, float]]]]
    def print_stats(self, sort: str | int | tuple[str, ...] = -1) -> None: ...
    def dump_stats(self, file: StrOrBytesPath) -> None: ...
    def create_stats(self) -> None: ...
    def snapshot_stats(self) -> None: ...
    def run(self, cmd: str) -> Self: ...
    def runctx(
        self, cmd: str, globals: dict[str, Any], locals: Mapping[str, Any] | None
    ) -> Self: ...
    def runcall(self, func: Callable[_P, _T], /, *args: _P.args, **kw: _P.kwargs) -> _T: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        *exc_info: type[BaseException] | BaseException | TracebackType | None,
    ) -> None: ...

def label(code: str | CodeType) -> _Label: ...
def main() -> OptionParser: ...
