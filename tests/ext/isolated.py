# SPDX-License-Identifier: MIT
"""Runs code in an interpreter with a GIL of its own (3.12 and later)."""

import sys

import pytest


def run_isolated(code):
    if sys.version_info < (3, 12):
        pytest.skip("isolated interpreters came with 3.12")
    if sys.version_info >= (3, 14):
        interpreter = pytest.importorskip("concurrent.interpreters").create()
        interpreter.exec(code)
        interpreter.close()
        return
    module = pytest.importorskip(
        "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    )
    interpreter = module.create()
    problem = (
        module.exec(interpreter, code)
        if sys.version_info >= (3, 13)
        else module.run_string(interpreter, code)
    )
    module.destroy(interpreter)
    assert problem is None
