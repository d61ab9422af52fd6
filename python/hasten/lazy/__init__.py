# SPDX-License-Identifier: MIT
"""What is made when it is first used: objects, attributes, connections."""

import os
from typing import TYPE_CHECKING, Any

from hasten._lazy import Proxy, _after_fork, is_resolved, resolve, resource

if TYPE_CHECKING:
    from hasten.lazy._attribute import attribute as attribute
    from hasten.lazy._awaiting import AsyncProxy as AsyncProxy

__all__ = ["AsyncProxy", "Proxy", "attribute", "is_resolved", "resolve", "resource"]

# Who does not use them does not pay for what they import.
_LATER = {"AsyncProxy": "_awaiting", "attribute": "_attribute"}

os.register_at_fork(after_in_child=_after_fork)


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"hasten.lazy.{_LATER[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(globals() | dict.fromkeys(__all__))
