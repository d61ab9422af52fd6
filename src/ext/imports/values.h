/* SPDX-License-Identifier: MIT
 *
 * What `from x import y` stores until y is used.
 *
 * The name gets the value itself at the first use, and hook.c lets only names wait that the
 * module calls or takes attributes of, so that hardly any code gets to see such an object. To
 * whoever does (globals(), eval) it passes on what objects are asked usually. */
#ifndef HASTEN_EXT_IMPORTS_VALUES_H
#define HASTEN_EXT_IMPORTS_VALUES_H

#include "ext/imports/imports.h"

extern PyType_Spec values_spec;

/* `from module import attribute`, to be `namespace[name]`. */
PyObject *values_new(struct imports *imports, PyObject *module, PyObject *attribute,
                     PyObject *namespace, PyObject *name, PyObject *file, int line);
/* One more name for the same. */
PyObject *values_again(struct imports *imports, PyObject *value, PyObject *namespace,
                       PyObject *name);
/* The value: imported, stored under its name, and returned as a new reference. */
PyObject *values_load(struct imports *imports, PyObject *value);

#endif
