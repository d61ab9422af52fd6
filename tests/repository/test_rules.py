"""The rules of the tree, and that the checks which enforce them can fail."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("check", ["check_includes", "check_sources"])
def test_tree_keeps_the_rules(check):
    answer = subprocess.run(
        [sys.executable, ROOT / "tools" / f"{check}.py"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert answer.stdout == ""
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize(
    ("path", "line", "allowed"),
    [
        ("src/core/base/x.c", '#include "hasten/status.h"', True),
        ("src/core/base/x.c", '#include "hasten/profile.h"', False),
        ("src/core/base/x.c", '#include "core/os/memory.h"', False),
        ("src/core/report/x.c", '#include "core/base/buffer.h"', True),
        ("src/core/report/x.c", '#include "core/pyabi/layout.h"', False),
        ("src/core/sampling/x.c", '#include "core/pyabi/layout.h"', True),
        ("src/core/pyabi/x.c", "#include <Python.h>", False),
        ("src/core/pyabi/x.c", '# include "cli/options.h"', False),
        ("src/core/report/x.c", "    printf(text);", False),
        ("src/core/report/x.c", "    abort();", False),
        ("src/core/report/x.c", '    /* printf(x) */ text("printf(x)");', True),
        ("src/core/heap/x.c", '#include "core/base/map.h"', True),
        ("src/core/heap/x.c", '#include "core/os/memory.h"', False),
        ("src/preload/x.c", '#include "core/heap/sites.h"', True),
        ("src/preload/x.c", "#include <Python.h>", False),
        ("src/preload/x.c", '#include "cli/options.h"', False),
        ("src/cli/x.c", '#include "hasten/report.h"', True),
        ("src/cli/x.c", '#include "ext/common/errors.h"', False),
        ("src/cli/x.c", "    printf(text);", True),
        ("src/ext/recording/x.c", '#include "core/base/allocator.h"', True),
        ("src/ext/recording/x.c", "#include <Python.h>", False),
        ("src/ext/recording/x.c", '#include "ext/common/pycompat.h"', True),
        ("src/ext/common/pycompat.h", "#include <Python.h>", True),
        ("src/cli/x.c", '#include "no/such/file.h"', False),
    ],
)
def test_include_check(path, line, allowed):
    faults = load("check_includes").check_file(path, f"/* x */\n{line}\n")
    assert (faults == []) == allowed
    for fault in faults:
        assert fault.startswith(f"{path}:2: ")


@pytest.mark.parametrize(
    ("path", "text", "allowed"),
    [
        ("src/cli/x.c", "/* SPDX-License-Identifier: MIT */\n", True),
        ("src/cli/x.c", "int x;\n", False),
        ("src/cli/x.c", "/* SPDX-License-Identifier: MIT */\n" * 601, False),
        ("src/cli/x.c", "/* SPDX-License-Identifier: MIT */\n#if PY_VERSION_HEX\n", False),
        ("src/cli/x.c", "/* SPDX-License-Identifier: MIT\n * PY_VERSION_HEX */\n", True),
        ("src/core/pyabi/x.c", "/* SPDX-License-Identifier: MIT */\n#if PY_VERSION_HEX\n", True),
    ],
)
def test_source_check(path, text, allowed):
    assert (list(load("check_sources").check_file(path, text)) == []) == allowed


def core_objects():
    return sorted((ROOT / "build" / "test").glob("src/libhasten_core.a.p/*.o"))


@pytest.mark.skipif(not core_objects(), reason="the C tests were not built")
@pytest.mark.skipif(not shutil.which("objdump"), reason="objdump is not installed")
def test_core_has_no_mutable_globals():
    """Constant tables of pointers are relocated, hence .data.rel.ro; nothing else may be
    writable."""
    answer = subprocess.run(
        ["objdump", "--syms", *core_objects()], check=True, capture_output=True, text=True
    )
    writable = (".data", ".bss", ".tdata", ".tbss", "*COM*")
    found = []
    for line in answer.stdout.splitlines():
        words = line.split()
        # address, flags (O: an object), section, size, name
        if len(words) >= 5 and "O" in words[1:-3]:
            section = words[-3]
            if section.startswith(writable) and not section.startswith(".data.rel.ro"):
                found.append(f"{words[-1]} in {section}")
    assert found == []
