# SPDX-License-Identifier: MIT
"""What pyproject.toml says to `hasten check`, and which files are to be checked.

`hasten` carries this text in itself and starts it with `python -c` in the current
directory.

    argv: [FILE...]
    out:  lines of words between tabs:
          home PATH, python VERSION, file PATH NAME, set KEY VALUE, of PATTERN KEY VALUE
          KEY: threshold, memory-threshold (percent), budget (seconds), history (a path),
          strict (0 or 1)
"""

import os
import platform
import sys
from pathlib import Path

PATTERNS = ["**/bench_*.py"]
# Where nobody's own benchmarks are.
NOT_IN = {"node_modules", "site-packages", "dist-packages", "__pycache__", "build", "dist"}
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


def fail(text):
    sys.exit(text)


def find_home():
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "pyproject.toml").is_file() or (folder / ".git").exists():
            return folder
    return here


def read(home):
    import tomllib

    path = home / "pyproject.toml"
    if not path.is_file():
        return {}
    try:
        table = tomllib.loads(path.read_bytes().decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        fail(f"{path}: {error}")
    for name in ("tool", "hasten", "check"):
        table = table.get(name, {})
        if not isinstance(table, dict):
            fail(f"{path}: {name} shall be a table")
    return table


def percent(key, value):
    """1.5, "1.5 %", "1.5%"."""
    try:
        number = float(str(value).removesuffix("%"))
    except ValueError:
        number = -1.0
    if isinstance(value, bool) or not 0 <= number <= 1000:
        fail(f'tool.hasten.check: {key} shall be a percentage such as 2 or "2 %", not {value!r}')
    return repr(number)


def seconds(key, value):
    text = str(value).replace(" ", "")
    unit = text.lstrip("0123456789.")
    try:
        number = float(text.removesuffix(unit)) * SECONDS[unit]
    except (KeyError, ValueError):
        number = -1.0
    if isinstance(value, bool) or not 0.1 <= number <= 86400:
        fail(f'tool.hasten.check: {key} shall be a time such as "10s", not {value!r}')
    return repr(number)


def text(key, value):
    if not isinstance(value, str) or not value or any(c in value for c in "\t\n\r"):
        fail(f"tool.hasten.check: {key} shall be a line of text, not {value!r}")
    return value


KEYS = {"threshold": percent, "memory-threshold": percent, "budget": seconds}


def is_ours(home, path):
    """Not a copy in somebody's environment or among what was built."""
    parts = path.relative_to(home).parts[:-1]
    folders = [home.joinpath(*parts[: i + 1]) for i in range(len(parts))]
    return not any(
        part.startswith(".") or part in NOT_IN or (folder / "pyvenv.cfg").exists()
        for part, folder in zip(parts, folders, strict=True)
    )


def find_files(home, patterns):
    found = {}
    for pattern in patterns:
        if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
            fail(f"tool.hasten.check: files are in the project: {pattern}")
        for path in sorted(home.glob(pattern)):
            if path.suffix == ".py" and path.is_file() and is_ours(home, path):
                found[path] = path.relative_to(home).as_posix()
    return found


def given_files(home, arguments):
    found = {}
    for argument in arguments:
        path = Path(argument).absolute()
        if not path.is_file():
            fail(f"there is no file {argument}")
        name = path.relative_to(home).as_posix() if path.is_relative_to(home) else str(path)
        found[path] = name
    return found


def main(arguments):
    home = find_home()
    table = read(home)
    lines = [("home", str(home)), ("python", platform.python_version())]
    patterns = table.pop("files", PATTERNS)
    if isinstance(patterns, str):
        patterns = [patterns]
    if not isinstance(patterns, list) or not all(isinstance(p, str) for p in patterns):
        fail("tool.hasten.check: files shall be a list of patterns")
    if "history" in table:
        lines.append(("set", "history", str(home / text("history", table.pop("history")))))
    strict = table.pop("strict", False)
    if not isinstance(strict, bool):
        fail(f"tool.hasten.check: strict shall be true or false, not {strict!r}")
    lines.append(("set", "strict", str(int(strict))))
    single = table.pop("benchmarks", {})
    for key, value in table.items():
        if key not in KEYS:
            fail(f"tool.hasten.check: there is no setting {key}")
        lines.append(("set", key, KEYS[key](key, value)))
    if not isinstance(single, dict) or not all(isinstance(v, dict) for v in single.values()):
        fail("tool.hasten.check.benchmarks shall have a table a benchmark")
    for pattern, settings in single.items():
        for key, value in settings.items():
            if key not in KEYS:
                fail(f"tool.hasten.check.benchmarks: there is no setting {key}")
            lines.append(("of", text("a name", pattern), key, KEYS[key](key, value)))
    files = given_files(home, arguments) if arguments else find_files(home, patterns)
    for path, name in files.items():
        if any(c in str(path) for c in "\t\n\r"):
            fail(f"a name like this cannot be used: {str(path)!r}")
        lines.append(("file", os.path.relpath(path), name))
    sys.stdout.write("".join("\t".join(line) + "\n" for line in lines))


if sys.version_info < (3, 11):  # noqa: UP036 - any interpreter may be given
    fail("hasten check needs Python 3.11 or newer")
main(sys.argv[1:])
