/* SPDX-License-Identifier: MIT
 *
 * A table as Python's objects: the dicts and lists that programs reach for. Each
 * text and each function is one object, however often it is mentioned. */
#include "ext/pstats/module.h"

struct objects {
    const struct hasten_pstats *table;
    PyObject **texts;     /* by text, made when wanted */
    PyObject **functions; /* by function */
};

static int objects_init(struct objects *it, const struct hasten_pstats *table) {
    *it = (struct objects){.table = table};
    it->texts = PyMem_Calloc(table->names.text_count + 1, sizeof *it->texts);
    it->functions = PyMem_Calloc(table->names.function_count + 1, sizeof *it->functions);
    if (it->texts == NULL || it->functions == NULL) {
        PyMem_Free(it->texts);
        PyMem_Free(it->functions);
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

static void objects_done(struct objects *it) {
    for (size_t i = 0; i < it->table->names.text_count; i++) {
        Py_XDECREF(it->texts[i]);
    }
    for (size_t i = 0; i < it->table->names.function_count; i++) {
        Py_XDECREF(it->functions[i]);
    }
    PyMem_Free(it->texts);
    PyMem_Free(it->functions);
}

/* Both are borrowed from `it`. */
static PyObject *text_object(const struct objects *it, uint32_t text) {
    const struct hasten_pstats_names *names = &it->table->names;
    if (it->texts[text] == NULL) {
        it->texts[text] =
            PyUnicode_DecodeUTF8(hasten_pstats_names_bytes(names, text),
                                 (Py_ssize_t)names->texts[text].size, "surrogatepass");
    }
    return it->texts[text];
}

static PyObject *function_object(const struct objects *it, uint32_t function) {
    if (it->functions[function] == NULL) {
        const struct hasten_pstats_function *named = &it->table->names.functions[function];
        PyObject *file = text_object(it, named->file);
        PyObject *name = text_object(it, named->name);
        if (file == NULL || name == NULL) {
            return NULL;
        }
        it->functions[function] = Py_BuildValue("OLO", file, (long long)named->line, name);
    }
    return it->functions[function];
}

static PyObject *time_object(double time, bool is_whole) {
    return is_whole ? PyLong_FromLongLong((long long)time) : PyFloat_FromDouble(time);
}

/* (cc, nc, tt, ct, callers) or, without callers, (nc, cc, tt, ct). */
static PyObject *cost_object(const struct hasten_pstats_cost *cost, PyObject *callers) {
    const bool is_row = callers != NULL;
    PyObject *own = time_object(cost->own_s, (cost->kinds & HASTEN_PSTATS_OWN_WHOLE) != 0);
    PyObject *total = time_object(cost->total_s, (cost->kinds & HASTEN_PSTATS_TOTAL_WHOLE) != 0);
    PyObject *result = NULL;
    if (own != NULL && total != NULL && is_row) {
        result = Py_BuildValue("LLOOO", (long long)cost->primitive_calls, (long long)cost->calls,
                               own, total, callers);
    } else if (own != NULL && total != NULL) {
        result = Py_BuildValue("LLOO", (long long)cost->calls, (long long)cost->primitive_calls,
                               own, total);
    }
    Py_XDECREF(own);
    Py_XDECREF(total);
    return result;
}

static PyObject *edge_object(const struct hasten_pstats_edge *edge) {
    if ((edge->cost.kinds & HASTEN_PSTATS_CALLS_ONLY) != 0) {
        return PyLong_FromLongLong(edge->cost.calls);
    }
    return cost_object(&edge->cost, NULL);
}

/* Takes `value` over, which may be NULL. */
static int set_item(PyObject *dict, PyObject *key, PyObject *value) {
    const int result = key == NULL || value == NULL ? -1 : PyDict_SetItem(dict, key, value);
    Py_XDECREF(value);
    return result;
}

static PyObject *row_object(const struct objects *it, const struct hasten_pstats_row *row) {
    const struct hasten_pstats_edge *edges = it->table->rows.edges;
    PyObject *callers = PyDict_New();
    uint32_t edge = row->first_edge;
    for (; callers != NULL && edge != HASTEN_PSTATS_NONE; edge = edges[edge].next) {
        if (set_item(callers, function_object(it, edges[edge].caller), edge_object(&edges[edge])) <
            0) {
            Py_CLEAR(callers);
        }
    }
    PyObject *result = callers == NULL ? NULL : cost_object(&row->cost, callers);
    Py_XDECREF(callers);
    return result;
}

PyObject *hasten_py_stats_dict(const struct hasten_pstats *table) {
    struct objects it;
    if (objects_init(&it, table) < 0) {
        return NULL;
    }
    PyObject *stats = PyDict_New();
    for (size_t i = 0; stats != NULL && i < table->rows.count; i++) {
        const struct hasten_pstats_row *row = &table->rows.rows[i];
        if (set_item(stats, function_object(&it, row->function), row_object(&it, row)) < 0) {
            Py_CLEAR(stats);
        }
    }
    objects_done(&it);
    return stats;
}

/* The function's dict in `callees`, borrowed, made where there is none. */
static PyObject *callees_of(PyObject *callees, PyObject *function) {
    if (function == NULL) {
        return NULL;
    }
    PyObject *known = PyDict_GetItemWithError(callees, function);
    if (known != NULL || PyErr_Occurred()) {
        return known;
    }
    PyObject *made = PyDict_New();
    if (made == NULL || PyDict_SetItem(callees, function, made) < 0) {
        Py_XDECREF(made);
        return NULL;
    }
    Py_DECREF(made); /* the dict has it */
    return made;
}

static int add_callee(const struct objects *it, PyObject *callees, uint32_t row) {
    const struct hasten_pstats_edge *edges = it->table->rows.edges;
    PyObject *function = function_object(it, it->table->rows.rows[row].function);
    if (callees_of(callees, function) == NULL) {
        return -1;
    }
    uint32_t edge = it->table->rows.rows[row].first_edge;
    for (; edge != HASTEN_PSTATS_NONE; edge = edges[edge].next) {
        PyObject *own = callees_of(callees, function_object(it, edges[edge].caller));
        if (own == NULL || set_item(own, function, edge_object(&edges[edge])) < 0) {
            return -1;
        }
    }
    return 0;
}

PyObject *hasten_py_callees_dict(const struct hasten_pstats *table) {
    struct objects it;
    if (objects_init(&it, table) < 0) {
        return NULL;
    }
    PyObject *callees = PyDict_New();
    for (uint32_t row = 0; callees != NULL && row < table->rows.count; row++) {
        if (add_callee(&it, callees, row) < 0) {
            Py_CLEAR(callees);
        }
    }
    objects_done(&it);
    return callees;
}

static PyObject *list_of(const struct hasten_pstats *table, const uint32_t *functions,
                         size_t count) {
    struct objects it;
    if (objects_init(&it, table) < 0) {
        return NULL;
    }
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list != NULL && i < count; i++) {
        PyObject *function = function_object(&it, functions[i]);
        if (function == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, (Py_ssize_t)i, Py_NewRef(function));
        }
    }
    objects_done(&it);
    return list;
}

PyObject *hasten_py_function_list(const struct hasten_pstats *table,
                                  const struct hasten_py_order *order) {
    uint32_t *functions = PyMem_New(uint32_t, order->count + 1);
    if (functions == NULL) {
        return PyErr_NoMemory();
    }
    for (size_t i = 0; i < order->count; i++) {
        functions[i] = table->rows.rows[order->rows[i]].function;
    }
    PyObject *list = list_of(table, functions, order->count);
    PyMem_Free(functions);
    return list;
}

PyObject *hasten_py_root_list(const struct hasten_pstats *table) {
    uint32_t *functions = PyMem_New(uint32_t, table->batch.row_count + 1);
    size_t count = 0;
    if (functions == NULL) {
        return PyErr_NoMemory();
    }
    for (size_t i = 0; i < table->batch.row_count; i++) {
        if (table->batch.rows[i].is_root) {
            functions[count++] = table->batch.rows[i].function;
        }
    }
    PyObject *list = count == 0 ? PyList_New(0) : list_of(table, functions, count);
    PyMem_Free(functions);
    return list;
}

int hasten_py_order_init(struct hasten_py_order *order, const struct hasten_pstats *table,
                         PyObject *rows) {
    PyObject *numbers = PySequence_Tuple(rows);
    if (numbers == NULL) {
        return -1;
    }
    order->count = (size_t)PyTuple_GET_SIZE(numbers);
    order->rows = PyMem_New(uint32_t, order->count + 1);
    if (order->rows == NULL) {
        PyErr_NoMemory();
    }
    for (size_t i = 0; order->rows != NULL && i < order->count; i++) {
        const unsigned long row = PyLong_AsUnsignedLong(PyTuple_GET_ITEM(numbers, (Py_ssize_t)i));
        if (row == (unsigned long)-1 && PyErr_Occurred()) {
            hasten_py_order_done(order);
        } else if (row >= table->rows.count) {
            PyErr_Format(PyExc_IndexError, "the table has no row %lu", row);
            hasten_py_order_done(order);
        } else {
            order->rows[i] = (uint32_t)row;
        }
    }
    Py_DECREF(numbers);
    return order->rows == NULL ? -1 : 0;
}

void hasten_py_order_done(struct hasten_py_order *order) {
    PyMem_Free(order->rows);
    order->rows = NULL;
}
