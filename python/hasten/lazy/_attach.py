# SPDX-License-Identifier: MIT
"""Lazy submodules and attributes of a package: SPEC 1 of the Scientific Python project.

In a package's `__init__.py`:

    from hasten import lazy

    __getattr__, __dir__, __all__ = lazy.attach(
        __name__, submodules=["morphology"], submod_attrs={"filters": ["sobel", "gaussian"]}
    )

With the environment variable EAGER_IMPORT set, everything is imported at once, so that tests
find what cannot be.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    _Attached = tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]


def attach(
    package_name: str,
    submodules: Iterable[str] | None = None,
    submod_attrs: Mapping[str, Iterable[str]] | None = None,
) -> _Attached:
    """`__getattr__`, `__dir__` and `__all__` for a package whose submodules, and attributes of
    submodules, are imported when they are first used."""
    modules = set(submodules or ())
    attributes = {
        name: submodule for submodule, names in (submod_attrs or {}).items() for name in names
    }
    public = sorted(modules | attributes.keys())

    def __getattr__(name: str) -> Any:
        from importlib import import_module

        if name in modules:
            return import_module(f"{package_name}.{name}")
        if name not in attributes:
            raise AttributeError(f"module {package_name!r} has no attribute {name!r}")
        submodule = attributes[name]
        module = import_module(f"{package_name}.{submodule}")
        package = sys.modules.get(package_name)
        if package is not None and attributes.get(submodule) == submodule:
            # Importing it has just put the module where its attribute belongs.
            setattr(package, submodule, getattr(module, submodule))
        return getattr(module, name)

    def __dir__() -> list[str]:
        return list(public)

    if os.environ.get("EAGER_IMPORT"):
        for name in public:
            __getattr__(name)
    return __getattr__, __dir__, list(public)


def _read_stub(path: str, text: str) -> tuple[set[str], dict[str, list[str]]]:
    """What a stub imports from its own package: submodules, and attributes of submodules."""
    import ast

    submodules: set[str] = set()
    attributes: dict[str, list[str]] = {}
    for node in ast.parse(text, path).body:
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.level != 1:
            raise ValueError(
                f"{path}, line {node.lineno}: only imports from the package itself can be lazy, "
                "like `from .module import name` or `from . import module`"
            )
        for alias in node.names:
            if alias.name == "*":
                raise ValueError(
                    f"{path}, line {node.lineno}: `import *` does not say what there is"
                )
            if alias.asname not in (None, alias.name):
                raise ValueError(
                    f"{path}, line {node.lineno}: {alias.name} cannot be renamed to {alias.asname}"
                )
            if node.module is None:
                submodules.add(alias.name)
            else:
                attributes.setdefault(node.module, []).append(alias.name)
    return submodules, attributes


def attach_stub(package_name: str, filename: str) -> _Attached:
    """The same, from what the stub beside `filename` (pass `__file__`) imports: the stub tells
    type checkers and the program in one place."""
    path = filename if filename.endswith("i") else f"{os.path.splitext(filename)[0]}.pyi"
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise ValueError(
            f"cannot read the stub {path} of {package_name}: {error.strerror}"
        ) from error
    submodules, attributes = _read_stub(path, text)
    return attach(package_name, submodules, attributes)
