/* SPDX-License-Identifier: MIT
 *
 * A part of pycompat.h: what is asked of types, and of objects by their type. */
#ifndef HASTEN_EXT_PYCOMPAT_TYPES_H
#define HASTEN_EXT_PYCOMPAT_TYPES_H

#include "ext/common/pycompat.h"

/* What a type or its bases have by that name, as the interpreter finds special methods:
 * a new reference, or NULL without an exception. */
static inline PyObject *hasten_py_type_lookup(PyTypeObject *type, PyObject *name) {
#if PY_VERSION_HEX >= 0x030d0000
    return _PyType_LookupRef(type, name);
#else
    return Py_XNewRef(_PyType_Lookup(type, name));
#endif
}

/* An attribute of the object's own, without asking its type's __getattribute__: a new
 * reference; NULL without an exception where there is none. */
static inline PyObject *hasten_py_own_attribute(PyObject *object, PyObject *name) {
    return _PyObject_GenericGetAttrWithDict(object, name, NULL, 1);
}

/* Of what is a generator; a new reference. */
static inline PyCodeObject *hasten_py_generator_code(PyObject *generator) {
#if PY_VERSION_HEX >= 0x030c0000
    return PyGen_GetCode((PyGenObject *)generator);
#else
    return (PyCodeObject *)Py_NewRef((PyObject *)((PyGenObject *)generator)->gi_code);
#endif
}

/* Whether to make an object never runs code of the program. Up to 3.11 it may start the
 * collector, and with it finalizers. */
static inline bool hasten_py_makes_quietly(void) {
#if PY_VERSION_HEX >= 0x030c0000
    return true;
#else
    return false;
#endif
}

#endif
