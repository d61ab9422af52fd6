# SPDX-License-Identifier: MIT
"""Objects that are made, and modules that are loaded, when they are first used."""

from hasten.lazy._attach import attach, attach_stub
from hasten.lazy._imports import imports, install, is_installed, lazy_import, uninstall

__all__ = [
    "attach",
    "attach_stub",
    "imports",
    "install",
    "is_installed",
    "lazy_import",
    "uninstall",
]
