# SPDX-License-Identifier: MIT
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import TypeAlias, TypeVar, overload

from hasten.slots._survey import Row as Row
from hasten.slots._survey import Survey as Survey

__all__ = ["slotted", "survey"]

_T = TypeVar("_T")
_Seen: TypeAlias = Survey | str | PathLike[str] | Mapping[str, Iterable[str]]

@overload
def slotted(
    cls: type[_T],
    /,
    *,
    slots: Iterable[str] = (),
    seen: _Seen | None = None,
    weakref: bool = False,
    dict: bool = False,
) -> type[_T]: ...
@overload
def slotted(
    cls: None = None,
    /,
    *,
    slots: Iterable[str] = (),
    seen: _Seen | None = None,
    weakref: bool = False,
    dict: bool = False,
) -> Callable[[type[_T]], type[_T]]: ...
def survey(*, limit: int = 20) -> Survey: ...
