/* SPDX-License-Identifier: MIT
 *
 * The attributes of an instance where the interpreter keeps them, read without making
 * the dict that it does without as long as nobody asks for it. */
#ifndef HASTEN_EXT_PYCOMPAT_ATTRIBUTES_H
#define HASTEN_EXT_PYCOMPAT_ATTRIBUTES_H

#include "ext/common/pycompat.h"

#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#endif
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* its own uses, on 3.12 and 3.13 */
#undef _PyGC_FINALIZED              /* a function in what follows, on 3.12 */
#define object hasten_py_ast_object /* the name of a type there, on 3.14: ours would hide it */
#include <internal/pycore_dict.h>
#undef object
#pragma GCC diagnostic pop
#undef Py_BUILD_CORE

struct hasten_py_attributes {
    PyDictKeysObject *keys;  /* NULL: there are none yet */
    PyObject *const *values; /* by the keys' order; NULL: they are with the keys */
};

/* False where they are kept in another way, or other threads may change them. */
static inline bool hasten_py_attributes_of(PyObject *instance,
                                           struct hasten_py_attributes *ret_attributes) {
    PyTypeObject *type = Py_TYPE(instance);
    PyDictObject *dict = NULL;
    PyDictValues *values = NULL;
#ifdef Py_GIL_DISABLED
    return false;
#endif
    if (!PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT)) {
        return false;
    }
#if PY_VERSION_HEX >= 0x030d0000
    if (PyType_HasFeature(type, Py_TPFLAGS_INLINE_VALUES)) {
        values = (PyDictValues *)((char *)instance + type->tp_basicsize);
        values = values->valid ? values : NULL;
    }
    dict = values == NULL ? ((PyDictObject **)instance)[-3] : NULL;
#elif PY_VERSION_HEX >= 0x030c0000
    /* One place for both; values are told by the lowest bit, one below their address. */
    char *either = ((char **)instance)[-3];
    if (((uintptr_t)either & 1) != 0) {
        values = (PyDictValues *)(either + 1);
    } else {
        dict = (PyDictObject *)either;
    }
#else
    values = ((PyDictValues **)instance)[-4];
    dict = values == NULL ? ((PyDictObject **)instance)[-3] : NULL;
#endif
    if (dict != NULL) {
        if (!PyDict_CheckExact(dict)) {
            return false;
        }
        ret_attributes->keys = dict->ma_keys;
        values = dict->ma_values;
    } else {
        ret_attributes->keys = values == NULL ? NULL : ((PyHeapTypeObject *)type)->ht_cached_keys;
    }
    ret_attributes->values = values == NULL ? NULL : values->values;
    return ret_attributes->keys == NULL || DK_IS_UNICODE(ret_attributes->keys);
}

static inline Py_ssize_t hasten_py_attributes_count(const struct hasten_py_attributes *attributes) {
    return attributes->keys == NULL ? 0 : attributes->keys->dk_nentries;
}

/* Borrowed; a name may be NULL, and so may a value, of what was deleted. */
static inline PyObject *hasten_py_attributes_name(const struct hasten_py_attributes *attributes,
                                                  Py_ssize_t index) {
    return DK_UNICODE_ENTRIES(attributes->keys)[index].me_key;
}

static inline PyObject *hasten_py_attributes_value(const struct hasten_py_attributes *attributes,
                                                   Py_ssize_t index) {
    return attributes->values != NULL ? attributes->values[index]
                                      : DK_UNICODE_ENTRIES(attributes->keys)[index].me_value;
}

#endif
