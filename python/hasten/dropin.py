# SPDX-License-Identifier: MIT
"""Runs a program with hasten's modules in place of the standard ones.

    python -m hasten.dropin app.py --its --arguments
    python -m hasten.dropin --only pstats -m package.module

The program runs as `python` would run it, and needs no change: what it imports as
`cProfile` or `pstats` is hasten's. So it is in the interpreters that it starts, with
`subprocess` or `multiprocessing`, as long as they are of the same environment.
"""

import os
import site
import sys
from pathlib import Path
from typing import NoReturn

import _hasten_dropin

USAGE = """\
Usage: python -m hasten.dropin [--only NAME,...] (-m MODULE | -c CODE | SCRIPT) [ARGS]

Runs a program with hasten's modules in place of the standard ones: {names}.

  --only NAME,...  replace only these
  -h, --help       say this
"""


def _fail(message: str) -> NoReturn:
    print(f"hasten.dropin: {message}", file=sys.stderr)
    raise SystemExit(2)


def _parse(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The names to replace, and what python is to run."""
    known = _hasten_dropin.available()
    names = known
    while arguments and arguments[0].startswith("--"):
        option, equals, value = arguments[0].partition("=")
        arguments = arguments[1:]
        if option == "--help":
            print(USAGE.format(names=", ".join(known)), end="")
            raise SystemExit(0)
        if option != "--only":
            _fail(f"there is no option {option}; try --help")
        if not equals:
            if not arguments:
                _fail("--only wants names")
            value, *arguments = arguments
        names = value.split(",")
        for name in names:
            if name not in known:
                _fail(f"there is no module in place of {name!r}; there are {', '.join(known)}")
    if arguments[:1] == ["-h"]:
        print(USAGE.format(names=", ".join(known)), end="")
        raise SystemExit(0)
    if not arguments or arguments in (["-m"], ["-c"]):
        _fail("nothing to run; try --help")
    if arguments[0].startswith("-") and arguments[0] not in ("-", "-c", "-m"):
        _fail(f"there is no option {arguments[0]}; try --help")
    return names, arguments


def _interpreter_options(module: str = "hasten.dropin") -> list[str]:
    """The options of this interpreter, those before `-m hasten.dropin`."""
    options = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv[1:])]
    last = options.pop()
    if last == module:
        last = options.pop()
    else:
        last = last.removesuffix(module)
    # "-m" can be the end of several options in one word, like "-Im".
    last = last.removesuffix("m")
    return options if last == "-" else [*options, last]


def _check_start() -> None:
    """Python must read hasten-dropin.pth when it starts: it does so in site directories."""
    folder = Path(_hasten_dropin.__file__).resolve().parent
    folders = site.getsitepackages()
    if site.ENABLE_USER_SITE:
        folders.append(site.getusersitepackages())
    if not sys.executable:
        _fail("Python does not know where its own program is, and so cannot start another")
    if sys.flags.no_site:
        _fail("Python was started with -S, without which modules cannot be replaced")
    is_there = (folder / "hasten-dropin.pth").exists()
    if not is_there or folder not in [Path(place).resolve() for place in folders]:
        _fail(
            f"hasten is in {folder}, where {sys.executable} does not look when it starts; "
            "install it with that interpreter's pip"
        )


def main() -> NoReturn:
    names, program = _parse(sys.argv[1:])
    _check_start()
    os.environ[_hasten_dropin.VARIABLE] = ",".join(names)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.orig_argv[0], *_interpreter_options(), *program])


if __name__ == "__main__":
    main()
