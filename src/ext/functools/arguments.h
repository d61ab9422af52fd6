/* SPDX-License-Identifier: MIT
 *
 * The arguments of a call as the key of its result: hashed and compared where the caller
 * has them, without an object made of them. Two calls are the same by the rules of the
 * standard module: positional arguments, then keywords in the order of the call, compared
 * as tuples are; a single argument that is exactly an int or a str is a kind of its own,
 * so that f(1) and f(1.0) differ while f(1, 2) and f(1.0, 2) do not. */
#ifndef HASTEN_EXT_FUNCTOOLS_ARGUMENTS_H
#define HASTEN_EXT_FUNCTOOLS_ARGUMENTS_H

#include "ext/common/pycompat_values.h"

#include "core/cache/table.h"

/* The low bits of an entry's shape; above them is the number of arguments. */
#define HASTEN_PY_SHAPE_NAMED 1u  /* a tuple of names follows the arguments */
#define HASTEN_PY_SHAPE_SCALAR 2u /* one argument, exactly an int or a str */
#define HASTEN_PY_SHAPE_COUNT_SHIFT 4
#define HASTEN_PY_MOST_ARGUMENTS (UINT32_MAX >> HASTEN_PY_SHAPE_COUNT_SHIFT)

/* All borrowed from the caller of the function. */
struct hasten_py_call {
    PyObject *const *arguments; /* positional, then those of keywords */
    PyObject *names;            /* of keywords: a tuple that is not empty, or NULL */
    uint32_t shape;
    uint32_t tag;
};

static inline uint32_t hasten_py_shape_count(uint32_t shape) {
    return shape >> HASTEN_PY_SHAPE_COUNT_SHIFT;
}

/* hash(argument); -1 with an exception set. The likely types in place. */
static inline Py_hash_t hasten_py_hash(PyObject *argument) {
    const PyTypeObject *type = Py_TYPE(argument);
    if (type == &PyUnicode_Type) {
        const Py_hash_t hash = hasten_py_text_hash(argument);
        if (hash != -1) {
            return hash;
        }
    } else if (type == &PyLong_Type) {
        Py_ssize_t value = 0;
        if (hasten_py_small_int(argument, &value)) {
            return value == -1 ? -2 : value;
        }
    }
    return PyObject_Hash(argument);
}

/* Whether two objects whose type is exactly str are equal. */
static inline bool hasten_py_text_same(PyObject *one, PyObject *other) {
    if (!hasten_py_text_is_ready(one) || !hasten_py_text_is_ready(other)) {
        return PyUnicode_Compare(one, other) == 0;
    }
    const Py_ssize_t length = PyUnicode_GET_LENGTH(one);
    const unsigned kind = PyUnicode_KIND(one);
    return length == PyUnicode_GET_LENGTH(other) && kind == (unsigned)PyUnicode_KIND(other) &&
           memcmp(PyUnicode_DATA(one), PyUnicode_DATA(other), (size_t)length * kind) == 0;
}

/* 1 or 0 where that can be told without code of the program, else -1. */
static inline int hasten_py_same_plainly(PyObject *one, PyObject *other) {
    if (one == other) {
        return 1;
    }
    const PyTypeObject *type = Py_TYPE(one);
    if (type != Py_TYPE(other)) {
        return -1;
    }
    if (type == &PyUnicode_Type) {
        return hasten_py_text_same(one, other);
    }
    if (type == &PyLong_Type) {
        Py_ssize_t value = 0;
        Py_ssize_t other_value = 0;
        const bool is_small = hasten_py_small_int(one, &value);
        const bool other_is_small = hasten_py_small_int(other, &other_value);
        if (is_small && other_is_small) {
            return value == other_value;
        }
        return is_small == other_is_small ? -1 : 0;
    }
    /* object's own comparison: by identity. */
    return type->tp_richcompare == PyBaseObject_Type.tp_richcompare ? 0 : -1;
}

/* Describes a call with one positional argument that is not `typed`. False with an
 * exception set. */
static inline bool hasten_py_call_one(struct hasten_py_call *ret_call, PyObject *const *arguments) {
    const PyTypeObject *type = Py_TYPE(arguments[0]);
    const Py_hash_t hash = hasten_py_hash(arguments[0]);
    if (hash == -1) {
        return false;
    }
    const bool is_scalar = type == &PyUnicode_Type || type == &PyLong_Type;
    ret_call->arguments = arguments;
    ret_call->names = NULL;
    ret_call->shape =
        (1u << HASTEN_PY_SHAPE_COUNT_SHIFT) | (is_scalar ? HASTEN_PY_SHAPE_SCALAR : 0);
    ret_call->tag = hasten_cache_tag((uint64_t)hash);
    return true;
}

/* Odd, random. Products of the first arguments do not wait for each other. */
static const uint64_t hasten_py_hash_factors[4] = {
    UINT64_C(0x9e3779b97f4a7c15),
    UINT64_C(0xc2b2ae3d27d4eb4f),
    UINT64_C(0xd6e8feb86659fd93),
    UINT64_C(0xa0761d6478bd642f),
};

static inline uint64_t hasten_py_hash_combined(uint64_t sum, size_t index, Py_hash_t hash) {
    if (index < 4) {
        return sum + (uint64_t)hash * hasten_py_hash_factors[index];
    }
    sum = (sum ^ (uint64_t)hash) * hasten_py_hash_factors[index & 3];
    return (sum << 29) | (sum >> 35);
}

/* Describes a call without keywords. False with an exception set. */
static inline bool hasten_py_call_positional(struct hasten_py_call *ret_call,
                                             PyObject *const *arguments, size_t count) {
    if (count > HASTEN_PY_MOST_ARGUMENTS) {
        PyErr_SetString(PyExc_OverflowError, "too many arguments to remember");
        return false;
    }
    uint64_t sum = count;
    for (size_t i = 0; i < count; i++) {
        const Py_hash_t hash = hasten_py_hash(arguments[i]);
        if (hash == -1) {
            return false;
        }
        sum = hasten_py_hash_combined(sum, i, hash);
    }
    ret_call->arguments = arguments;
    ret_call->names = NULL;
    ret_call->shape = (uint32_t)count << HASTEN_PY_SHAPE_COUNT_SHIFT;
    ret_call->tag = hasten_cache_tag(sum);
    return true;
}

/* Describes any call. False with an exception set. */
bool hasten_py_call_any(struct hasten_py_call *ret_call, PyObject *const *arguments, size_t nargsf,
                        PyObject *names);

/* Calls the function that is cached: NULL where the collector took it. */
PyObject *hasten_py_call_function(PyObject *function, PyObject *const *arguments, size_t nargsf,
                                  PyObject *names);

#endif
