# SPDX-License-Identifier: MIT
"""`python -m hasten.slots`: surveys a program without a change to it."""

import os
import sys
from typing import NoReturn

from hasten.dropin import _interpreter_options

USAGE = """\
Usage: python -m hasten.slots [--json FILE] [--signal] (-m MODULE | -c CODE | SCRIPT) [ARGS]

Runs a program as `python` would, and says at its end in which of its classes slots would
save memory.

  --json FILE  writes that as JSON instead of a table on standard error
  --signal     also now, whenever the program gets SIGUSR1
  -h, --help   say this
"""


def _fail(message: str) -> NoReturn:
    print(f"hasten.slots: {message}", file=sys.stderr)
    raise SystemExit(2)


def main() -> None:
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


if __name__ == "__main__":
    main()
