/* SPDX-License-Identifier: MIT
 *
 * The type of modules that wait. It has the layout of modules and nothing besides, so that its
 * instances can take on the type of ordinary modules. */
#ifndef HASTEN_EXT_IMPORTS_LAZY_MODULE_H
#define HASTEN_EXT_IMPORTS_LAZY_MODULE_H

#include "ext/imports/modules.h"

/* Where an object that could not become the module has it. */
#define LAZY_MODULE_REAL "__hasten_module__"

extern PyType_Spec lazy_module_spec;

/* modules.c: `module` is what was loaded; the books are closed. 0, or -1 with an exception. */
int modules_settle(struct imports *imports, struct pending *pending, PyObject *module);

#endif
