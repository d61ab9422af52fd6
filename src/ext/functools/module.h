/* SPDX-License-Identifier: MIT
 *
 * What the types of hasten._functools share in an interpreter. */
#ifndef HASTEN_EXT_FUNCTOOLS_MODULE_H
#define HASTEN_EXT_FUNCTOOLS_MODULE_H

#include "ext/common/flights.h"

#include "core/tracing/ticks.h"

struct hasten_py_functools {
    struct hasten_py_flights flights;
    struct hasten_ticks ticks; /* from the module's start */
    PyTypeObject *timed_type;  /* of properties with an end */
    PyTypeObject *until_type;  /* of their values */
    PyTypeObject *lease_type;
};

/* Of the module that made the type or the type's base; NULL with an exception set. */
struct hasten_py_functools *hasten_py_functools_of(PyTypeObject *type);
/* The module itself; a borrowed reference. */
PyObject *hasten_py_functools_module(PyTypeObject *type);

#endif
