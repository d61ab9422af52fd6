/* SPDX-License-Identifier: MIT
 *
 * Results in the shape that pstats reads: a dictionary of
 * (file, line, name) -> (primitive calls, calls, inline, total, callers), callers
 * being a dictionary of (file, line, name) -> (calls, primitive calls, inline,
 * total). Entries are read by their attributes: a subclass may make its own. */
#include "ext/cprofile/profiler.h"

struct numbers {
    PyObject *calls, *recursive, *primitive, *inline_time, *total_time;
};

static void numbers_done(struct numbers *numbers) {
    Py_CLEAR(numbers->calls);
    Py_CLEAR(numbers->recursive);
    Py_CLEAR(numbers->primitive);
    Py_CLEAR(numbers->inline_time);
    Py_CLEAR(numbers->total_time);
}

static int numbers_of(PyObject *entry, struct numbers *ret) {
    ret->calls = PyObject_GetAttrString(entry, "callcount");
    ret->recursive = ret->calls == NULL ? NULL : PyObject_GetAttrString(entry, "reccallcount");
    ret->primitive = ret->recursive == NULL ? NULL : PyNumber_Subtract(ret->calls, ret->recursive);
    ret->inline_time = ret->primitive == NULL ? NULL : PyObject_GetAttrString(entry, "inlinetime");
    ret->total_time = ret->inline_time == NULL ? NULL : PyObject_GetAttrString(entry, "totaltime");
    if (ret->total_time == NULL) {
        numbers_done(ret);
        return -1;
    }
    return 0;
}

static PyObject *label_of(PyObject *code) {
    if (PyUnicode_Check(code)) {
        return Py_BuildValue("(siO)", "~", 0, code); /* sorts at the end */
    }
    PyObject *file = PyObject_GetAttrString(code, "co_filename");
    PyObject *line = file == NULL ? NULL : PyObject_GetAttrString(code, "co_firstlineno");
    PyObject *name = line == NULL ? NULL : PyObject_GetAttrString(code, "co_name");
    PyObject *label = name == NULL ? NULL : PyTuple_Pack(3, file, line, name);
    Py_XDECREF(file);
    Py_XDECREF(line);
    Py_XDECREF(name);
    return label;
}

/* Puts the entry into `stats`, and its dictionary of callers into `callers_of`
 * under its code's identity. */
static int add_entry(PyObject *entry, PyObject *stats, PyObject *callers_of) {
    struct numbers numbers = {0};
    PyObject *code = PyObject_GetAttrString(entry, "code");
    PyObject *label = code == NULL ? NULL : label_of(code);
    PyObject *identity = label == NULL ? NULL : PyLong_FromVoidPtr(code);
    PyObject *callers = identity == NULL ? NULL : PyDict_New();
    PyObject *row = NULL;
    int failed = -1;
    if (callers != NULL && numbers_of(entry, &numbers) == 0) {
        row = PyTuple_Pack(5, numbers.primitive, numbers.calls, numbers.inline_time,
                           numbers.total_time, callers);
    }
    if (row != NULL && PyDict_SetItem(stats, label, row) == 0) {
        failed = PyDict_SetItem(callers_of, identity, callers);
    }
    Py_XDECREF(code);
    Py_XDECREF(label);
    Py_XDECREF(identity);
    Py_XDECREF(callers);
    Py_XDECREF(row);
    numbers_done(&numbers);
    return failed;
}

/* The sum of both rows: functions of one name and place are one. */
static PyObject *added(PyObject *row, PyObject *other) {
    PyObject *sum = PyTuple_New(4);
    for (Py_ssize_t i = 0; sum != NULL && i < 4; i++) {
        PyObject *number = PyNumber_Add(PyTuple_GET_ITEM(row, i), PyTuple_GET_ITEM(other, i));
        if (number == NULL) {
            Py_CLEAR(sum);
        } else {
            PyTuple_SET_ITEM(sum, i, number);
        }
    }
    return sum;
}

static int add_caller(PyObject *callers, PyObject *caller, PyObject *subentry) {
    struct numbers numbers = {0};
    if (numbers_of(subentry, &numbers) < 0) {
        return -1;
    }
    PyObject *row =
        PyTuple_Pack(4, numbers.calls, numbers.primitive, numbers.inline_time, numbers.total_time);
    PyObject *known = row == NULL ? NULL : PyDict_GetItemWithError(callers, caller);
    if (known != NULL) {
        Py_SETREF(row, added(row, known));
    }
    int failed = row == NULL || PyErr_Occurred() ? -1 : PyDict_SetItem(callers, caller, row);
    Py_XDECREF(row);
    numbers_done(&numbers);
    return failed;
}

/* Tells the callees of an entry who called them. */
static int add_callees(PyObject *caller, PyObject *callees, PyObject *callers_of) {
    PyObject *fast = PySequence_Fast(callees, "calls is not a sequence");
    int failed = fast == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; failed == 0 && i < PySequence_Fast_GET_SIZE(fast); i++) {
        PyObject *subentry = PySequence_Fast_GET_ITEM(fast, i);
        PyObject *code = PyObject_GetAttrString(subentry, "code");
        PyObject *identity = code == NULL ? NULL : PyLong_FromVoidPtr(code);
        PyObject *callers = identity == NULL ? NULL : PyDict_GetItemWithError(callers_of, identity);
        if (callers != NULL) {
            failed = add_caller(callers, caller, subentry);
        } else if (PyErr_Occurred()) {
            failed = -1;
        }
        Py_XDECREF(code);
        Py_XDECREF(identity);
    }
    Py_XDECREF(fast);
    return failed;
}

static int add_edges(PyObject *entry, PyObject *callers_of) {
    PyObject *callees = PyObject_GetAttrString(entry, "calls");
    int failed = callees == NULL ? -1 : 0;
    if (failed == 0 && PyObject_IsTrue(callees) == 1) {
        PyObject *code = PyObject_GetAttrString(entry, "code");
        PyObject *label = code == NULL ? NULL : label_of(code);
        failed = label == NULL ? -1 : add_callees(label, callees, callers_of);
        Py_XDECREF(code);
        Py_XDECREF(label);
    }
    Py_XDECREF(callees);
    return failed;
}

PyObject *hasten_snapshot(PyObject *Py_UNUSED(module), PyObject *entries) {
    PyObject *fast = PySequence_Fast(entries, "not a list of entries");
    PyObject *stats = PyDict_New();
    PyObject *callers_of = PyDict_New();
    int failed = fast == NULL || stats == NULL || callers_of == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; failed == 0 && i < PySequence_Fast_GET_SIZE(fast); i++) {
        failed = add_entry(PySequence_Fast_GET_ITEM(fast, i), stats, callers_of);
    }
    for (Py_ssize_t i = 0; failed == 0 && i < PySequence_Fast_GET_SIZE(fast); i++) {
        failed = add_edges(PySequence_Fast_GET_ITEM(fast, i), callers_of);
    }
    Py_XDECREF(fast);
    Py_XDECREF(callers_of);
    if (failed != 0) {
        Py_CLEAR(stats);
    }
    return stats;
}
