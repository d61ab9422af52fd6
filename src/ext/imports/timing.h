/* SPDX-License-Identifier: MIT
 *
 * What the imports of a program cost, for `hasten imports`.
 *
 * importlib's _find_and_load is called for every module that is not there yet, whoever asks for
 * it and however, and for no other: ours goes before it and reads the clock and the process's
 * resident memory. Loads nest, and each thread has its own innermost one. What is not the
 * module's own (the walk over its code below) is taken out of all times around it. */
#ifndef HASTEN_EXT_IMPORTS_TIMING_H
#define HASTEN_EXT_IMPORTS_TIMING_H

#include "ext/imports/imports.h"

/* One load. Times are of the monotonic clock, from timing_start() on. */
struct load {
    PyObject *name;
    PyObject *importer; /* __name__ of the code that asked; NULL: none */
    int64_t start_ns, duration_ns;
    int64_t resident_before, resident_after; /* bytes */
    Py_ssize_t parent;                       /* the load that it is part of; -1: none */
    unsigned long thread;
    bool is_over, has_failed;
    bool is_statement; /* an import statement asked */
    bool is_needed;    /* graph.h */
};

struct timing {
    struct load *loads; /* in the order in which they began */
    Py_ssize_t count, capacity;
    PyObject *load_before; /* importlib's functions */
    PyObject *call_before;
    PyObject *codes;   /* name of a module -> code object of its body */
    PyObject *ran;     /* address of a code object -> the innermost load when it first ran */
    PyObject *held;    /* the code objects of `ran`, so that no address is used again */
    PyObject *runs;    /* on 3.11: address of a code object -> runs when its module was loaded */
    PyObject *disable; /* sys.monitoring.DISABLE; NULL: the interpreter has no such thing */
    int64_t start_ns;
    int64_t overhead_ns; /* all that is not to be counted so far */
    int statm;           /* descriptor of /proc/self/statm, -1 */
    int64_t page_bytes;
    bool knows_use; /* it is heard of which code runs */
    bool is_closed; /* it is judged and written: what is imported now is not recorded */
};

/* timing_start(disable): from now on loads are recorded. */
PyObject *timing_start(PyObject *module, PyObject *disable);
/* What sys.monitoring calls when a code object runs for the first time. */
PyObject *timing_started(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
/* timing_write(path): judges what was used, and writes all of it; docs/formats/imports.md. */
PyObject *timing_write(PyObject *module, PyObject *path);
PyObject *timing_load(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *timing_call(PyObject *module, PyObject *const *arguments, Py_ssize_t count,
                      PyObject *keywords);
void timing_free(struct imports *imports);

#endif
