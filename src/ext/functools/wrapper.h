/* SPDX-License-Identifier: MIT
 *
 * The object that stands for a function whose results are kept, by the standard module's
 * rules. wrapper.c has the type, calls.c what a call does: one entry for each kind of
 * cache, chosen when the function is decorated. */
#ifndef HASTEN_EXT_FUNCTOOLS_WRAPPER_H
#define HASTEN_EXT_FUNCTOOLS_WRAPPER_H

#include "ext/functools/owner.h"
#include "ext/functools/results.h"

struct hasten_py_wrapper {
    PyObject_HEAD vectorcallfunc vectorcall;
    Py_ssize_t hits;
    struct hasten_py_results results;
    struct hasten_cache_turn root; /* of results' turns where there is a limit */
    Py_ssize_t misses;
    Py_ssize_t maxsize; /* -1: no limit */
    PyObject *function;
    PyObject *info_type;
    PyObject *dict;
    PyObject *weakrefs;
    struct hasten_py_owner owner;
};

extern PyType_Spec hasten_py_wrapper_spec;

PyObject *hasten_py_call_uncached(PyObject *callable, PyObject *const *arguments, size_t nargsf,
                                  PyObject *names);
PyObject *hasten_py_call_unlimited(PyObject *callable, PyObject *const *arguments, size_t nargsf,
                                   PyObject *names);
PyObject *hasten_py_call_limited(PyObject *callable, PyObject *const *arguments, size_t nargsf,
                                 PyObject *names);

#endif
