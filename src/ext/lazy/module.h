/* SPDX-License-Identifier: MIT
 *
 * What the types of hasten._lazy share in an interpreter. */
#ifndef HASTEN_EXT_LAZY_MODULE_H
#define HASTEN_EXT_LAZY_MODULE_H

#include "ext/common/flights.h"

struct hasten_py_resources;

struct hasten_py_lazy {
    struct hasten_py_flights flights; /* factories that run */
    PyTypeObject *proxy_type;
    PyObject *getattr;      /* "__getattr__" */
    PyObject *getattribute; /* "__getattribute__" */
    PyTypeObject *resource_type;
    struct hasten_py_resources *resources;
};

/* Of the module that made the type or the type's base; NULL with an exception set. */
struct hasten_py_lazy *hasten_py_lazy_of(PyTypeObject *type);

#endif
