/* SPDX-License-Identifier: MIT
 *
 * Objects of the built-in types, and their memory, without a call. */
#ifndef HASTEN_EXT_PYCOMPAT_VALUES_H
#define HASTEN_EXT_PYCOMPAT_VALUES_H

#include "ext/common/pycompat.h"

/* Bytes between an object's memory block and the object. */
static inline size_t hasten_py_bytes_before(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
#if PY_VERSION_HEX >= 0x030c0000
    bool has_fields = PyType_HasFeature(type, Py_TPFLAGS_PREHEADER);
#else
    bool has_fields = PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT);
#endif
    return (PyType_IS_GC(type) ? 2 * sizeof(uintptr_t) : 0) +
           (has_fields ? 2 * sizeof(PyObject *) : 0);
}

/* The value of an object whose type is exactly int, where it fits one digit. Such an
 * int is its own hash, but for -1. */
static inline bool hasten_py_small_int(PyObject *object, Py_ssize_t *ret_value) {
#if PY_VERSION_HEX >= 0x030c0000
    if (!PyUnstable_Long_IsCompact((PyLongObject *)object)) {
        return false;
    }
    *ret_value = PyUnstable_Long_CompactValue((PyLongObject *)object);
#else
    const Py_ssize_t size = Py_SIZE(object);
    if (size < -1 || size > 1) {
        return false;
    }
    *ret_value = size * (Py_ssize_t)((PyLongObject *)object)->ob_digit[0];
#endif
    return true;
}

/* The hash of an object whose type is exactly str, -1 where nobody asked before. */
static inline Py_hash_t hasten_py_text_hash(PyObject *text) {
#if PY_VERSION_HEX >= 0x030f0000
    return PyUnstable_Unicode_GET_CACHED_HASH(text);
#else
    return ((PyASCIIObject *)text)->hash;
#endif
}

/* Whether characters can be read: up to 3.11 a str may still be in another form. */
static inline bool hasten_py_text_is_ready(PyObject *text) {
#if PY_VERSION_HEX >= 0x030c0000
    (void)text;
    return true;
#else
    return PyUnicode_IS_READY(text);
#endif
}

/* The most bytes that an object's block has, as its type tells; SIZE_MAX: it does not tell. */
static inline size_t hasten_py_most_bytes(PyObject *object) {
    const PyTypeObject *type = Py_TYPE(object);
    bool has_more = type->tp_itemsize != 0;
#if PY_VERSION_HEX >= 0x030d0000
    has_more = has_more || (type->tp_flags & Py_TPFLAGS_INLINE_VALUES) != 0;
#endif
    return has_more ? SIZE_MAX : (size_t)type->tp_basicsize + hasten_py_bytes_before(object);
}

#endif
