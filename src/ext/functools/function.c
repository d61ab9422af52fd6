/* SPDX-License-Identifier: MIT */
#include "ext/functools/function.h"

PyObject *hasten_py_function_get(PyObject *self, PyObject *instance, PyObject *owner) {
    (void)owner;
    if (instance == NULL || instance == Py_None) {
        return Py_NewRef(self);
    }
    return PyMethod_New(self, instance);
}

PyObject *hasten_py_function_copy(PyObject *self, PyObject *argument) {
    (void)argument;
    return Py_NewRef(self);
}

PyObject *hasten_py_function_reduce(PyObject *self, PyObject *none) {
    (void)none;
    return PyObject_GetAttrString(self, "__qualname__");
}

PyGetSetDef hasten_py_function_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
