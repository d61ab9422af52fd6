# SPDX-License-Identifier: MIT
from collections.abc import Iterator
from os import PathLike
from typing import Any, ClassVar, Final, Literal, final

from _typeshed import structseq

version: Final[str]

class RecordingError(ValueError):
    code: Literal["NOT_RECORDING", "TRUNCATED", "CORRUPT", "NEWER"]
    position: int | None

def open(path: str | bytes | PathLike[str] | PathLike[bytes], /) -> Recording: ...

@final
class Recording:
    @property
    def facts(self) -> dict[str, str]: ...
    @property
    def processes(self) -> tuple[Process, ...]: ...
    @property
    def threads(self) -> tuple[Thread, ...]: ...
    @property
    def functions(self) -> tuple[Function, ...]: ...
    @property
    def lines(self) -> tuple[Line, ...]: ...
    def calls(self) -> tuple[Call, ...]: ...
    def stack(self, stack: int, /) -> tuple[Frame, ...]: ...
    def samples(self) -> Samples: ...

@final
class Samples:
    def __iter__(self) -> Iterator[Sample]: ...
    def __next__(self) -> Sample: ...
    def __length_hint__(self) -> int: ...

@final
class Process(structseq[Any], tuple[int, int, str, str, str, str, float, float]):
    __match_args__: ClassVar[tuple[str, ...]] = (
        "pid",
        "parent_pid",
        "python_version",
        "command",
        "executable",
        "label",
        "start_s",
        "end_s",
    )
    @property
    def pid(self) -> int: ...
    @property
    def parent_pid(self) -> int: ...
    @property
    def python_version(self) -> str: ...
    @property
    def command(self) -> str: ...
    @property
    def executable(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...

@final
class Thread(structseq[Any], tuple[int, int, str, bool, float, float, int]):
    __match_args__: ClassVar[tuple[str, ...]] = (
        "process",
        "tid",
        "name",
        "is_main",
        "start_s",
        "end_s",
        "samples",
    )
    @property
    def process(self) -> int: ...
    @property
    def tid(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def is_main(self) -> bool: ...
    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...
    @property
    def samples(self) -> int: ...

@final
class Function(structseq[Any], tuple[str, int, str, float, float, float, float, int, int]):
    __match_args__: ClassVar[tuple[str, ...]] = (
        "file",
        "line",
        "name",
        "self_s",
        "total_s",
        "self_share",
        "total_share",
        "calls",
        "primitive_calls",
    )
    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def self_s(self) -> float: ...
    @property
    def total_s(self) -> float: ...
    @property
    def self_share(self) -> float: ...
    @property
    def total_share(self) -> float: ...
    @property
    def calls(self) -> int: ...
    @property
    def primitive_calls(self) -> int: ...

@final
class Call(structseq[Any], tuple[Function, Function, int, int, float, float]):
    __match_args__: ClassVar[tuple[str, ...]] = (
        "caller",
        "callee",
        "calls",
        "primitive_calls",
        "self_s",
        "total_s",
    )
    @property
    def caller(self) -> Function: ...
    @property
    def callee(self) -> Function: ...
    @property
    def calls(self) -> int: ...
    @property
    def primitive_calls(self) -> int: ...
    @property
    def self_s(self) -> float: ...
    @property
    def total_s(self) -> float: ...

@final
class Line(structseq[Any], tuple[str, int, str, float, float, float, float]):
    __match_args__: ClassVar[tuple[str, ...]] = (
        "file",
        "line",
        "name",
        "self_s",
        "total_s",
        "self_share",
        "total_share",
    )
    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def self_s(self) -> float: ...
    @property
    def total_s(self) -> float: ...
    @property
    def self_share(self) -> float: ...
    @property
    def total_share(self) -> float: ...

@final
class Frame(structseq[Any], tuple[str, int, str]):
    __match_args__: ClassVar[tuple[str, ...]] = (
        "file",
        "line",
        "name",
    )
    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def name(self) -> str: ...

@final
class Sample(structseq[Any], tuple[int, int, int, int, str, bool, bool]):
    __match_args__: ClassVar[tuple[str, ...]] = (
        "slot",
        "weight",
        "thread",
        "stack",
        "state",
        "gc",
        "native",
    )
    @property
    def slot(self) -> int: ...
    @property
    def weight(self) -> int: ...
    @property
    def thread(self) -> int: ...
    @property
    def stack(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def gc(self) -> bool: ...
    @property
    def native(self) -> bool: ...
