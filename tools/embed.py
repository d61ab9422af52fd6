# SPDX-License-Identifier: MIT
"""Writes a text file as a C string: embed.py NAME TEXT C_FILE."""

import sys
from pathlib import Path


def c_string(line: str) -> str:
    escaped = line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'    "{escaped}"\n'


def main(name: str, source: str, target: str) -> None:
    lines = Path(source).read_text(encoding="ascii").splitlines(keepends=True)
    text = "".join(map(c_string, lines))
    Path(target).write_text(
        f"/* Made of {Path(source).name} by tools/embed.py. */\n"
        f"extern const char {name}[];\nconst char {name}[] =\n{text};\n"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
