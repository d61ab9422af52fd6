/* SPDX-License-Identifier: MIT
 *
 * The type hasten._pstats.Table: arguments checked, the object locked, the core
 * asked. What is added to one is in stats_loading.c. */
#include "ext/pstats/module.h"

#include "ext/common/errors.h"

struct stats_table {
    PyObject_HEAD struct hasten_pstats *core;
};

static struct hasten_pstats *core_of(PyObject *self) {
    return ((struct stats_table *)self)->core;
}

struct hasten_pstats *hasten_py_table_core(PyObject *self) {
    return core_of(self);
}

PyObject *hasten_py_locked(PyObject *self, hasten_py_table_work work, void *argument) {
    PyObject *result = NULL;
    HASTEN_PY_BEGIN_LOCKED(self);
    result = work(core_of(self), argument);
    HASTEN_PY_END_LOCKED();
    return result;
}

static PyObject *table_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, ":Table", names)) {
        return NULL;
    }
    struct stats_table *self = (struct stats_table *)type->tp_alloc(type, 0);
    struct hasten_error error = {HASTEN_OK, -1, ""};
    if (self == NULL) {
        return NULL;
    }
    hasten_status status = hasten_pstats_new(NULL, &self->core, &error);
    if (status != HASTEN_OK) {
        hasten_py_raise_data(status, &error);
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void table_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    hasten_pstats_free(core_of(self));
    type->tp_free(self);
    Py_DECREF(type);
}

static Py_ssize_t table_length(PyObject *self) {
    Py_ssize_t length = 0;
    HASTEN_PY_BEGIN_LOCKED(self);
    length = (Py_ssize_t)core_of(self)->rows.count;
    HASTEN_PY_END_LOCKED();
    return length;
}

static PyObject *strip_work(struct hasten_pstats *table, void *Py_UNUSED(argument)) {
    size_t width = 0;
    hasten_status status = hasten_pstats_strip(table, &width);
    return status == HASTEN_OK ? PyLong_FromSize_t(width) : hasten_py_none_or_raise(status, NULL);
}

static PyObject *table_strip(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return hasten_py_locked(self, strip_work, NULL);
}

/* More keys than fields only repeat themselves. */
#define KEYS_MAX 64

struct sort_keys {
    struct hasten_pstats_key keys[KEYS_MAX];
    size_t count;
};

static PyObject *sort_work(struct hasten_pstats *table, void *argument) {
    const struct sort_keys *keys = argument;
    const size_t count = table->rows.count;
    uint32_t *order = PyMem_New(uint32_t, count + 1);
    if (order == NULL) {
        return PyErr_NoMemory();
    }
    hasten_status status = hasten_pstats_sort(table, keys->keys, keys->count, order);
    PyObject *result = NULL;
    if (status != HASTEN_OK) {
        result = hasten_py_none_or_raise(status, NULL);
    } else {
        result = PyList_New((Py_ssize_t)count);
    }
    for (size_t i = 0; status == HASTEN_OK && result != NULL && i < count; i++) {
        PyObject *row = PyLong_FromUnsignedLong(order[i]);
        if (row == NULL) {
            Py_CLEAR(result);
        } else {
            PyList_SET_ITEM(result, (Py_ssize_t)i, row);
        }
    }
    PyMem_Free(order);
    return result;
}

/* A tuple of pairs (place in the tuple, direction). What is none gives None. */
static PyObject *table_sort(PyObject *self, PyObject *argument) {
    struct sort_keys keys = {.count = 0};
    if (!PyTuple_Check(argument)) {
        PyErr_SetString(PyExc_TypeError, "sort() argument must be a tuple");
        return NULL;
    }
    if (PyTuple_GET_SIZE(argument) > KEYS_MAX) {
        Py_RETURN_NONE;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(argument); i++) {
        struct hasten_pstats_key *key = &keys.keys[keys.count++];
        PyObject *pair = PyTuple_GET_ITEM(argument, i);
        if (!PyTuple_Check(pair) || !PyArg_ParseTuple(pair, "ii", &key->field, &key->direction)) {
            PyErr_Clear();
            Py_RETURN_NONE;
        }
        if (key->field < 0 || key->field >= HASTEN_PSTATS_FIELDS ||
            (key->direction != 1 && key->direction != -1)) {
            Py_RETURN_NONE;
        }
    }
    return hasten_py_locked(self, sort_work, &keys);
}

static PyObject *dump_work(struct hasten_pstats *table, void *Py_UNUSED(argument)) {
    struct hasten_buffer buffer;
    hasten_buffer_init(&buffer, NULL);
    hasten_status status = hasten_pstats_dump(table, &buffer);
    PyObject *result = status == HASTEN_OK
                           ? PyBytes_FromStringAndSize(buffer.data, (Py_ssize_t)buffer.size)
                           : hasten_py_raise_data(status, NULL);
    hasten_buffer_done(&buffer);
    return result;
}

static PyObject *table_dump(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return hasten_py_locked(self, dump_work, NULL);
}

static PyObject *stats_work(struct hasten_pstats *table, void *Py_UNUSED(argument)) {
    return hasten_py_stats_dict(table);
}

static PyObject *table_stats(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return hasten_py_locked(self, stats_work, NULL);
}

static PyObject *callees_work(struct hasten_pstats *table, void *Py_UNUSED(argument)) {
    return hasten_py_callees_dict(table);
}

static PyObject *table_callees(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return hasten_py_locked(self, callees_work, NULL);
}

/* Functions as tuples to row numbers; None where one is not a row of the table. */
static PyObject *rows_work(struct hasten_pstats *table, void *argument) {
    PyObject *functions = argument;
    PyObject *rows = PyList_New(0);
    for (Py_ssize_t i = 0; rows != NULL && i < PyTuple_GET_SIZE(functions); i++) {
        uint32_t number = 0;
        const int known = hasten_py_function_number(table, PyTuple_GET_ITEM(functions, i), &number);
        const uint32_t row =
            known == 1 ? hasten_pstats_rows_find(&table->rows, number) : HASTEN_PSTATS_NONE;
        if (known < 0) {
            Py_CLEAR(rows);
        } else if (row == HASTEN_PSTATS_NONE) {
            Py_SETREF(rows, Py_NewRef(Py_None));
            break;
        } else {
            PyObject *value = PyLong_FromUnsignedLong(row);
            if (value == NULL || PyList_Append(rows, value) < 0) {
                Py_CLEAR(rows);
            }
            Py_XDECREF(value);
        }
    }
    return rows;
}

static PyObject *table_rows(PyObject *self, PyObject *argument) {
    PyObject *functions = PySequence_Tuple(argument);
    PyObject *rows = functions == NULL ? NULL : hasten_py_locked(self, rows_work, functions);
    Py_XDECREF(functions);
    return rows;
}

/* What is made of rows in an order; `width` is that of the names' column. */
struct listing {
    PyObject *rows;
    size_t width;
    PyObject *(*make)(const struct hasten_pstats *table, const struct hasten_py_order *order);
    PyObject *(*make_wide)(const struct hasten_pstats *table, const struct hasten_py_order *order,
                           size_t width);
};

static PyObject *listing_work(struct hasten_pstats *table, void *argument) {
    const struct listing *listing = argument;
    struct hasten_py_order order;
    if (hasten_py_order_init(&order, table, listing->rows) < 0) {
        return NULL;
    }
    PyObject *result = listing->make != NULL ? listing->make(table, &order)
                                             : listing->make_wide(table, &order, listing->width);
    hasten_py_order_done(&order);
    return result;
}

static PyObject *table_functions(PyObject *self, PyObject *rows) {
    return hasten_py_locked(self, listing_work,
                            &(struct listing){.rows = rows, .make = hasten_py_function_list});
}

static PyObject *table_names(PyObject *self, PyObject *rows) {
    return hasten_py_locked(self, listing_work,
                            &(struct listing){.rows = rows, .make = hasten_py_name_list});
}

static PyObject *table_lines(PyObject *self, PyObject *rows) {
    return hasten_py_locked(self, listing_work,
                            &(struct listing){.rows = rows, .make = hasten_py_row_lines});
}

static PyObject *wide_listing(PyObject *self, PyObject *args, struct listing listing) {
    Py_ssize_t width = 0;
    if (!PyArg_ParseTuple(args, "On", &listing.rows, &width)) {
        return NULL;
    }
    listing.width = width < 0 ? 0 : (size_t)width;
    return hasten_py_locked(self, listing_work, &listing);
}

static PyObject *table_caller_lines(PyObject *self, PyObject *args) {
    return wide_listing(self, args, (struct listing){.make_wide = hasten_py_caller_lines});
}

static PyObject *table_callee_lines(PyObject *self, PyObject *args) {
    return wide_listing(self, args, (struct listing){.make_wide = hasten_py_callee_lines});
}

static PyObject *table_has_times(PyObject *self, void *Py_UNUSED(closure)) {
    bool has_times = false;
    HASTEN_PY_BEGIN_LOCKED(self);
    has_times = core_of(self)->has_times;
    HASTEN_PY_END_LOCKED();
    return PyBool_FromLong(has_times);
}

static PyMethodDef table_methods[] = {
    {"load", hasten_py_table_load, METH_VARARGS,
     "load($self, data, adding, sampled, /)\n--\n\nAdd what a file's bytes hold."},
    {"load_recording", hasten_py_table_load_recording, METH_VARARGS,
     "load_recording($self, path, adding, /)\n--\n\nAdd what a recording holds."},
    {"add_dict", hasten_py_table_add_dict, METH_VARARGS,
     "add_dict($self, stats, adding, /)\n--\n\nAdd what a dict of statistics holds."},
    {"add_table", hasten_py_table_add_table, METH_O,
     "add_table($self, other, /)\n--\n\nAdd what another table holds."},
    {"strip", table_strip, METH_NOARGS,
     "strip($self, /)\n--\n\nTake the folders off all file names."},
    {"sort", table_sort, METH_O, "sort($self, keys, /)\n--\n\nThe rows' numbers, sorted."},
    {"rows", table_rows, METH_O, "rows($self, functions, /)\n--\n\nThe functions' rows."},
    {"dump", table_dump, METH_NOARGS, "dump($self, /)\n--\n\nThe table as marshal data."},
    {"stats", table_stats, METH_NOARGS, "stats($self, /)\n--\n\nThe table as a dict."},
    {"callees", table_callees, METH_NOARGS,
     "callees($self, /)\n--\n\nEach function's callees, as dicts."},
    {"functions", table_functions, METH_O,
     "functions($self, rows, /)\n--\n\nThe rows' functions, as tuples."},
    {"names", table_names, METH_O, "names($self, rows, /)\n--\n\nThe rows' standard names."},
    {"lines", table_lines, METH_O, "lines($self, rows, /)\n--\n\nThe rows as they are printed."},
    {"caller_lines", table_caller_lines, METH_VARARGS,
     "caller_lines($self, rows, width, /)\n--\n\nThe rows' callers as they are printed."},
    {"callee_lines", table_callee_lines, METH_VARARGS,
     "callee_lines($self, rows, width, /)\n--\n\nThe rows' callees as they are printed."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef table_properties[] = {
    {"has_times", table_has_times, NULL, "Whether callers have times, not only calls.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot table_slots[] = {
    {Py_tp_doc, "Table()\n--\n\nFunctions, what they cost, and who called them."},
    {Py_tp_new, table_new},
    {Py_tp_dealloc, table_dealloc},
    {Py_tp_methods, table_methods},
    {Py_tp_getset, table_properties},
    {Py_mp_length, table_length},
    {0, NULL},
};

PyType_Spec hasten_py_stats_table_spec = {
    .name = "hasten._pstats.Table",
    .basicsize = sizeof(struct stats_table),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = table_slots,
};
