/* SPDX-License-Identifier: MIT
 *
 * A module some of whose names stand for values that are not loaded yet. Others ask it for
 * attributes, and never get such a value but what it stands for. When none is left it is an
 * ordinary module again. */
#ifndef HASTEN_EXT_IMPORTS_NAMESPACE_H
#define HASTEN_EXT_IMPORTS_NAMESPACE_H

#include "ext/imports/imports.h"

extern PyType_Spec namespace_spec;

/* The module whose names are `globals`, borrowed, where it can be made such a module and was;
 * NULL without an exception where it cannot. */
PyObject *namespace_of(struct imports *imports, PyObject *globals);
/* An attribute of a module as ordinary modules have it, values that wait loaded. */
PyObject *namespace_attribute(struct imports *imports, PyObject *module, PyObject *name);
/* Takes on the type of ordinary modules, or that above, by what is in it; only where it has one
 * of ours. 0, or -1 with an exception. */
int namespace_become_ordinary(struct imports *imports, PyObject *module);

#endif
