/* SPDX-License-Identifier: MIT */
#include "ext/functools/arguments.h"

bool hasten_py_call_any(struct hasten_py_call *ret_call, PyObject *const *arguments, size_t nargsf,
                        PyObject *names) {
    const Py_ssize_t named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    const Py_ssize_t positional = PyVectorcall_NARGS(nargsf);
    const size_t count = (size_t)positional + (size_t)named;
    if (count > HASTEN_PY_MOST_ARGUMENTS) {
        PyErr_SetString(PyExc_OverflowError, "too many arguments to remember");
        return false;
    }
    /* In the order of the standard module, which a __hash__ that raises shows. */
    uint64_t sum = count;
    for (Py_ssize_t i = 0; i < positional; i++) {
        const Py_hash_t hash = hasten_py_hash(arguments[i]);
        if (hash == -1) {
            return false;
        }
        sum = hasten_py_hash_combined(sum, (size_t)i, hash);
    }
    for (Py_ssize_t i = 0; i < named; i++) {
        const Py_hash_t name_hash = hasten_py_hash(PyTuple_GET_ITEM(names, i));
        const Py_hash_t hash = name_hash == -1 ? -1 : hasten_py_hash(arguments[positional + i]);
        if (hash == -1) {
            return false;
        }
        const size_t index = (size_t)positional + 2 * (size_t)i;
        sum = hasten_py_hash_combined(sum, index, name_hash);
        sum = hasten_py_hash_combined(sum, index + 1, hash);
    }
    ret_call->arguments = arguments;
    ret_call->names = named == 0 ? NULL : names;
    ret_call->shape =
        ((uint32_t)count << HASTEN_PY_SHAPE_COUNT_SHIFT) | (named == 0 ? 0 : HASTEN_PY_SHAPE_NAMED);
    ret_call->tag = hasten_cache_tag(sum);
    return true;
}

PyObject *hasten_py_call_function(PyObject *function, PyObject *const *arguments, size_t nargsf,
                                  PyObject *names) {
    if (function == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the cached function was collected as garbage");
        return NULL;
    }
    if (Py_EnterRecursiveCall(" while calling a Python object")) {
        return NULL;
    }
    Py_INCREF(function);
    PyObject *value = PyObject_Vectorcall(function, arguments, nargsf, names);
    Py_DECREF(function);
    Py_LeaveRecursiveCall();
    return value;
}
