# SPDX-License-Identifier: MIT
"""hasten finds what makes a Python program slow.

Programs are measured by the `hasten` command. This package reads what it recorded:

    import hasten

    recording = hasten.open("app.hasten")
    for function in recording.functions[:10]:
        print(f"{function.self_share:6.1%}  {function.name}  {function.file}:{function.line}")
"""

from typing import TYPE_CHECKING, Any

from hasten._recording import (
    Call,
    Frame,
    Function,
    Line,
    Point,
    Process,
    Recording,
    RecordingError,
    Sample,
    Series,
    Thread,
    open,
)
from hasten._recording import version as __version__

if TYPE_CHECKING:
    from hasten.budgets import budget
    from hasten.scaling import complexity

__all__ = [
    "Call",
    "Frame",
    "Function",
    "Line",
    "Point",
    "Process",
    "Recording",
    "RecordingError",
    "Sample",
    "Series",
    "Thread",
    "__version__",
    "budget",
    "complexity",
    "open",
]

# Imported when they are used for the first time: most programs use none of them.
_LATE = {"budget": "hasten.budgets", "complexity": "hasten.scaling"}


def __getattr__(name: str) -> Any:
    if name in _LATE:
        from importlib import import_module

        globals()[name] = found = getattr(import_module(_LATE[name]), name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATE})
