# SPDX-License-Identifier: MIT
"""Puts hasten's modules under the names of the standard ones, in this interpreter.

`python -m hasten.dropin` sets HASTEN_DROPIN and starts the program; hasten-dropin.pth,
which Python reads at every start, then calls start() here, in the program and in each
interpreter that the program starts. Where the variable is not set this file is not even
imported. Modules are replaced when they are first imported, and those that were imported
before are patched, so that whoever has them has ours.
"""

import importlib
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Iterable, Sequence
from types import CodeType, ModuleType
from typing import Any

VARIABLE = "HASTEN_DROPIN"
# What can be asked for -> standard modules -> ours.
REPLACEMENTS = {
    "cProfile": {
        "cProfile": "hasten.cProfile",
        "_lsprof": "hasten._cprofile",
        # What it is called since 3.15.
        "profiling.tracing": "hasten.cProfile",
    },
    "functools": {"functools": "hasten.functools"},
    "pstats": {"pstats": "hasten.pstats"},
    "timeit": {"timeit": "hasten.timeit"},
    "tracemalloc": {"tracemalloc": "hasten.tracemalloc"},
}


def available() -> list[str]:
    """The names that this hasten has modules for."""
    return [
        name
        for name, modules in REPLACEMENTS.items()
        if all(importlib.util.find_spec(ours) for ours in modules.values())
    ]


class _Loader:
    """Answers an import of a standard module with ours, which was or is imported by its
    own name."""

    def __init__(self, ours: str) -> None:
        self._ours = ours
        self._spec: importlib.machinery.ModuleSpec | None = None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = importlib.import_module(self._ours)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # It was executed under its own name, and keeps its own specification.
        module.__spec__ = self._spec

    # For `python -m cProfile`: our module's code, run as __main__.

    def get_code(self, name: str) -> CodeType | None:
        spec = importlib.util.find_spec(self._ours)
        loader = None if spec is None else spec.loader
        if not isinstance(loader, importlib.machinery.SourceFileLoader):
            return None
        return loader.get_code(self._ours)

    def is_package(self, name: str) -> bool:
        return False


class _Finder:
    def __init__(self) -> None:
        self.replaced: dict[str, str] = {}
        # Standard modules, for those of ours that build on them.
        self.originals: dict[str, ModuleType] = {}
        self._passed: set[str] = set()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        ours = self.replaced.get(name)
        if ours is None or name in self._passed:
            return None
        spec = importlib.util.find_spec(ours)
        if spec is None or spec.origin is None:
            return None
        loader: Any = _Loader(ours)
        return importlib.util.spec_from_file_location(name, spec.origin, loader=loader)

    def original(self, name: str) -> ModuleType:
        if name not in self.originals:
            replacement = sys.modules.pop(name, None)
            self._passed.add(name)
            try:
                self.originals[name] = importlib.import_module(name)
            finally:
                self._passed.discard(name)
                sys.modules.pop(name, None)
                if replacement is not None:
                    sys.modules[name] = replacement
        return self.originals[name]


_finder = _Finder()


def original(name: str) -> ModuleType:
    """The standard module of that name, replaced or not."""
    if name in _finder.replaced:
        return _finder.original(name)
    return importlib.import_module(name)


def _patch(standard: ModuleType, ours: ModuleType) -> None:
    """Gives our functions and classes to a module that programs have already, and to all
    that took the standard ones out of it."""
    changed = {}
    for name in getattr(ours, "__all__", ()):
        old, new = getattr(standard, name, None), getattr(ours, name)
        if callable(old) and old is not new:
            changed[id(old)] = (old, new)
            setattr(standard, name, new)
    for module in list(sys.modules.values()):
        # Ours have the standard ones on purpose.
        if not isinstance(module, ModuleType) or module.__name__.partition(".")[0] == "hasten":
            continue
        for name, value in list(vars(module).items()):
            if id(value) in changed and changed[id(value)][0] is value:
                setattr(module, name, changed[id(value)][1])


def _replace_loaded(name: str, ours: str) -> None:
    standard = sys.modules[name]
    _finder.originals[name] = standard
    module = importlib.import_module(ours)
    _patch(standard, module)
    # A module that has only some of the names cannot stand for all.
    if all(hasattr(module, public) for public in getattr(standard, "__all__", ())):
        sys.modules[name] = module
        package, _, attribute = name.rpartition(".")
        if package:
            setattr(sys.modules[package], attribute, module)


def activate(names: Iterable[str]) -> None:
    """Replaces the modules of these names, from now on and where they are imported."""
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    for name in names:
        for standard, ours in REPLACEMENTS.get(name, {}).items():
            if standard not in _finder.replaced:
                _finder.replaced[standard] = ours
                if standard in sys.modules:
                    _replace_loaded(standard, ours)


def _take_over_tracing() -> None:
    """Where Python was told to trace allocations (-X tracemalloc), ours goes on."""
    import _tracemalloc

    if _tracemalloc.is_tracing():
        limit = _tracemalloc.get_traceback_limit()
        # First: what it puts back is the allocator that it found.
        _tracemalloc.stop()
        importlib.import_module(_finder.replaced["tracemalloc"]).start(limit)


def start() -> None:
    """What hasten-dropin.pth calls."""
    activate(os.environ[VARIABLE].split(","))
    if "tracemalloc" in _finder.replaced:
        _take_over_tracing()
