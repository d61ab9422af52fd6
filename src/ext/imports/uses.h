/* SPDX-License-Identifier: MIT
 *
 * How a module's code, with that of its functions and classes, uses names. */
#ifndef HASTEN_EXT_IMPORTS_USES_H
#define HASTEN_EXT_IMPORTS_USES_H

#include "ext/common/pycompat.h"

/* A dict from name to enum name_use, of a module's code object and all within; NULL with an
 * exception. */
PyObject *uses_read(PyObject *code);
/* Adds the names of the variables that one code object loads, not those within it, to a set,
 * and of the attributes, as which what other modules have imported is reached, to another. False
 * with an exception. */
bool uses_collect(PyObject *code, PyObject *names, PyObject *asked);

#endif
