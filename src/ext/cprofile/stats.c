/* SPDX-License-Identifier: MIT
 *
 * Results: one profiler_entry a function, with one profiler_subentry for each
 * function that it called. */
#include "ext/cprofile/profiler.h"

#include <stdlib.h>

#include "core/tracing/durations.h"
#include "ext/common/row.h"

const char hasten_profiler_getstats_doc[] =
    "getstats($self, /)\n"
    "--\n"
    "\n"
    "All that was collected, as a list of profiler_entry objects:\n"
    "\n"
    "    code          code object, or a string for a function of C\n"
    "    callcount     how many times this was called\n"
    "    reccallcount  how many times it was called while it was active\n"
    "    totaltime     seconds in it and in what it called\n"
    "    inlinetime    seconds in itself\n"
    "    calls         None, or a list of profiler_subentry objects, which have the same\n"
    "                  fields but this one: the functions it called, as called from here";

/* The nodes that have one caller, among all nodes sorted by caller. */
struct run {
    struct hasten_call_function *caller;
    struct hasten_call_node **nodes;
    uint32_t count;
    uint64_t calls; /* of the function, by all its callers */
    int64_t total;
    int64_t self;
};

struct results {
    struct hasten_calls *calls;
    struct run *runs; /* one a function */
    struct hasten_call_node **nodes;
    uint32_t function_count;
    double unit;
    struct hasten_cprofile_state *state;
};

static PyObject *name_of(const struct hasten_call_function *function) {
    return ((struct hasten_callable *)function->object)->name;
}

static PyObject *make_row(PyTypeObject *type, PyObject *name, uint64_t calls, uint64_t recursive,
                          double total, double self, PyObject *callees) {
    PyObject *values[] = {
        Py_NewRef(name),
        PyLong_FromUnsignedLongLong(calls),
        PyLong_FromUnsignedLongLong(recursive),
        PyFloat_FromDouble(total),
        PyFloat_FromDouble(self),
        Py_XNewRef(callees),
    };
    return hasten_py_row((PyObject *)type, values, callees == NULL ? 5 : 6);
}

static int by_key(const void *left, const void *right) {
    uintptr_t a = (uintptr_t)((const struct run *)left)->caller->key;
    uintptr_t b = (uintptr_t)((const struct run *)right)->caller->key;
    return (a > b) - (a < b);
}

/* Sorts nodes by caller, in the order in which they appeared, and adds up what
 * each function did for all its callers. */
static int collect(struct results *results) {
    struct hasten_calls *calls = results->calls;
    uint32_t functions = calls->functions.count;
    uint32_t nodes = calls->nodes.count;
    results->function_count = functions;
    results->runs = PyMem_Calloc(functions == 0 ? 1 : functions, sizeof *results->runs);
    results->nodes = PyMem_Calloc(nodes == 0 ? 1 : nodes, sizeof(void *));
    if (results->runs == NULL || results->nodes == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (uint32_t i = 0; i < functions; i++) {
        results->runs[i].caller = hasten_calls_function_at(calls, i);
    }
    for (uint32_t i = 0; i < nodes; i++) {
        struct hasten_call_node *node = hasten_calls_node_at(calls, i);
        struct hasten_call_function *caller = hasten_calls_caller(calls, node);
        results->runs[node->function->index].calls += node->calls;
        results->runs[node->function->index].total += node->total;
        results->runs[node->function->index].self += node->self;
        if (caller != NULL) {
            results->runs[caller->index].count++;
        }
    }
    struct hasten_call_node **place = results->nodes;
    for (uint32_t i = 0; i < functions; i++) {
        results->runs[i].nodes = place;
        place += results->runs[i].count;
        results->runs[i].count = 0;
    }
    for (uint32_t i = 0; i < nodes; i++) {
        struct hasten_call_node *node = hasten_calls_node_at(calls, i);
        struct hasten_call_function *caller = hasten_calls_caller(calls, node);
        if (caller != NULL) {
            struct run *run = &results->runs[caller->index];
            run->nodes[run->count++] = node;
        }
    }
    qsort(results->runs, functions, sizeof *results->runs, by_key);
    return 0;
}

static PyObject *callees_of(const struct results *results, const struct run *run) {
    if (run->count == 0) {
        return Py_NewRef(Py_None);
    }
    PyObject *list = PyList_New(run->count);
    for (uint32_t i = 0; list != NULL && i < run->count; i++) {
        struct hasten_call_node *node = run->nodes[i];
        PyObject *row = make_row(results->state->subentry_type, name_of(node->function),
                                 node->calls, node->recursive, results->unit * (double)node->total,
                                 results->unit * (double)node->self, NULL);
        if (row == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, i, row);
        }
    }
    return list;
}

static PyObject *entry_of(const struct results *results, const struct run *run) {
    const struct hasten_call_function *function = run->caller;
    PyObject *callees = callees_of(results, run);
    if (callees == NULL) {
        return NULL;
    }
    PyObject *row =
        make_row(results->state->entry_type, name_of(function), run->calls, function->recursive,
                 results->unit * (double)(run->total - function->inner_total),
                 results->unit * (double)run->self, callees);
    Py_DECREF(callees);
    return row;
}

/* No code of others runs in here: the calls stay as they are. */
static PyObject *list_of(const struct results *results) {
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list != NULL && i < results->function_count; i++) {
        const struct run *run = &results->runs[i];
        if (run->calls == 0) {
            continue;
        }
        PyObject *entry = entry_of(results, run);
        if (entry == NULL || PyList_Append(list, entry) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(entry);
    }
    return list;
}

PyObject *hasten_profiler_getstats(PyObject *self, PyTypeObject *type,
                                   PyObject *const *Py_UNUSED(args), Py_ssize_t count,
                                   PyObject *keyword_names) {
    struct hasten_profiler *profiler = (struct hasten_profiler *)self;
    if (count != 0 || (keyword_names != NULL && PyTuple_GET_SIZE(keyword_names) != 0)) {
        PyErr_SetString(PyExc_TypeError, "getstats() takes no arguments");
        return NULL;
    }
    if (hasten_profiler_check_memory(profiler) < 0) {
        return NULL;
    }
    struct results results = {
        .calls = &profiler->calls,
        .unit = hasten_profiler_unit(profiler),
        .state = PyType_GetModuleState(type),
    };
    PyObject *list = NULL;
    if (results.state != NULL && collect(&results) == 0) {
        list = list_of(&results);
    }
    PyMem_Free(results.runs);
    PyMem_Free(results.nodes);
    return list;
}

const char hasten_profiler_durations_doc[] =
    "durations($self, /)\n"
    "--\n"
    "\n"
    "How long calls took, of a profiler made with histogram=True: a list of rows with the\n"
    "fields code, count, shortest, median, p90, p99 and longest, in seconds. Percentiles\n"
    "are right within 6 %.";

static PyObject *percentile(const struct hasten_durations *durations, double share, double unit) {
    return PyFloat_FromDouble(unit * (double)hasten_durations_percentile(durations, share));
}

static PyObject *durations_row(PyTypeObject *type, const struct hasten_callable *callable,
                               double unit) {
    const struct hasten_durations *durations = callable->durations;
    PyObject *values[] = {
        Py_NewRef(callable->name),
        PyLong_FromUnsignedLongLong(durations->count),
        PyFloat_FromDouble(unit * (double)durations->shortest),
        percentile(durations, 0.5, unit),
        percentile(durations, 0.9, unit),
        percentile(durations, 0.99, unit),
        PyFloat_FromDouble(unit * (double)durations->longest),
    };
    return hasten_py_row((PyObject *)type, values, Py_ARRAY_LENGTH(values));
}

PyObject *hasten_profiler_durations(PyObject *self, PyTypeObject *type,
                                    PyObject *const *Py_UNUSED(args), Py_ssize_t count,
                                    PyObject *keyword_names) {
    struct hasten_profiler *profiler = (struct hasten_profiler *)self;
    const struct hasten_cprofile_state *state = PyType_GetModuleState(type);
    if (count != 0 || (keyword_names != NULL && PyTuple_GET_SIZE(keyword_names) != 0)) {
        PyErr_SetString(PyExc_TypeError, "durations() takes no arguments");
        return NULL;
    }
    double unit = hasten_profiler_unit(profiler);
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list != NULL && i < profiler->calls.functions.count; i++) {
        const struct hasten_callable *callable =
            hasten_calls_function_at(&profiler->calls, i)->object;
        if (callable->durations == NULL || callable->durations->count == 0) {
            continue;
        }
        PyObject *row = durations_row(state->durations_type, callable, unit);
        if (row == NULL || PyList_Append(list, row) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(row);
    }
    return list;
}
