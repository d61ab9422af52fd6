/* SPDX-License-Identifier: MIT */
#ifndef HASTEN_EXT_LAZY_ATTRIBUTE_H
#define HASTEN_EXT_LAZY_ATTRIBUTE_H

#include "ext/common/pycompat.h"

/* The type, of a module. Its base is handed in: only who uses it imports that. */
PyObject *hasten_py_attribute_type_new(PyObject *module, PyObject *cached_property);

#endif
