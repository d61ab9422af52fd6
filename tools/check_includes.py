# SPDX-License-Identifier: MIT
"""Checks that dependencies point one way: cli -> core <- ext, and base on nothing.

Prints one line a breach and exits with 1 when there is any. The rules are explained
in ARCHITECTURE.md; the table below is their only other statement.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PUBLIC = "include/hasten/"
CORE = "src/core/"
# Folder -> what its files may include besides the C library and themselves.
# The longest matching folder counts.
ALLOWED: dict[str, tuple[str, ...]] = {
    "include/hasten/": (),
    "src/core/base/": ("include/hasten/status.h",),
    "src/core/os/": (PUBLIC, "src/core/base/"),
    "src/core/profile/": (PUBLIC, "src/core/base/"),
    "src/core/": (PUBLIC, "src/core/base/", "src/core/os/", "src/core/profile/"),
    "src/core/sampling/": (
        PUBLIC,
        "src/core/base/",
        "src/core/os/",
        "src/core/profile/",
        "src/core/pyabi/",
    ),
    "src/core/heap/": (PUBLIC, "src/core/base/"),
    "src/core/scaling/": (PUBLIC, "src/core/base/", "src/core/report/", "src/core/stats/"),
    "src/cli/": (PUBLIC, CORE),
    "src/ext/common/": (PUBLIC, CORE),
    "src/ext/": (PUBLIC, CORE, "src/ext/common/"),
    "src/preload/": (PUBLIC, CORE),
    "tests/core/": (PUBLIC, CORE),
    "fuzz/": (PUBLIC, CORE, "tests/core/"),
}
# The only files that may reach for CPython's headers: this one and its parts, pycompat_*.h.
PYTHON_DOOR = "src/ext/common/pycompat"
PYTHON_HEADER = re.compile(r"^(Python|structmember|frameobject|internal/.*|cpython/.*)\.h$")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
# The core has no voice and does not end the program.
CORE_CALLS = re.compile(
    r"\b(v?printf|v?fprintf|puts|fputs|putchar|perror|exit|_exit|abort|Py[A-Z]\w*_\w+)\s*\("
)
NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def folder_of(path: str) -> str | None:
    """The folder of ALLOWED that holds `path`."""
    return max((f for f in ALLOWED if path.startswith(f)), key=len, default=None)


def resolve(includer: str, name: str) -> str | None:
    """Where a quoted include leads, the way the compiler looks for it."""
    for folder in (str(Path(includer).parent), "include", "src"):
        path = (ROOT / folder / name).resolve()
        if path.is_file() and path.is_relative_to(ROOT):
            return str(path.relative_to(ROOT))
    return None


def blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def include_fault(path: str, folder: str, kind: str, name: str) -> str | None:
    if PYTHON_HEADER.match(name):
        return (
            None if path.startswith(PYTHON_DOOR) else f"only {PYTHON_DOOR}*.h may include <{name}>"
        )
    if kind == "<":
        return None
    target = resolve(path, name)
    if target is None:
        return f'"{name}" is not in the tree'
    own = str(Path(path).parent) + "/"
    if target.startswith((own, folder) if folder != "src/core/" else own):
        return None
    if target.startswith(ALLOWED[folder]):
        return None
    return f"{own} may not include {target}"


def check_file(path: str, text: str) -> list[str]:
    """The breaches in one file, each as `path:line: sentence`."""
    folder = folder_of(path)
    if folder is None:
        return []
    faults = []
    for match in INCLUDE.finditer(text):
        fault = include_fault(path, folder, match[1], match[2])
        if fault:
            faults.append(f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {fault}")
    if path.startswith(CORE):
        code = NOT_CODE.sub(blank, text)
        for match in CORE_CALLS.finditer(code):
            line = code.count("\n", 0, match.start()) + 1
            faults.append(f"{path}:{line}: the core may not call {match[1]}")
    return faults


def sources() -> list[str]:
    folders = ("include", "src", "tests/core", "fuzz")
    return sorted(
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*.[ch]")
    )


def main() -> int:
    faults = [f for path in sources() for f in check_file(path, (ROOT / path).read_text())]
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
