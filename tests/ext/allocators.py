# SPDX-License-Identifier: MIT
"""Runs code in a process of its own that can call the allocator's functions."""

import os
import subprocess
import sys

# The allocator's functions as C has them: `raw` is called without the GIL.
C = """
import ctypes, os, random, sys, threading
from collections import Counter
from hasten import tracemalloc

def function(library, name, result, *arguments):
    found = getattr(library, name)
    found.restype, found.argtypes = result, arguments
    return found

raw, own = ctypes.CDLL(None), ctypes.PyDLL(None)
pointer, size_t = ctypes.c_void_p, ctypes.c_size_t
raw_malloc = function(raw, "PyMem_RawMalloc", pointer, size_t)
raw_calloc = function(raw, "PyMem_RawCalloc", pointer, size_t, size_t)
raw_realloc = function(raw, "PyMem_RawRealloc", pointer, pointer, size_t)
raw_free = function(raw, "PyMem_RawFree", None, pointer)
mem_malloc = function(own, "PyMem_Malloc", pointer, size_t)
mem_realloc = function(own, "PyMem_Realloc", pointer, pointer, size_t)
mem_free = function(own, "PyMem_Free", None, pointer)
object_malloc = function(own, "PyObject_Malloc", pointer, size_t)
object_calloc = function(own, "PyObject_Calloc", pointer, size_t, size_t)
object_realloc = function(own, "PyObject_Realloc", pointer, pointer, size_t)
object_free = function(own, "PyObject_Free", None, pointer)

def sizes(wanted):
    "How many blocks of each of the wanted sizes are traced."
    found = Counter(trace.size for trace in tracemalloc.take_snapshot().traces)
    return {size: found[size] for size in wanted if found[size]}
"""


def run(code, *arguments, options=(), **environment):
    answer = subprocess.run(
        [sys.executable, *options, "-c", C + code, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | environment,
    )
    assert answer.stderr == ""
    return answer


def check(code, *arguments, **more):
    answer = run(code, *arguments, **more)
    assert answer.returncode == 0
    return answer.stdout
