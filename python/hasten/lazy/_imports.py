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

import builtins
import sys

from hasten import _imports

# From Python 3.15 on the language itself has lazy imports.
_NATIVE = hasattr(builtins, "__lazy_import__")
_native_filter = None


def lazy_import(name, package=None):
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


class imports:  # noqa: N801 - reads as a statement
    """`with imports():` at the top of a module: imports directly in its body wait. Within
    functions and classes it changes nothing."""

    def __enter__(self):
        _imports.open_scope(self, sys._getframe(1))
        return self

    def __exit__(self, *exception):
        _imports.close_scope(self)


def _patterns(given, name):
    if given is None:
        return []
    if isinstance(given, str):
        raise TypeError(f"{name} is a list of patterns, not one string")
    patterns = list(given)
    for pattern in patterns:
        if not isinstance(pattern, str) or not pattern:
            raise TypeError(f"{name} has {pattern!r}, which is no pattern of module names")
    return patterns


def _make_filter(before):
    def is_lazy(importing, imported, names=None):
        if before is not None and not before(importing, imported, names):
            return False
        return _imports.may_wait(imported)

    return is_lazy


def _install_natively():
    global _native_filter
    before = sys.get_lazy_imports_filter()
    if _native_filter is None or before is not _native_filter[0]:
        _native_filter = (_make_filter(before), before, sys.get_lazy_imports())
        sys.set_lazy_imports_filter(_native_filter[0])
    sys.set_lazy_imports("all")


def _uninstall_natively():
    global _native_filter
    if _native_filter is None:
        return
    if sys.get_lazy_imports_filter() is _native_filter[0]:
        sys.set_lazy_imports_filter(_native_filter[1])
    sys.set_lazy_imports(_native_filter[2])
    _native_filter = None


def install(include=None, exclude=None):
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


def uninstall():
    """Imports from now on happen at once; those that wait go on waiting."""
    if _NATIVE:
        _uninstall_natively()
    else:
        _imports.uninstall()


def is_installed():
    """Whether install() is in effect."""
    return _native_filter is not None if _NATIVE else _imports.is_installed()
