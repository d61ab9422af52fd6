/* SPDX-License-Identifier: MIT
 *
 * What all objects have in common that stand for a function: they bind like one, their
 * copies are themselves, they are pickled by name and have attributes. */
#ifndef HASTEN_EXT_FUNCTOOLS_FUNCTION_H
#define HASTEN_EXT_FUNCTOOLS_FUNCTION_H

#include "ext/common/pycompat.h"

PyObject *hasten_py_function_get(PyObject *self, PyObject *instance, PyObject *owner);
PyObject *hasten_py_function_copy(PyObject *self, PyObject *argument);
PyObject *hasten_py_function_reduce(PyObject *self, PyObject *none);

/* Of a type whose __reduce__ is that one, and of one with its own. */
#define HASTEN_PY_FUNCTION_COPIES                                   \
    {"__copy__", hasten_py_function_copy, METH_VARARGS, NULL}, {    \
        "__deepcopy__", hasten_py_function_copy, METH_VARARGS, NULL \
    }
#define HASTEN_PY_FUNCTION_PICKLED \
    { "__reduce__", hasten_py_function_reduce, METH_NOARGS, NULL }

/* __dict__ alone. */
extern PyGetSetDef hasten_py_function_getset[];

#endif
