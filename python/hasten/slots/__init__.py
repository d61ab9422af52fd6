# SPDX-License-Identifier: MIT
"""Slots for classes that have none, and which classes of a program would gain by them.

    from hasten.slots import slotted, survey

    @slotted
    class Point:
        def __init__(self, x, y):
            self.x = x
            self.y = y

    print(survey())

A program is surveyed without a change by

    python -m hasten.slots app.py --its --arguments
"""

import os
import sys

__all__ = ["slotted", "survey"]

USAGE = """\
Usage: python -m hasten.slots [--json FILE] [--signal] (-m MODULE | -c CODE | SCRIPT) [ARGS]

Runs a program as `python` would, and says at its end in which of its classes slots would
save memory.

  --json FILE  writes that as JSON instead of a table on standard error
  --signal     also now, whenever the program gets SIGUSR1
  -h, --help   say this
"""


def __getattr__(name):
    # Most programs decorate and do not survey.
    if name in ("Row", "Survey"):
        from hasten.slots import _survey

        return getattr(_survey, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def slotted(cls=None, /, *, slots=(), seen=None, weakref=False, dict=False):
    """Gives a class __slots__ for the attributes that it annotates and that its methods assign
    to self, for those named in `slots`, and for those that `seen` (a survey, its JSON file, or
    a mapping from names of classes to names of attributes) has for it. `weakref` permits weak
    references to instances; `dict` lets them have other attributes too."""
    if cls is None:
        return lambda cls: slotted(cls, slots=slots, seen=seen, weakref=weakref, dict=dict)
    from hasten.slots._slotting import make

    slots = (slots,) if isinstance(slots, str) else tuple(slots)
    names = [name for name in slots if name not in ("__dict__", "__weakref__")]
    if seen is not None:
        from hasten.slots._survey import seen_names

        names += seen_names(seen, cls)
    weakref = weakref or "__weakref__" in slots
    dict = dict or "__dict__" in slots
    # Nothing here may keep the class, which is to go away: see make().
    box = [cls]
    del cls
    return make(box, names, bool(names), weakref, dict)


def survey(*, limit=20):
    """Counts the instances of the program's classes, their bytes and attributes, and works out
    what slots would save. `limit` is how many classes the table shows."""
    from hasten.slots._survey import Survey

    return Survey(limit)


def _fail(message):
    print(f"hasten.slots: {message}", file=sys.stderr)
    raise SystemExit(2)


def _main():
    from hasten.dropin import _interpreter_options

    arguments = sys.argv[1:]
    path, signal = "", False
    while arguments and arguments[0].startswith("--"):
        option, equals, value = arguments.pop(0).partition("=")
        if option == "--help":
            arguments = ["-h"]
        elif option == "--signal":
            signal = True
        elif option == "--json":
            if not equals and not arguments:
                _fail("--json wants a file")
            path = os.path.abspath(value if equals else arguments.pop(0))
        else:
            _fail(f"there is no option {option}; try --help")
    if arguments[:1] == ["-h"]:
        print(USAGE, end="")
        return
    if not arguments or arguments in (["-m"], ["-c"]):
        _fail("nothing to run; try --help")
    if arguments[0].startswith("-") and arguments[0] not in ("-", "-c", "-m"):
        _fail(f"there is no option {arguments[0]}; try --help")
    if not sys.executable or sys.flags.no_site:
        _fail("Python must read its site directories when it starts")
    os.environ["HASTEN_SLOTS"] = f"{os.getpid()}\t{int(signal)}\t{path}"
    sys.stdout.flush()
    os.execv(sys.executable, [sys.orig_argv[0], *_interpreter_options("hasten.slots"), *arguments])
