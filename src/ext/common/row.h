/* SPDX-License-Identifier: MIT
 *
 * Rows of tables: named tuples that C fills. */
#ifndef HASTEN_EXT_ROW_H
#define HASTEN_EXT_ROW_H

#include "ext/common/pycompat.h"

/* Makes a type of rows and adds it to the module. A new reference, or NULL with an
 * exception set. */
PyTypeObject *hasten_py_row_type(PyObject *module, PyStructSequence_Desc *description);

/* A row with these values, which are released; a NULL among them (an exception is
 * set) makes the row NULL. */
PyObject *hasten_py_row(PyObject *type, PyObject *const *values, Py_ssize_t count);

#endif
