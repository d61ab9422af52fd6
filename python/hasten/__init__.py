# SPDX-License-Identifier: MIT
"""hasten finds what makes a Python program slow.

Programs are measured by the `hasten` command. This package reads what it recorded:

    import hasten

    recording = hasten.open("app.hasten")
    for function in recording.functions[:10]:
        print(f"{function.self_share:6.1%}  {function.name}  {function.file}:{function.line}")
"""

from hasten._recording import (
    Call,
    Frame,
    Function,
    Line,
    Process,
    Recording,
    RecordingError,
    Sample,
    Thread,
    open,
)
from hasten._recording import version as __version__

__all__ = [
    "Call",
    "Frame",
    "Function",
    "Line",
    "Process",
    "Recording",
    "RecordingError",
    "Sample",
    "Thread",
    "__version__",
    "open",
]
