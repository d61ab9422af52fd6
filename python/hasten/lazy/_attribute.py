# SPDX-License-Identifier: MIT
"""`attribute`, whose base is the cached property of `hasten.functools`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    _T = TypeVar("_T")

    class attribute(Generic[_T]):
        """An attribute that func(instance) computes when it is first read."""

        func: Callable[[Any], _T]
        attrname: str | None

        def __init__(self, func: Callable[[Any], _T]) -> None: ...
        def __set_name__(self, owner: type, name: str) -> None: ...
        @overload
        def __get__(self, instance: None, owner: type | None = None, /) -> "attribute[_T]": ...
        @overload
        def __get__(self, instance: object, owner: type | None = None, /) -> _T: ...
        def __get__(self, instance: object, owner: type | None = None, /) -> Any: ...

else:
    from hasten._lazy import _attribute_type
    from hasten.functools import cached_property

    attribute = _attribute_type(cached_property)
