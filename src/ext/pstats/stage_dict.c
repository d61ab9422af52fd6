/* SPDX-License-Identifier: MIT
 *
 * A dict of statistics, as profilers make it, staged as a batch. Only objects of
 * exactly the usual types are taken: of these a table gives back the like, and
 * looking at them runs no code of the program. */
#include "ext/pstats/module.h"

/* The bytes of an exact str, borrowed or of `*ret_owner`. Returns 1, 0, -1. */
static int text_bytes(PyObject *text, const char **ret_bytes, Py_ssize_t *ret_size,
                      PyObject **ret_owner) {
    if (!PyUnicode_CheckExact(text)) {
        return 0;
    }
    *ret_bytes = PyUnicode_AsUTF8AndSize(text, ret_size);
    if (*ret_bytes != NULL) {
        return 1;
    }
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        return -1;
    }
    /* A file name that is not UTF-8 has lone surrogates. */
    PyErr_Clear();
    *ret_owner = PyUnicode_AsEncodedString(text, "utf-8", "surrogatepass");
    if (*ret_owner == NULL) {
        return -1;
    }
    *ret_bytes = PyBytes_AS_STRING(*ret_owner);
    *ret_size = PyBytes_GET_SIZE(*ret_owner);
    return 1;
}

/* 1, or 0 for another type or more than 64 bits. */
static int whole_number(PyObject *object, int64_t *ret_number) {
    int overflow = 0;
    if (!PyLong_CheckExact(object)) {
        return 0;
    }
    *ret_number = PyLong_AsLongLongAndOverflow(object, &overflow);
    return overflow == 0;
}

static int time_number(PyObject *object, uint32_t whole, double *ret_time, uint32_t *kinds) {
    int64_t number = 0;
    if (PyFloat_CheckExact(object)) {
        *ret_time = PyFloat_AS_DOUBLE(object);
        return 1;
    }
    if (!whole_number(object, &number) || number > HASTEN_PSTATS_WHOLE_MAX ||
        number < -HASTEN_PSTATS_WHOLE_MAX) {
        return 0;
    }
    *ret_time = (double)number;
    *kinds |= whole;
    return 1;
}

/* 1 where staged, 0 where the table cannot hold it, -1 with an exception set. */
static int outcome(hasten_status status) {
    if (status == HASTEN_OK) {
        return 1;
    }
    if (status == HASTEN_NO_MEMORY) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

int hasten_py_function_number(struct hasten_pstats *table, PyObject *function,
                              uint32_t *ret_number) {
    if (!PyTuple_CheckExact(function) || PyTuple_GET_SIZE(function) != 3) {
        return 0;
    }
    const char *texts[2] = {NULL, NULL};
    Py_ssize_t sizes[2] = {0, 0};
    PyObject *owners[2] = {NULL, NULL};
    int64_t line = 0;
    int fits = text_bytes(PyTuple_GET_ITEM(function, 0), &texts[0], &sizes[0], &owners[0]);
    if (fits == 1) {
        fits = text_bytes(PyTuple_GET_ITEM(function, 2), &texts[1], &sizes[1], &owners[1]);
    }
    if (fits == 1) {
        fits = whole_number(PyTuple_GET_ITEM(function, 1), &line);
    }
    if (fits == 1) {
        fits = outcome(hasten_pstats_function(table, texts[0], (size_t)sizes[0], line, texts[1],
                                              (size_t)sizes[1], ret_number));
    }
    Py_XDECREF(owners[0]);
    Py_XDECREF(owners[1]);
    return fits;
}

/* The first four members of a tuple; a row's are in another order than an edge's. */
static int cost_of(PyObject *tuple, bool is_row, struct hasten_pstats_cost *ret_cost) {
    *ret_cost = (struct hasten_pstats_cost){0};
    int64_t *first = is_row ? &ret_cost->primitive_calls : &ret_cost->calls;
    int64_t *second = is_row ? &ret_cost->calls : &ret_cost->primitive_calls;
    return whole_number(PyTuple_GET_ITEM(tuple, 0), first) &&
           whole_number(PyTuple_GET_ITEM(tuple, 1), second) &&
           time_number(PyTuple_GET_ITEM(tuple, 2), HASTEN_PSTATS_OWN_WHOLE, &ret_cost->own_s,
                       &ret_cost->kinds) &&
           time_number(PyTuple_GET_ITEM(tuple, 3), HASTEN_PSTATS_TOTAL_WHOLE, &ret_cost->total_s,
                       &ret_cost->kinds);
}

static int stage_caller(struct hasten_pstats *table, PyObject *function, PyObject *numbers) {
    uint32_t number = 0;
    int fits = hasten_py_function_number(table, function, &number);
    if (fits != 1) {
        return fits;
    }
    struct hasten_pstats_cost cost = {.kinds = HASTEN_PSTATS_CALLS_ONLY};
    if (PyTuple_CheckExact(numbers) && PyTuple_GET_SIZE(numbers) == 4) {
        fits = cost_of(numbers, false, &cost);
    } else {
        fits = whole_number(numbers, &cost.calls);
    }
    return fits == 1 ? outcome(hasten_pstats_caller(table, number, &cost)) : 0;
}

static int stage_callers(struct hasten_pstats *table, PyObject *callers) {
    PyObject *function = NULL;
    PyObject *numbers = NULL;
    Py_ssize_t position = 0;
    int fits = 1;
    HASTEN_PY_BEGIN_LOCKED(callers);
    while (fits == 1 && PyDict_Next(callers, &position, &function, &numbers)) {
        fits = stage_caller(table, function, numbers);
    }
    HASTEN_PY_END_LOCKED();
    return fits;
}

static int stage_row(struct hasten_pstats *table, PyObject *function, PyObject *row) {
    uint32_t number = 0;
    struct hasten_pstats_cost cost;
    int fits = hasten_py_function_number(table, function, &number);
    if (fits != 1) {
        return fits;
    }
    if (!PyTuple_CheckExact(row) || PyTuple_GET_SIZE(row) != 5 || !cost_of(row, true, &cost) ||
        !PyDict_CheckExact(PyTuple_GET_ITEM(row, 4))) {
        return 0;
    }
    fits = outcome(hasten_pstats_row(table, number, &cost));
    return fits == 1 ? stage_callers(table, PyTuple_GET_ITEM(row, 4)) : fits;
}

int hasten_py_stage_dict(struct hasten_pstats *table, PyObject *stats) {
    PyObject *function = NULL;
    PyObject *row = NULL;
    Py_ssize_t position = 0;
    int fits = PyDict_CheckExact(stats);
    HASTEN_PY_BEGIN_LOCKED(stats);
    while (fits == 1 && PyDict_Next(stats, &position, &function, &row)) {
        fits = stage_row(table, function, row);
    }
    HASTEN_PY_END_LOCKED();
    return fits;
}
