# SPDX-License-Identifier: MIT
"""Switches tracing on in this interpreter: what `hasten run --trace` asks for.

hasten-dropin.pth calls start() when Python starts with HASTEN_TRACE set. Its value is
`SINCE:BUILTINS:FOLDER`, of the recording: when it began (nanoseconds of the monotonic
clock), whether functions of C are traced (1 or 0), where its parts are written. The word
`check` only asks whether tracing would work here, which is_usable() then answers. Programs that
the program starts inherit the variable and so are traced too.
"""

import os
import sys

VARIABLE = "HASTEN_TRACE"


def is_usable() -> bool:
    """Whether start() found what it needs."""
    return "hasten._cprofile" in sys.modules


def start() -> None:
    try:
        from hasten import _cprofile
    except ImportError as error:
        print(f"hasten: cannot trace in {sys.executable}: {error}", file=sys.stderr)
        return
    value = os.environ[VARIABLE]
    if value == "check":
        return
    since, builtins, folder = value.split(":", 2)
    if os.path.isdir(folder):
        _cprofile.trace(folder, int(since), builtins == "1")
