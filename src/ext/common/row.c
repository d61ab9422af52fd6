/* SPDX-License-Identifier: MIT
 *
 * Rows of tables. */
#include "ext/common/row.h"

PyTypeObject *hasten_py_row_type(PyObject *module, PyStructSequence_Desc *description) {
    PyTypeObject *type = PyStructSequence_NewType(description);
    if (type != NULL && PyModule_AddType(module, type) < 0) {
        Py_CLEAR(type);
    }
    return type;
}

PyObject *hasten_py_row(PyObject *type, PyObject *const *values, Py_ssize_t count) {
    PyObject *row = PyStructSequence_New((PyTypeObject *)type);
    bool complete = row != NULL;
    for (Py_ssize_t i = 0; i < count; i++) {
        complete = complete && values[i] != NULL;
        if (row != NULL) {
            PyStructSequence_SetItem(row, i, values[i]);
        } else {
            Py_XDECREF(values[i]);
        }
    }
    if (!complete) {
        Py_CLEAR(row);
    }
    return row;
}
