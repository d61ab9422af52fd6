# SPDX-License-Identifier: MIT
"""`python -m hasten ...` is the `hasten` command of the same installation."""

import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path


def _places() -> Iterator[Path]:
    yield Path(sysconfig.get_path("scripts"))
    yield Path(sys.executable).parent
    # pip install --user
    yield Path(sysconfig.get_path("scripts", f"{os.name}_user"))


def find_command() -> str | None:
    """The command of this installation."""
    for place in _places():
        command = place / "hasten"
        if os.access(command, os.X_OK):
            return str(command)
    return None


def main() -> None:
    command = find_command()
    if command is not None:
        os.execv(command, [command, *sys.argv[1:]])
    places = ", ".join(dict.fromkeys(map(str, _places())))
    sys.exit(f"hasten: the hasten command is in none of {places}; reinstall the package")


if __name__ == "__main__":
    main()
