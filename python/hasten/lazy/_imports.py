# SPDX-License-Identifier: MIT
"""Imports that happen when what they import is used for the first time.

    from hasten.lazy import imports, lazy_import

    with imports():
        import pandas as pd          # loaded when pd is used
        from numpy.linalg import svd

    plotting = lazy_import("matplotlib.pyplot")

`install()` makes all imports at the top of modules so, for a whole program; `attach` and
`attach_stub` are for the `__init__.py` of packages. docs/imports.md says which imports wait.
"""

from __future__ import annotations

import builtins
import sys
from typing import TYPE_CHECKING, Any

from hasten import _imports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

    _Filter = Callable[[str, str, Any], bool]

# From Python 3.15 on the language itself has lazy imports.
_NATIVE = hasattr(builtins, "__lazy_import__")


class _Native:
    """The language's own lazy imports: what install() set, and what was set before it."""

    installed: tuple[_Filter, _Filter | None, str] | None = None


def lazy_import(name: str, package: str | None = None) -> ModuleType:
    """The module of that name, as `importlib.import_module` returns it, but loaded when it is
    first used. One that does not exist raises ModuleNotFoundError at once, where that can be
    told without loading anything else."""
    if name.startswith("."):
        from importlib.util import resolve_name

        name = resolve_name(name, package)
    module = _imports.lazy_module(name)
    if module is None:
        from importlib import import_module

        module = import_module(name)
    return module


class imports:
    """`with imports():` at the top of a module: imports directly in its body wait. Within
    functions and classes it changes nothing."""

    def __enter__(self) -> imports:
        _imports.open_scope(self, sys._getframe(1))
        return self

    def __exit__(self, *exception: object) -> None:
        _imports.close_scope(self)


def _patterns(given: Iterable[str] | None, name: str) -> list[str]:
    if given is None:
        return []
    if isinstance(given, str):
        raise TypeError(f"{name} is a list of patterns, not one string")
    patterns = list(given)
    for pattern in patterns:
        if not isinstance(pattern, str) or not pattern:
            raise TypeError(f"{name} has {pattern!r}, which is no pattern of module names")
    return patterns


def _make_filter(before: _Filter | None) -> _Filter:
    def is_lazy(importing: str, imported: str, names: Any = None) -> bool:
        if before is not None and not before(importing, imported, names):
            return False
        return _imports.may_wait(imported)

    return is_lazy


def _install_natively() -> None:
    system: Any = sys
    before = system.get_lazy_imports_filter()
    if _Native.installed is None or before is not _Native.installed[0]:
        # Where another filter was set since, what there was before the first time still counts.
        mode = system.get_lazy_imports() if _Native.installed is None else _Native.installed[2]
        _Native.installed = (_make_filter(before), before, mode)
        system.set_lazy_imports_filter(_Native.installed[0])
    system.set_lazy_imports("all")


def _uninstall_natively() -> None:
    system: Any = sys
    if _Native.installed is None:
        return
    if system.get_lazy_imports_filter() is _Native.installed[0]:
        system.set_lazy_imports_filter(_Native.installed[1])
    system.set_lazy_imports(_Native.installed[2])
    _Native.installed = None


def install(include: Iterable[str] | None = None, exclude: Iterable[str] | None = None) -> None:
    """From now on, imports at the top of modules wait in the whole program, wherever they can.

    `include` and `exclude` are lists of patterns for names of modules: "numpy" stands for it
    and all within it, "my*" for all that match. Without `include`, all may wait. A second call
    replaces the lists of the first.
    """
    included = _patterns(include, "include")
    excluded = _patterns(exclude, "exclude")
    if _NATIVE:
        _imports.set_patterns(included, excluded)
        _install_natively()
    else:
        _imports.install(included, excluded)


def uninstall() -> None:
    """Imports from now on happen at once; those that wait go on waiting."""
    if _NATIVE:
        _uninstall_natively()
    else:
        _imports.uninstall()


def is_installed() -> bool:
    """Whether install() is in effect."""
    return _Native.installed is not None if _NATIVE else _imports.is_installed()
