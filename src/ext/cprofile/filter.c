/* SPDX-License-Identifier: MIT
 *
 * Include and exclude by module. A verdict is kept for each code object, under
 * its address, with a reference that keeps the address its own. */
#include "ext/cprofile/filter.h"

#include "core/base/map.h"

struct hasten_filter {
    PyObject *include; /* tuple of strings; NULL: all */
    PyObject *exclude; /* tuple of strings */
    struct hasten_map verdicts;
    PyObject *codes; /* list: what verdicts are about */
};

/* A tuple of the names; one string is one name. */
static PyObject *names_of(PyObject *names, const char *what) {
    PyObject *tuple = PyUnicode_Check(names) ? PyTuple_Pack(1, names) : PySequence_Tuple(names);
    for (Py_ssize_t i = 0; tuple != NULL && i < PyTuple_GET_SIZE(tuple); i++) {
        if (!PyUnicode_Check(PyTuple_GET_ITEM(tuple, i))) {
            PyErr_Format(PyExc_TypeError, "%s must be module names, not %.200s", what,
                         Py_TYPE(PyTuple_GET_ITEM(tuple, i))->tp_name);
            Py_CLEAR(tuple);
        }
    }
    return tuple;
}

struct hasten_filter *hasten_filter_new(PyObject *include, PyObject *exclude) {
    if (include == Py_None && exclude == Py_None) {
        return NULL;
    }
    struct hasten_filter *filter = PyMem_Calloc(1, sizeof *filter);
    if (filter == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    hasten_map_init(&filter->verdicts, NULL);
    filter->codes = PyList_New(0);
    bool made = filter->codes != NULL;
    if (made && include != Py_None) {
        filter->include = names_of(include, "include");
        made = filter->include != NULL;
    }
    if (made) {
        filter->exclude = exclude == Py_None ? PyTuple_New(0) : names_of(exclude, "exclude");
        made = filter->exclude != NULL;
    }
    if (!made) {
        hasten_filter_free(filter);
        return NULL;
    }
    return filter;
}

void hasten_filter_free(struct hasten_filter *filter) {
    if (filter != NULL) {
        Py_XDECREF(filter->include);
        Py_XDECREF(filter->exclude);
        Py_XDECREF(filter->codes);
        hasten_map_done(&filter->verdicts);
        PyMem_Free(filter);
    }
}

/* Whether `module` is one of the names or lies below one. */
static bool is_among(PyObject *module, PyObject *names) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        Py_ssize_t length = PyUnicode_GET_LENGTH(name);
        Py_ssize_t whole = PyUnicode_GET_LENGTH(module);
        if (PyUnicode_Tailmatch(module, name, 0, whole, -1) == 1 &&
            (whole == length || PyUnicode_READ_CHAR(module, length) == '.')) {
            return true;
        }
    }
    return false;
}

static bool decide(const struct hasten_filter *filter) {
    PyObject *globals = PyEval_GetGlobals();
    PyObject *module = globals == NULL ? NULL : PyDict_GetItemString(globals, "__name__");
    if (module == NULL || !PyUnicode_Check(module)) {
        return filter->include == NULL;
    }
    return (filter->include == NULL || is_among(module, filter->include)) &&
           !is_among(module, filter->exclude);
}

bool hasten_filter_wants(struct hasten_filter *filter, PyObject *code) {
    struct hasten_map_key key = {.low = (uint64_t)(uintptr_t)code};
    const uint32_t *known = hasten_map_find(&filter->verdicts, key);
    if (known != NULL) {
        return *known != 0;
    }
    struct hasten_py_exception exception = hasten_py_exception_take();
    bool verdict = decide(filter);
    /* Without memory to keep it, it is decided again. */
    if (PyList_Append(filter->codes, code) == 0) {
        hasten_map_insert(&filter->verdicts, key, verdict, NULL);
    }
    PyErr_Clear();
    hasten_py_exception_put(exception);
    return verdict;
}
