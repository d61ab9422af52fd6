# SPDX-License-Identifier: MIT
"""Surveys this program's classes at its end: what `python -m hasten.slots` asks for.

hasten-dropin.pth calls start() when Python starts with HASTEN_SLOTS set: the process that is
meant (those that it starts are not), whether a signal asks too, and a file for JSON.
"""

import os
import sys

VARIABLE = "HASTEN_SLOTS"


def _tell(path):
    try:
        from hasten.slots import survey

        found = survey()
        if path:
            found.to_json(path)
        else:
            print(found, file=sys.stderr)
    except Exception as error:
        print(f"hasten: the survey failed: {error!r}", file=sys.stderr)


def start():
    # Taken away: a program that looks at its environment, or starts others, is as ever.
    process, with_signal, path = os.environ.pop(VARIABLE).split("\t", 2)
    if process != str(os.getpid()):
        return
    import atexit

    def at_exit():
        if process == str(os.getpid()):  # a child that was forked has it too
            _tell(path)

    # Registered first, hence called last: after the program's own.
    atexit.register(at_exit)
    if with_signal == "1":
        import signal

        signal.signal(signal.SIGUSR1, lambda *_: at_exit())
