# SPDX-License-Identifier: MIT
"""The standard modules, for those of ours that build on them and may stand in their place."""

import importlib
import sys
from types import ModuleType


def original(name: str) -> ModuleType:
    """The standard module of that name, whatever an import of it would answer now."""
    dropin = sys.modules.get("_hasten_dropin")
    if dropin is None:
        return importlib.import_module(name)
    found: ModuleType = dropin.original(name)
    return found
