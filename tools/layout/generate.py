#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes (or checks) src/core/pyabi/layout_3XX.c from CPython's own headers.

    generate.py PYTHON...           write the tables of these interpreters
    generate.py --check [PYTHON...] compare them (default: all that are found)
    generate.py --check --self      compare with the interpreter that runs this
    generate.py --include DIR ...   headers without an interpreter, e.g. of
                                    another machine, with --compiler for it

The offsets come out of an object file that is compiled, never linked or run,
so a cross compiler checks other machines' tables as well.
"""

from __future__ import annotations

import argparse
import glob
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = Path(__file__).with_name("layout.c")
TABLES = ROOT / "src" / "core" / "pyabi"
MAGIC = b"hasten\x01layout\x02\x03\x00"
RECORD = struct.Struct("<56sQ")
ABSENT = 0xFFFFFFFF
READ_OFF = "read off the headers of"
MINORS = (11, 12, 13, 14, 15)
# Patch releases may move these: the core recognises them in the process.
COUNTER = ("interpreter_code_counter", "interpreter_number_pool", "interpreter_number_pool_next")
# The C library's mutex is 8 bytes larger on aarch64. A GIL has two: what lies
# behind a GIL in the same structure lies further back there.
AARCH64_ADDS = {
    11: {"runtime_tstate_current": 16, "runtime_size": 16},
    13: dict.fromkeys(COUNTER, 16),
    14: {"interpreter_code_generation": 16, "interpreter_size": 16},
    15: {"interpreter_code_generation": 16, "interpreter_size": 16},
}


class CompileError(Exception):
    """The headers are not usable; the text is the compiler's."""


def compile_records(includes: list[str], compiler: str = "cc") -> dict[str, int]:
    """All records of the object file made with these include folders."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "layout.o")
        command = [compiler, "-c", "-w", "-DPy_BUILD_CORE", "-D_GNU_SOURCE", "-o", str(target)]
        for include in includes:
            command += ["-I", include, "-I", os.path.join(include, "internal")]
        command += ["-I", str(ROOT / "src"), "-I", str(ROOT / "include"), str(SOURCE)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CompileError(done.stderr.strip() or f"{compiler} failed")
        data = target.read_bytes()
    start = data.find(MAGIC)
    if start < 0:
        raise CompileError("the object file holds no records")
    records: dict[str, int] = {}
    position = start + len(MAGIC)
    while True:
        raw, value = RECORD.unpack_from(data, position)
        position += RECORD.size
        name = raw.rstrip(b"\0").decode("ascii")
        if name == "end":
            return records
        records[name] = value


def python_includes(python: str) -> list[str]:
    """The header folders of an interpreter, empty when it has none installed."""
    code = "import sysconfig as s; p = s.get_paths(); print(p['include']); print(p['platinclude'])"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return []
    folders = list(dict.fromkeys(done.stdout.split("\n")[:2]))
    return folders if os.path.exists(os.path.join(folders[0], "internal")) else []


def find_pythons() -> dict[str, list[str]]:
    """Interpreters of supported minors with headers: real path -> include folders."""
    candidates: list[str] = os.environ.get("HASTEN_PYTHONS", "").split(os.pathsep)
    for minor in MINORS:
        candidates.append(shutil.which(f"python3.{minor}") or "")
        candidates += glob.glob(f"/usr/bin/python3.{minor}")
        candidates += glob.glob(f"/usr/local/bin/python3.{minor}")
        candidates += glob.glob(os.path.expanduser(f"~/.pyenv/versions/3.{minor}.*/bin/python3"))
    found: dict[str, list[str]] = {}
    for candidate in candidates:
        if not candidate or not os.access(candidate, os.X_OK):
            continue
        includes = python_includes(candidate)
        if includes and includes not in found.values():
            found[candidate] = includes
    return found


def version_text(records: dict[str, int]) -> str:
    value = records["python.version_hex"]
    return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}"


def number(value: int) -> str:
    return "HASTEN_ABSENT" if value == ABSENT else str(value)


def render(records: dict[str, int]) -> str:
    """The C source of one version's table."""
    major, minor = records["python.version_hex"] >> 24, records["python.version_hex"] >> 16 & 255
    name = f"{major}{minor}"
    previous = "PREVIOUS" if minor < 13 else "CURRENT"
    kind = "INDEX" if minor < 14 else "POINTER"
    lines = [
        "/* SPDX-License-Identifier: MIT",
        " *",
        f" * CPython {major}.{minor} ({READ_OFF} {version_text(records)}).",
        " * Written by tools/layout/generate.py: change that, not this. */",
        '#include "core/pyabi/tables.h"',
        "",
        "/* clang-format off */",
        f"const struct hasten_layout hasten_layout_{name} = {{",
    ]
    for key, value in records.items():
        if "." in key:
            continue
        more = AARCH64_ADDS.get(minor, {}).get(key, 0)
        if more:
            elsewhere = value - more * records["python.is_aarch64"]
            lines += [
                "#if defined(__aarch64__) /* larger mutexes in the GIL */",
                f"    .{key} = {elsewhere + more},",
                "#else",
                f"    .{key} = {elsewhere},",
                "#endif",
            ]
        else:
            lines.append(f"    .{key} = {number(value)},")
    mask = 0xFFFFFFFFFFFFFFFF & ~records["reference.tag_bits"]
    lines += [
        f"    .version = 0x{major:02x}{minor:02x},",
        "    .free_threaded = 0,",
        f"    .stack_top_kind = HASTEN_STACK_TOP_{kind},",
        f"    .instruction_kind = HASTEN_INSTRUCTION_{previous},",
        f"    .reference_mask = UINT64_C(0x{mask:016x}),",
        # A bit field that C cannot take the offset of: initialized, bound,
        # unbound, bound_gilstate, active, holds_gil.
        f"    .status_holds_gil_mask = {'1u << 5' if minor == 13 else '0'},",
    ]
    for owner in ("thread", "generator", "frame_object", "c_stack", "interpreter"):
        value = records[f"owner.{owner}"]
        lines.append(f"    .owner_{owner} = {'0xff' if value == 0xFF else value},")
    lines += ["};"]
    if minor >= 13:
        lines += ["", f"const struct hasten_debug_positions hasten_debug_positions_{name} = {{"]
        for key, value in records.items():
            if key.startswith("debug."):
                lines.append(f"    .{key[6:]} = {number(value)},")
        lines += ["};"]
    lines += ["/* clang-format on */", ""]
    return "\n".join(lines)


def comparable(text: str, same_release: bool) -> list[str]:
    """The lines that have to agree with the headers of the same, or another, release."""
    movable = () if same_release else tuple(f"    .{name} = " for name in COUNTER)
    lines = text.split("\n")
    return [line for line in lines if READ_OFF not in line and not line.startswith(movable)]


def check(python: str, includes: list[str], compiler: str) -> str:
    """Empty when the table agrees, else what does not."""
    try:
        records = compile_records(includes, compiler)
    except CompileError as problem:
        return f"{python}: {problem}"
    minor = records["python.version_hex"] >> 16 & 255
    path = TABLES / f"layout_3{minor}.c"
    text = path.read_text(encoding="utf-8")
    same_release = f"({READ_OFF} {version_text(records)})" in text
    wanted = comparable(render(records), same_release)
    present = comparable(text, same_release)
    differences = [
        f"{a.strip()} but {path.name} has {b.strip()}" for a, b in zip(wanted, present) if a != b
    ]
    if len(wanted) != len(present):
        differences.append(f"{len(wanted)} lines but {path.name} has {len(present)}")
    if differences:
        return f"{python} ({version_text(records)}): " + "; ".join(differences)
    print(f"{python} ({version_text(records)}): agrees with {path.name}")
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("python", nargs="*")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--self", action="store_true")
    parser.add_argument("--include", action="append", default=[])
    parser.add_argument("--compiler", default="cc")
    options = parser.parse_args()
    if options.include:
        sources = {options.include[0]: options.include}
    elif options.self:
        sources = {sys.executable: python_includes(sys.executable)}
    elif options.python:
        sources = {python: python_includes(python) for python in options.python}
    else:
        sources = find_pythons()
    problems = []
    for python, includes in sources.items():
        if not includes:
            problems.append(f"{python}: has no headers installed")
        elif options.check:
            problems.append(check(python, includes, options.compiler))
        else:
            records = compile_records(includes, options.compiler)
            minor = records["python.version_hex"] >> 16 & 255
            (TABLES / f"layout_3{minor}.c").write_text(render(records), encoding="utf-8")
            print(f"wrote layout_3{minor}.c from {version_text(records)}")
    problems = [problem for problem in problems if problem]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
