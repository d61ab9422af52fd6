# SPDX-License-Identifier: MIT
"""What is made when it is first used: objects, attributes, connections, modules."""

import os
from typing import TYPE_CHECKING, Any

from hasten._lazy import Proxy, _after_fork, is_resolved, resolve, resource

if TYPE_CHECKING:
    from hasten.lazy._attach import attach as attach
    from hasten.lazy._attach import attach_stub as attach_stub
    from hasten.lazy._attribute import attribute as attribute
    from hasten.lazy._awaiting import AsyncProxy as AsyncProxy
    from hasten.lazy._imports import imports as imports
    from hasten.lazy._imports import install as install
    from hasten.lazy._imports import is_installed as is_installed
    from hasten.lazy._imports import lazy_import as lazy_import
    from hasten.lazy._imports import uninstall as uninstall

__all__ = [
    "AsyncProxy",
    "Proxy",
    "attach",
    "attach_stub",
    "attribute",
    "imports",
    "install",
    "is_installed",
    "is_resolved",
    "lazy_import",
    "resolve",
    "resource",
    "uninstall",
]

# Who does not use them does not pay for what they import.
_LATER = {
    "AsyncProxy": "_awaiting",
    "attach": "_attach",
    "attach_stub": "_attach",
    "attribute": "_attribute",
    "imports": "_imports",
    "install": "_imports",
    "is_installed": "_imports",
    "lazy_import": "_imports",
    "uninstall": "_imports",
}

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
