/* SPDX-License-Identifier: MIT
 *
 * cached_property: a value that is computed when it is first asked for and then is an
 * attribute of the instance. property.c has the type, property_values.c where values
 * are kept.
 *
 * It has no __set__, so once the value is there the interpreter reads it without asking.
 * From 3.14 on it does so as fast as any attribute, and ours gains by two things: its type
 * cannot be changed, without which that is not done, and a value is stored without making
 * the instance's __dict__. 3.12 and 3.13 never specialise an attribute that hides one of
 * the class; nothing that a descriptor could do would change that. */
#ifndef HASTEN_EXT_FUNCTOOLS_PROPERTY_H
#define HASTEN_EXT_FUNCTOOLS_PROPERTY_H

#include "ext/common/pycompat_attributes.h"

#include "ext/functools/clock.h"

struct hasten_py_property {
    PyObject_HEAD PyObject *function;
    PyObject *name; /* NULL until the class is made */
    PyObject *slot; /* the member descriptor of the slot that holds values, or NULL */
    Py_ssize_t slot_offset;
    Py_ssize_t hint;    /* where the value was among an instance's attributes */
    bool computes_once; /* others wait while a thread computes */
    bool is_async;      /* the function's value is awaited */
    int64_t ttl_ns;     /* 0: values have no end; else see property_timed.h */
    struct hasten_py_clock clock;
    PyObject *dict;
    PyObject *weakrefs;
};

extern PyType_Spec hasten_py_property_spec;

/* The value that an instance has: 1 with a new reference, 0 where it has none or it is over,
 * -1 with an exception set. */
int hasten_py_property_value(struct hasten_py_property *self, PyObject *instance,
                             PyObject **ret_value);
/* It becomes what the instance has. Answers 0, or -1 with an exception set. */
int hasten_py_property_keep(struct hasten_py_property *self, PyObject *instance, PyObject *value);

/* What stands for the value in the instance, the value itself unless it has an end. Answers
 * as hasten_py_property_value(). */
int hasten_py_property_peek(struct hasten_py_property *self, PyObject *instance,
                            PyObject **ret_value);
/* Answer 0, or -1 with an exception set. */
int hasten_py_property_store(struct hasten_py_property *self, PyObject *instance, PyObject *value);
/* Of an instance that has a value. */
int hasten_py_property_remove(struct hasten_py_property *self, PyObject *instance);
/* Values go into the slot `_cached_` and the name, where the class has one. */
int hasten_py_property_find_slot(struct hasten_py_property *self, PyObject *owner, PyObject *name);

#endif
