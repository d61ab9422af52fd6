#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints src/core/pyabi/opcodes_3XX.c from the running interpreter's own tables.

Usage: ``pythonX.Y tools/opcodes/generate.py > src/core/pyabi/opcodes_3XX.c``.
A test compares the committed files with what this prints. Python 3.11 and 3.12
keep the numbers of specialised opcodes only in their C header, so that needs
their development files.
"""

import opcode
import pathlib
import re
import sys
import sysconfig

# Base names of the instructions that may push a Python frame without C in
# between (CPython, Python/bytecodes.c and 3.11's Python/ceval.c: every use of
# _PUSH_FRAME, DISPATCH_INLINED or "goto start_frame").
CALL = {"CALL", "CALL_FUNCTION_EX", "CALL_KW", "PRECALL"}
RETURN = {"RETURN_VALUE", "RETURN_CONST"}
# Specialised calls whose inline cache has the version of the function that they
# call, after one unit of counter (CPython, pycore_code.h, _PyCallCache).
VERSIONED = {
    "CALL_PY_EXACT_ARGS",
    "CALL_PY_WITH_DEFAULTS",
    "CALL_PY_GENERAL",
    "CALL_BOUND_METHOD_EXACT_ARGS",
    "CALL_BOUND_METHOD_GENERAL",
    "CALL_KW_PY",
    "CALL_KW_BOUND_METHOD",
}
# These stand in place of another instruction, whose inline caches are not known.
OPAQUE = {"INSTRUMENTED_LINE", "INSTRUMENTED_INSTRUCTION", "ENTER_EXECUTOR", "DO_TRACING"}
MAY_PUSH = CALL | {
    "BINARY_OP",  # 3.14+: subscript of a class with __getitem__
    "BINARY_SUBSCR",
    "END_ASYNC_FOR",
    "FOR_ITER",
    "LOAD_ATTR",
    "LOAD_METHOD",
    "SEND",
}
# The generator that these resume is on top of the value stack.
ITERATES = {"FOR_ITER", "SEND"}
COLUMNS = ("caches", "may_push", "call", "iterates", "returns", "versioned", "opaque")


def opcode_numbers():
    if hasattr(opcode, "_specialized_opmap"):
        numbers = dict(opcode.opmap)
        numbers.update(opcode._specialized_opmap)
        return {name: number for name, number in numbers.items() if number < 256}
    header = pathlib.Path(sysconfig.get_path("include"), "opcode.h").read_text()
    found = re.findall(r"^#define ([A-Z][A-Z_0-9]+)\s+(\d+)\s*$", header, re.M)
    # NB_* number the operators of BINARY_OP; the others are limits.
    not_opcodes = ("NB_", "HAVE_ARGUMENT", "MIN_", "MAX_")
    return {n: int(i) for n, i in found if int(i) < 256 and not n.startswith(not_opcodes)}


def caches():
    entries = opcode._inline_cache_entries
    if hasattr(entries, "items"):
        return dict(entries)
    return {opcode.opname[i]: n for i, n in enumerate(entries) if n}


def table():
    base_of = {s: base for base, group in opcode._specializations.items() for s in group}
    counts = caches()
    rows = [(0,) * len(COLUMNS)] * 256
    for name, number in opcode_numbers().items():
        base = base_of.get(name, name).removeprefix("INSTRUMENTED_")
        if name.endswith("_ADAPTIVE"):  # 3.11
            base = name.removesuffix("_ADAPTIVE")
        traits = (
            base in MAY_PUSH,
            base in CALL,
            base in ITERATES,
            base in RETURN,
            name in VERSIONED,
            name in OPAQUE,
        )
        rows[number] = (counts.get(base, 0), *map(int, traits))
    return rows


def main():
    minor = sys.version_info[1]
    rows = table()
    print("/* SPDX-License-Identifier: MIT")
    print(" *")
    print(f" * CPython 3.{minor}'s opcodes. Written by tools/opcodes/generate.py. */")
    print('#include "core/pyabi/opcodes.h"')
    print()
    print("/* clang-format off */")
    print(f"const struct hasten_opcodes hasten_opcodes_3{minor} = {{")
    for column, label in enumerate(COLUMNS):
        print(f"    .{label} = {{")
        for start in range(0, 256, 16):
            print("        " + " ".join(f"{rows[i][column]}," for i in range(start, start + 16)))
        print("    },")
    # From 3.15 on an index (or NULL) lies above the iterator (bytecodes.c, FOR_ITER).
    print(f"    .iterator_slots = {2 if minor >= 15 else 1},")
    print("};")


main()
