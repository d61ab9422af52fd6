# SPDX-License-Identifier: MIT
from collections.abc import Callable, Iterable, Iterator
from types import GenericAlias, TracebackType
from typing import Any, Generic, Literal, Self, SupportsIndex, TypeVar, final

from typing_extensions import Buffer, disjoint_base

_T = TypeVar("_T")
_S = TypeVar("_S")
_Text = TypeVar("_Text", str, bytes)

class DataError(ValueError):
    path: Any
    offset: int | None

class TruncatedError(DataError, EOFError): ...

class LineTooLongError(ValueError):
    path: Any
    offset: int | None

@disjoint_base
class Stream(Iterator[_T], Generic[_T]):
    def __new__(cls, iterable: Iterable[_T], /) -> Self: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> _T: ...
    def map(self, function: Callable[[_T], _S], /) -> Stream[_S]: ...
    def filter(self, function: Callable[[_T], object] | None, /) -> Stream[_T]: ...
    def batch(self, size: SupportsIndex, /) -> Stream[list[_T]]: ...
    def take(self, count: SupportsIndex, /) -> Stream[_T]: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...

@final
class Lines(Stream[_Text], Generic[_Text]):
    def __new__(
        cls,
        readers: Iterator[Any],
        *,
        needles: tuple[bytes, ...] | None = None,
        contains: tuple[_Text, ...] | None = None,
        search: Callable[[_Text], object] | None = None,
        progress: Callable[[Reader], object] | None = None,
        errors: str = ...,
        text: int = 0,
        newline: int = 0,
        strip: int = 0,
        translate: bool = False,
        invert: bool = False,
        slow: bool = False,
        limit: int = 0,
        block_size: int = 262144,
    ) -> Self: ...
    @property
    def path(self) -> Any: ...
    @property
    def position(self) -> int | None: ...
    @property
    def file_number(self) -> int: ...
    def count(self) -> int: ...

@final
class Reader:
    def __new__(
        cls,
        source: Any,
        *,
        path: Any = None,
        compression: str | None = "auto",
        ahead: bool = True,
        block_size: int = 262144,
        owner: bool = False,
    ) -> Self: ...
    @property
    def path(self) -> Any: ...
    @property
    def position(self) -> int: ...
    @property
    def compression(self) -> Literal["gzip", "zstd", "xz", "bzip2"] | None: ...
    def readinto(self, buffer: Buffer, /) -> int: ...
    def read(self, size: SupportsIndex, /) -> bytes: ...
    def close(self) -> None: ...
