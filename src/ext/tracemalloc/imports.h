/* SPDX-License-Identifier: MIT
 *
 * Extension modules that tell the standard module of blocks of their own, through
 * PyTraceMalloc_Track: their calls come here, because the addresses that the dynamic
 * linker gave them are replaced. Calls from within the interpreter's own program or
 * library are not seen. */
#ifndef HASTEN_EXT_TRACEMALLOC_IMPORTS_H
#define HASTEN_EXT_TRACEMALLOC_IMPORTS_H

#include "ext/common/pycompat.h"

/* Looks through libraries that were loaded since it was called last. */
void hasten_imports_patch(void);
/* A function in place of _imp.create_dynamic, which loads extension modules. */
PyObject *hasten_imports_wrap(PyObject *module, PyObject *original);

#endif
