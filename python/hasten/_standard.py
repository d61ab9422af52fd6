# SPDX-License-Identifier: MIT
"""The standard modules, for those of ours that build on them and may stand in their place."""

import importlib
import sys
from types import FunctionType, ModuleType
from typing import Any


def original(name: str) -> ModuleType:
    """The standard module of that name, whatever an import of it would answer now."""
    dropin = sys.modules.get("_hasten_dropin")
    if dropin is None:
        return importlib.import_module(name)
    found: ModuleType = dropin.original(name)
    return found


def here(function: FunctionType, names: dict[str, Any]) -> FunctionType:
    """The function, looking names up in `names` in place of its own module's."""
    copy = FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__qualname__ = function.__qualname__
    copy.__doc__ = function.__doc__
    return copy
