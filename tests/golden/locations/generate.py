# SPDX-License-Identifier: MIT
"""Writes what this interpreter says of the positions in its code objects.

Usage: pythonX.Y generate.py > X.Y.txt. tests/core/test_location.c reads the files.
A line "code FIRST_LINE LINETABLE" (hex) starts a code object; then one line a run of
code units with the same location: UNITS LINE END_LINE COLUMN END_COLUMN, counted
from 1, 0 where there is none.
"""

import itertools
import types

# Each kind of entry: long expressions, many lines apart, no location (handlers,
# cleanup), wide columns, generated code with a line going back.
SOURCE = '''
import contextlib

class Shape:
    """Documented."""
    sides: int = 0

    def area(self, *, scale=1):
        return sum(x * y for x, y in self.points if x > 0) * scale


def wide():
    value = {}; other = (value,                                                                                                                                                                      value, 1)
    return (
        value
        if other
        else [
            item

            for item in other
        ]
    )


def handlers(path):
    try:
        with open(path) as file, contextlib.suppress(ValueError):
            for line in file:
                try:
                    yield int(line)
                except ValueError as error:
                    raise RuntimeError("no number") from error
                finally:
                    print("done")
    except* OSError as group:
        print(group)


async def loops(items):
    async with items as more:
        async for item in more:
            if item is None:
                continue
            await item
    return [x async for x in items if (y := x)]


def match(command):
    match command:
        case {"a": [1, 2, *rest], **more} if rest:
            return more
        case Shape(sides=3) | None:
            return lambda x: (x := 1) if command else f"{command!r:>{10}} {1 + 2}"
    del command


def euro():
    text = "€€€"; return text.join(["ä", "ö"])
'''


def code_objects(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from code_objects(constant)


def print_code(code):
    print("code", code.co_firstlineno, code.co_linetable.hex())
    places = (
        (line or 0, end_line or 0, 0 if column is None else column + 1,
         0 if end_column is None else end_column + 1)
        for line, end_line, column, end_column in code.co_positions()
    )
    for place, run in itertools.groupby(places):
        print(len(list(run)), *place)


def main():
    far = SOURCE + "\n" * 3000 + "def far():\n" + "\n" * 5000 + "    return 1\n"
    for source in (SOURCE, far):
        for code in code_objects(compile(source, "s.py", "exec")):
            print_code(code)
    with open(types.__file__, encoding="utf-8") as file:
        library = compile(file.read(), "types.py", "exec")
    for code in code_objects(library):
        print_code(code)


if __name__ == "__main__":
    main()
