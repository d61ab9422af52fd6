/* SPDX-License-Identifier: MIT
 *
 * Two sides that were measured in turns, and which of several comparisons count. */
#include "ext/stats/stats.h"

#include <math.h>

#include "core/stats/paired.h"
#include "core/stats/turns.h"

PyObject *hasten_stats_turns_ratio(PyObject *Py_UNUSED(module), PyObject *arguments) {
    PyObject *sources[3];
    double *values[3] = {NULL, NULL, NULL};
    size_t counts[3] = {0, 0, 0};
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(arguments, "OOO:turns_ratio", &sources[0], &sources[1], &sources[2])) {
        return NULL;
    }
    for (size_t i = 0; i < 3; i++) {
        values[i] = hasten_stats_take(sources[i], &counts[i]);
        if (values[i] == NULL) {
            goto end;
        }
    }
    bool is_clean[HASTEN_TURNS_MOST] = {false};
    const size_t size = counts[0] < HASTEN_TURNS_MOST ? counts[0] : HASTEN_TURNS_MOST;
    bool is_valid = counts[0] == counts[1] && counts[0] == counts[2];
    for (size_t i = 0; i < size && is_valid; i++) {
        is_valid = values[0][i] > 0 && values[1][i] > 0;
        is_clean[i] = values[2][i] != 0;
    }
    if (is_valid) {
        result = PyFloat_FromDouble(hasten_turns_log_ratio(values[0], values[1], is_clean, size));
    } else {
        PyErr_SetString(PyExc_ValueError, "as many numbers above 0 of both sides are expected");
    }
end:
    for (size_t i = 0; i < 3; i++) {
        PyMem_Free(values[i]);
    }
    return result;
}

PyObject *hasten_stats_paired_ratio(PyObject *Py_UNUSED(module), PyObject *arguments) {
    PyObject *source;
    double alpha = 0.05;
    size_t count = 0;
    if (!PyArg_ParseTuple(arguments, "O|d:paired_ratio", &source, &alpha)) {
        return NULL;
    }
    double *values = hasten_stats_take(source, &count);
    if (values == NULL) {
        return NULL;
    }
    struct hasten_ratio ratio;
    struct hasten_error error;
    const hasten_status status = hasten_paired_ratio(NULL, values, count, alpha, &ratio, &error);
    PyMem_Free(values);
    if (status != HASTEN_OK) {
        return status == HASTEN_NO_MEMORY ? PyErr_NoMemory()
                                          : PyErr_Format(PyExc_ValueError, "%s", error.message);
    }
    return Py_BuildValue("(dddd)", ratio.ratio, ratio.low, ratio.high, ratio.p);
}

PyObject *hasten_stats_holm(PyObject *Py_UNUSED(module), PyObject *arguments) {
    PyObject *source;
    double alpha = 0.05;
    size_t count = 0;
    if (!PyArg_ParseTuple(arguments, "O|d:holm", &source, &alpha)) {
        return NULL;
    }
    double *values = hasten_stats_take(source, &count);
    bool *differs = values == NULL ? NULL : PyMem_Calloc(count, sizeof *differs);
    PyObject *list = differs == NULL ? NULL : PyList_New((Py_ssize_t)count);
    if (values != NULL && differs == NULL) {
        PyErr_NoMemory();
    }
    if (list != NULL) {
        hasten_holm(values, count, alpha, differs);
    }
    for (size_t i = 0; i < count && list != NULL; i++) {
        PyList_SET_ITEM(list, (Py_ssize_t)i, PyBool_FromLong(differs[i]));
    }
    PyMem_Free(values);
    PyMem_Free(differs);
    return list;
}
