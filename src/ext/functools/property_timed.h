/* SPDX-License-Identifier: MIT
 *
 * Properties whose values have an end (ttl=). They are of a type of their own, with a
 * __set__, so that the interpreter asks them each time; what the instance has is the value
 * with its end, which is pickled and copied deeply as None: computed anew. */
#ifndef HASTEN_EXT_FUNCTOOLS_PROPERTY_TIMED_H
#define HASTEN_EXT_FUNCTOOLS_PROPERTY_TIMED_H

#include "ext/functools/property.h"

extern PyType_Spec hasten_py_timed_spec; /* its base is cached_property */
extern PyType_Spec hasten_py_until_spec; /* the value with its end */

/* Reads ttl= and clock=, `ttl` NULL or None where it was not given. False with an
 * exception set. */
bool hasten_py_timed_init(struct hasten_py_property *self, PyObject *ttl, PyObject *clock);
/* What is kept is `kept`; takes that reference. Answers as hasten_py_property_value(). */
int hasten_py_timed_read(struct hasten_py_property *self, PyObject *kept, PyObject **ret_value);
/* What is to be kept for a value: a new reference, or NULL with an exception set. One that
 * is awaited has no end until it is there. */
PyObject *hasten_py_timed_make(struct hasten_py_property *self, PyObject *value);
/* The value in what is kept, whether over or not; borrowed. NULL: there is none. */
PyObject *hasten_py_timed_value(struct hasten_py_property *self, PyObject *kept);

#endif
