/* SPDX-License-Identifier: MIT
 *
 * Classes and their instances as hasten.slots makes and measures them. */
#ifndef HASTEN_EXT_PYCOMPAT_SLOTS_H
#define HASTEN_EXT_PYCOMPAT_SLOTS_H

#include "ext/common/pycompat.h"

/* The dict of a type's own attributes: a new reference, NULL where it is gone. */
static inline PyObject *hasten_py_type_dict(PyTypeObject *type) {
#if PY_VERSION_HEX >= 0x030c0000
    return PyType_GetDict(type);
#else
    return Py_XNewRef(type->tp_dict);
#endif
}

/* The function that makes a function's annotations when they are asked for, or NULL. */
static inline PyObject *hasten_py_function_annotate(PyObject *function) {
#if PY_VERSION_HEX >= 0x030e0000
    return ((PyFunctionObject *)function)->func_annotate;
#else
    (void)function;
    return NULL;
#endif
}

/* Where the argument of LOAD_ATTR has the name's index: from 3.12 on its lowest bit says
 * that a method is called. Of LOAD_GLOBAL it has done so since 3.11. */
#if PY_VERSION_HEX >= 0x030c0000
#define HASTEN_PY_ATTR_SHIFT 1
#else
#define HASTEN_PY_ATTR_SHIFT 0
#endif

/* The list of weak references to an object, where its type permits them; else NULL. */
static inline PyObject *hasten_py_weak_references(PyObject *object) {
    const Py_ssize_t offset = Py_TYPE(object)->tp_weaklistoffset;
    return offset == 0 ? NULL : *(PyObject **)(void *)((char *)object + offset);
}

/* Bytes of an instance's tp_basicsize that only a __dict__ and weak references need. */
static inline Py_ssize_t hasten_py_bytes_for_weak(const PyTypeObject *type) {
    return type->tp_weaklistoffset > 0 ? (Py_ssize_t)sizeof(PyObject *) : 0;
}

/* Bytes that a slot __weakref__ adds to an instance: before the object from 3.12 on. */
#if PY_VERSION_HEX >= 0x030c0000
#define HASTEN_PY_WEAK_SLOT_BYTES (2 * sizeof(PyObject *))
#else
#define HASTEN_PY_WEAK_SLOT_BYTES sizeof(PyObject *)
#endif

/* Bytes of the block of values that an instance or its dict has apart from itself (up to
 * 3.12). `most` is how many values the shared keys have room for now; the block may be
 * older and have had room for more, and the size of what precedes the values tells within
 * eight how many. */
static inline size_t hasten_py_values_block(const void *values, size_t most) {
    const size_t before = ((const uint8_t *)values)[-1];
    const size_t fewest = before > 9 ? before - 9 : 1;
    const size_t highest = before > 2 ? before - 2 : 1;
    const size_t count = most < fewest ? fewest : most > highest ? highest : most;
    return before + count * sizeof(PyObject *);
}

/* Bytes of the values behind an instance (3.13+), of which there is room for so many. */
static inline size_t hasten_py_values_behind(size_t capacity) {
    const size_t before = (capacity + sizeof(PyObject *) - 1) & ~(sizeof(PyObject *) - 1);
    return before + (capacity + 1) * sizeof(PyObject *);
}

#endif
