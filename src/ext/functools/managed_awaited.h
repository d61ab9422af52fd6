/* SPDX-License-Identifier: MIT
 *
 * The methods of a managed function that what calls async functions uses
 * (python/hasten/_awaiting.py): a look-up and what keeps a result apart, for between them
 * the computation is awaited. Their arguments are those of the call. */
#ifndef HASTEN_EXT_FUNCTOOLS_MANAGED_AWAITED_H
#define HASTEN_EXT_FUNCTOOLS_MANAGED_AWAITED_H

#include "ext/functools/managed.h"

#define HASTEN_PY_AWAITED_METHOD(name, function) \
    { name, (PyCFunction)(void (*)(void))function, METH_FASTCALL | METH_KEYWORDS, NULL }
#define HASTEN_PY_AWAITED_METHODS                                         \
    HASTEN_PY_AWAITED_METHOD("_find", hasten_py_awaited_find),            \
        HASTEN_PY_AWAITED_METHOD("_find_stale", hasten_py_awaited_stale), \
        HASTEN_PY_AWAITED_METHOD("_meet", hasten_py_awaited_meet),        \
        HASTEN_PY_AWAITED_METHOD("_land", hasten_py_awaited_land),        \
        HASTEN_PY_AWAITED_METHOD("_forget", hasten_py_awaited_forget), {  \
        "_waited", hasten_py_awaited_waited, METH_NOARGS, NULL            \
    }

/* (missing, *call): the fresh value, the failure raised, or `missing`. */
PyObject *hasten_py_awaited_find(PyObject *object, PyObject *const *arguments, Py_ssize_t count,
                                 PyObject *names);
/* (missing, *call): the value that may be served while it is computed anew, or `missing`. */
PyObject *hasten_py_awaited_stale(PyObject *object, PyObject *const *arguments, Py_ssize_t count,
                                  PyObject *names);
/* (value, *call): what is kept for the call, which becomes `value` where that is nothing. */
PyObject *hasten_py_awaited_meet(PyObject *object, PyObject *const *arguments, Py_ssize_t count,
                                 PyObject *names);
/* (value, is_failure, seconds, *call): a computation that took so long has ended so. */
PyObject *hasten_py_awaited_land(PyObject *object, PyObject *const *arguments, Py_ssize_t count,
                                 PyObject *names);
/* (value, *call): forgets the value where it is what is kept for the call; whether it was. */
PyObject *hasten_py_awaited_forget(PyObject *object, PyObject *const *arguments, Py_ssize_t count,
                                   PyObject *names);
/* (): a caller has what another computed. */
PyObject *hasten_py_awaited_waited(PyObject *object, PyObject *none);

#endif
