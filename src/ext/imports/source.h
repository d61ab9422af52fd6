/* SPDX-License-Identifier: MIT
 *
 * Takes the place of a module between IMPORT_NAME and IMPORT_FROM. */
#ifndef HASTEN_EXT_IMPORTS_SOURCE_H
#define HASTEN_EXT_IMPORTS_SOURCE_H

#include "ext/imports/imports.h"

extern PyType_Spec source_spec;

/* `values` is a dict from the names that are taken to what they give. */
PyObject *source_new(const struct imports *imports, PyObject *values);

#endif
