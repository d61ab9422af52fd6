# SPDX-License-Identifier: MIT
"""Lazy imports for a whole program (`hasten run --lazy-imports`), and what imports cost
(`hasten imports`).

hasten-dropin.pth calls start() when Python starts with HASTEN_LAZY_IMPORTS or HASTEN_IMPORTS
set. The first is `1`; the second is the folder in which each process writes what it found. The
word `check` only asks whether that would work here.

The package hasten itself is not imported, only its module written in C: what it imports would
be missing among the program's imports, and would cost what lazy imports are to save.
"""

import os
import sys

LAZY = "HASTEN_LAZY_IMPORTS"
COST = "HASTEN_IMPORTS"
_NAME = "hasten._imports"


def is_usable():
    """Whether start() found what it needs."""
    return _NAME in sys.modules


def _load():
    """hasten._imports, from the folder beside this file."""
    if _NAME in sys.modules:
        return sys.modules[_NAME]
    import _imp
    from importlib.machinery import ExtensionFileLoader, ModuleSpec

    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hasten")
    for suffix in _imp.extension_suffixes():
        path = os.path.join(folder, "_imports" + suffix)
        if os.path.exists(path):
            break
    else:
        raise ImportError(f"there is no {_NAME} in {folder}")
    spec = ModuleSpec(_NAME, ExtensionFileLoader(_NAME, path), origin=path)
    spec.has_location = True
    module = _imp.create_dynamic(spec)
    # As importlib would have it: a later import of hasten finds it there.
    module.__spec__ = spec
    module.__loader__ = spec.loader
    module.__file__ = path
    module.__package__ = "hasten"
    _imp.exec_dynamic(module)
    sys.modules[_NAME] = module
    return module


def _hear_of_code(module):
    """Each code object is told of once; answers what sys.monitoring calls are told to say."""
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is None:
        return None
    free = [number for number in (4, 3, 1) if monitoring.get_tool(number) is None]
    if not free:
        return None
    tool, events = free[0], monitoring.events
    monitoring.use_tool_id(tool, "hasten imports")

    def begin():
        monitoring.register_callback(tool, events.PY_START, module.started)
        monitoring.set_events(tool, events.PY_START)

    return begin


def _record(module, folder):
    import atexit

    begin = _hear_of_code(module)
    process = os.getpid()

    def finish():
        # Those that were forked have their parent's imports.
        if os.getpid() != process or not os.path.isdir(folder):
            return
        try:
            module.timing_write(os.path.join(folder, f"{process}.part"))
        except Exception as error:
            print(f"hasten: the imports could not be written: {error!r}", file=sys.stderr)

    atexit.register(finish)
    module.timing_start(None if begin is None else sys.monitoring.DISABLE)
    if begin is not None:
        begin()


def start():
    lazy, cost = os.environ.get(LAZY), os.environ.get(COST)
    if is_usable():
        return  # Python reads the file once for each of its folders that is the same one
    try:
        module = _load()
    except ImportError as error:
        print(f"hasten: cannot look at imports of {sys.executable}: {error}", file=sys.stderr)
        return
    if cost and cost != "check" and os.path.isdir(cost):
        _record(module, cost)
    if lazy == "1":
        import builtins

        if hasattr(builtins, "__lazy_import__"):
            sys.set_lazy_imports("all")
        else:
            module.install([], [])
