/* SPDX-License-Identifier: MIT
 *
 * Summaries of numbers, and names of classes. */
#include "ext/stats/stats.h"

#include <math.h>

#include "core/stats/bootstrap.h"
#include "core/stats/models.h"
#include "core/stats/summary.h"

/* A bootstrap of more takes seconds and says no more. */
#define MOST_RESAMPLED 20000
#define SEED 20

bool hasten_stats_put(PyObject *dict, const char *key, PyObject *value) {
    const bool added = value != NULL && PyDict_SetItemString(dict, key, value) == 0;
    Py_XDECREF(value);
    return added;
}

static PyObject *summary_dict(const struct hasten_summary *summary,
                              const struct hasten_interval *interval, const size_t outliers[2]) {
    PyObject *dict = PyDict_New();
    const struct {
        const char *key;
        double value;
    } numbers[] = {
        {"least", summary->least},
        {"most", summary->most},
        {"mean", summary->mean},
        {"median", summary->median},
        {"low", interval->low},
        {"high", interval->high},
        {"deviation", summary->deviation},
        {"lower_quartile", summary->lower_quartile},
        {"upper_quartile", summary->upper_quartile},
    };
    bool done = dict != NULL && hasten_stats_put(dict, "count", PyLong_FromSize_t(summary->count));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && done; i++) {
        done = hasten_stats_put(dict, numbers[i].key, PyFloat_FromDouble(numbers[i].value));
    }
    done = done && hasten_stats_put(dict, "low_outliers", PyLong_FromSize_t(outliers[0])) &&
           hasten_stats_put(dict, "high_outliers", PyLong_FromSize_t(outliers[1]));
    if (!done) {
        Py_CLEAR(dict);
    }
    return dict;
}

double *hasten_stats_take(PyObject *values, size_t *ret_count) {
    PyObject *items = PySequence_Fast(values, "a sequence of numbers is expected");
    if (items == NULL) {
        return NULL;
    }
    const size_t count = (size_t)PySequence_Fast_GET_SIZE(items);
    double *numbers = PyMem_Calloc(2 * count + 1, sizeof *numbers);
    if (numbers == NULL) {
        PyErr_NoMemory();
    }
    for (size_t i = 0; i < count && numbers != NULL; i++) {
        /* Held, for __float__ may change the list. */
        PyObject *item = PySequence_GetItem(items, (Py_ssize_t)i);
        numbers[i] = item == NULL ? 0 : PyFloat_AsDouble(item);
        Py_XDECREF(item);
        if (PyErr_Occurred() == NULL && !isfinite(numbers[i])) {
            PyErr_SetString(PyExc_ValueError, "a number is not finite");
        }
        if (PyErr_Occurred() != NULL) {
            PyMem_Free(numbers);
            numbers = NULL;
        }
    }
    if (numbers != NULL && count == 0) {
        PyErr_SetString(PyExc_ValueError, "there are no numbers");
        PyMem_Free(numbers);
        numbers = NULL;
    }
    Py_DECREF(items);
    *ret_count = count;
    return numbers;
}

PyObject *hasten_stats_summarize(PyObject *Py_UNUSED(module), PyObject *values) {
    size_t count = 0;
    double *numbers = hasten_stats_take(values, &count);
    if (numbers == NULL) {
        return NULL;
    }
    struct hasten_summary summary;
    struct hasten_interval interval = {0, 0};
    hasten_status status = HASTEN_OK;
    size_t outliers[2] = {0, 0};
    Py_BEGIN_ALLOW_THREADS;
    /* Every few of very many, from all of the time that they took. */
    const size_t step = 1 + (count - 1) / MOST_RESAMPLED;
    const size_t starts[2] = {0, (count - 1) / step + 1};
    for (size_t i = 0; i < starts[1]; i++) {
        numbers[count + i] = numbers[i * step];
    }
    status = hasten_bootstrap_median(NULL, numbers + count, starts, 1, 0.95, SEED, &interval, NULL);
    hasten_sort(numbers, count);
    summary = hasten_summarize(numbers, count, numbers + count);
    for (size_t i = 0; i < count; i++) {
        const enum hasten_outlier kind = hasten_outlier_class(&summary, numbers[i]);
        outliers[0] += kind == HASTEN_OUTLIER_LOW || kind == HASTEN_OUTLIER_LOW_SEVERE;
        outliers[1] += kind == HASTEN_OUTLIER_HIGH || kind == HASTEN_OUTLIER_HIGH_SEVERE;
    }
    Py_END_ALLOW_THREADS;
    PyMem_Free(numbers);
    return status == HASTEN_OK ? summary_dict(&summary, &interval, outliers) : PyErr_NoMemory();
}

PyObject *hasten_stats_find_class(PyObject *Py_UNUSED(module), PyObject *text) {
    const char *name = PyUnicode_Check(text) ? PyUnicode_AsUTF8(text) : NULL;
    if (name == NULL) {
        return PyErr_Occurred() != NULL ? NULL
                                        : PyErr_Format(PyExc_TypeError, "a text is expected");
    }
    const enum hasten_growth growth = hasten_growth_find(name);
    if (growth == HASTEN_GROWTH_COUNT) {
        Py_RETURN_NONE;
    }
    return Py_BuildValue("(is)", (int)growth, hasten_growth_name(growth));
}
