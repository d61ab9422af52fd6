/* SPDX-License-Identifier: MIT
 *
 * The type hasten._tracemalloc.Table: a snapshot behind hasten.tracemalloc.Snapshot. */
#include "ext/tracemalloc/table.h"

#include "core/heap/grouping.h"
#include "ext/common/errors.h"
#include "ext/tracemalloc/text.h"

static struct hasten_traces *traces_of(PyObject *self) {
    return &((struct hasten_table *)self)->traces;
}

PyObject *hasten_py_table_new(PyTypeObject *type) {
    struct hasten_table *table = (struct hasten_table *)type->tp_alloc(type, 0);
    if (table != NULL) {
        hasten_traces_init(&table->traces, NULL);
    }
    return (PyObject *)table;
}

static void table_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    hasten_traces_done(traces_of(self));
    type->tp_free(self);
    Py_DECREF(type);
}

static Py_ssize_t table_length(PyObject *self) {
    return (Py_ssize_t)hasten_traces_count(traces_of(self));
}

PyDoc_STRVAR(traces_doc, "traces($self, first, end, /)\n--\n\n"
                         "Traces as (domain, size, frames, total frames), the newest frame first.");

static PyObject *table_traces(PyObject *self, PyObject *arguments) {
    const Py_ssize_t count = table_length(self);
    Py_ssize_t first = 0;
    Py_ssize_t end = 0;
    if (!PyArg_ParseTuple(arguments, "nn:traces", &first, &end)) {
        return NULL;
    }
    first = first < 0 ? 0 : first;
    end = end > count ? count : end;
    return first >= end ? PyList_New(0)
                        : hasten_py_table_traces(traces_of(self), (uint64_t)first, (uint64_t)end);
}

PyDoc_STRVAR(files_doc, "files($self, /)\n--\n\nNames of files, by their numbers.");

static PyObject *table_files(PyObject *self, PyObject *Py_UNUSED(unused)) {
    const struct hasten_traces *traces = traces_of(self);
    PyObject *list = PyList_New((Py_ssize_t)traces->file_count);
    for (uint32_t i = 0; list != NULL && i < traces->file_count; i++) {
        size_t size = 0;
        const char *name = hasten_traces_name(traces, i, &size);
        PyObject *text = hasten_py_text_new(name, size);
        if (text == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, (Py_ssize_t)i, text);
        }
    }
    return list;
}

/* Grouping. */

static int parse_key(const char *name, enum hasten_grouping_key *ret_key) {
    if (strcmp(name, "traceback") == 0) {
        *ret_key = HASTEN_GROUP_BY_TRACEBACK;
    } else if (strcmp(name, "filename") == 0) {
        *ret_key = HASTEN_GROUP_BY_FILE;
    } else if (strcmp(name, "lineno") == 0) {
        *ret_key = HASTEN_GROUP_BY_LINE;
    } else {
        PyErr_Format(PyExc_ValueError, "unknown key_type: '%s'", name);
        return -1;
    }
    return 0;
}

static PyObject *group_row(const struct hasten_grouping *grouping, const struct hasten_group *group,
                           bool has_old) {
    PyObject *frames = hasten_py_table_frames(&grouping->keys, group->path);
    if (frames == NULL) {
        return NULL;
    }
    const uint64_t *size = group->size_bytes;
    const uint64_t *count = group->count;
    if (!has_old) {
        return Py_BuildValue("NKK", frames, (unsigned long long)size[HASTEN_GROUPING_NEW],
                             (unsigned long long)count[HASTEN_GROUPING_NEW]);
    }
    return Py_BuildValue("NKLKL", frames, (unsigned long long)size[HASTEN_GROUPING_NEW],
                         (long long)(size[HASTEN_GROUPING_NEW] - size[HASTEN_GROUPING_OLD]),
                         (unsigned long long)count[HASTEN_GROUPING_NEW],
                         (long long)(count[HASTEN_GROUPING_NEW] - count[HASTEN_GROUPING_OLD]));
}

static PyObject *group_rows(const struct hasten_grouping *grouping, bool has_old) {
    PyObject *list = PyList_New((Py_ssize_t)grouping->group_count);
    for (size_t i = 0; list != NULL && i < grouping->group_count; i++) {
        PyObject *row = group_row(grouping, &grouping->groups[i], has_old);
        if (row == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, (Py_ssize_t)i, row);
        }
    }
    return list;
}

static hasten_status group(struct hasten_grouping *grouping, const struct hasten_traces *traces,
                           const struct hasten_traces *old) {
    hasten_status status = hasten_grouping_add(grouping, traces, HASTEN_GROUPING_NEW);
    if (status == HASTEN_OK && old != NULL) {
        status = hasten_grouping_add(grouping, old, HASTEN_GROUPING_OLD);
    }
    return status == HASTEN_OK ? hasten_grouping_sort(grouping, old != NULL) : status;
}

static PyObject *grouped(const struct hasten_traces *traces, const struct hasten_traces *old,
                         enum hasten_grouping_key key, int is_cumulative) {
    struct hasten_grouping grouping;
    hasten_status status = HASTEN_OK;
    PyObject *rows = NULL;
    hasten_grouping_init(&grouping, key, is_cumulative != 0, NULL);
    /* Tables never change: other threads may go on. */
    Py_BEGIN_ALLOW_THREADS;
    status = group(&grouping, traces, old);
    Py_END_ALLOW_THREADS;
    if (status == HASTEN_OK) {
        rows = group_rows(&grouping, old != NULL);
    } else {
        hasten_py_raise(NULL, status, NULL, NULL);
    }
    hasten_grouping_done(&grouping);
    return rows;
}

PyDoc_STRVAR(statistics_doc, "statistics($self, key_type, cumulative, /)\n--\n\n"
                             "(frames, size, count), the largest first.");

static PyObject *table_statistics(PyObject *self, PyObject *arguments) {
    const char *name = NULL;
    int is_cumulative = 0;
    enum hasten_grouping_key key = HASTEN_GROUP_BY_LINE;
    if (!PyArg_ParseTuple(arguments, "sp:statistics", &name, &is_cumulative) ||
        parse_key(name, &key) < 0) {
        return NULL;
    }
    return grouped(traces_of(self), NULL, key, is_cumulative);
}

PyDoc_STRVAR(compare_doc, "compare($self, old, key_type, cumulative, /)\n--\n\n"
                          "(frames, size, change, count, change), the largest change first.");

static PyObject *table_compare(PyObject *self, PyObject *arguments) {
    PyObject *old = NULL;
    const char *name = NULL;
    int is_cumulative = 0;
    enum hasten_grouping_key key = HASTEN_GROUP_BY_LINE;
    if (!PyArg_ParseTuple(arguments, "O!sp:compare", Py_TYPE(self), &old, &name, &is_cumulative) ||
        parse_key(name, &key) < 0) {
        return NULL;
    }
    return grouped(traces_of(self), traces_of(old), key, is_cumulative);
}

/* Filtering. */

/* (inclusive, matching files or None, line or None, all frames, domain or None). */
static int parse_filter(const struct hasten_traces *traces, PyObject *condition,
                        struct hasten_traces_filter *ret_filter) {
    int is_inclusive = 0;
    int all_frames = 0;
    PyObject *files = NULL;
    PyObject *line = NULL;
    PyObject *domain = NULL;
    if (!PyTuple_Check(condition)) {
        PyErr_SetString(PyExc_TypeError, "a filter is a tuple");
        return -1;
    }
    if (!PyArg_ParseTuple(condition, "pOOpO:filter", &is_inclusive, &files, &line, &all_frames,
                          &domain)) {
        return -1;
    }
    struct hasten_traces_filter filter = {
        .is_inclusive = is_inclusive != 0,
        .has_domain = domain != Py_None,
        .has_files = files != Py_None,
        .has_line = line != Py_None,
        .all_frames = all_frames != 0,
    };
    if (filter.has_files) {
        if (!PyBytes_Check(files) || PyBytes_GET_SIZE(files) != (Py_ssize_t)traces->file_count) {
            PyErr_SetString(PyExc_ValueError, "a filter has one byte for each file");
            return -1;
        }
        filter.files = (const unsigned char *)PyBytes_AS_STRING(files);
    }
    if (filter.has_line) {
        filter.line = PyLong_AsUnsignedLongLong(line);
    }
    if (filter.has_domain) {
        filter.domain = (uint32_t)PyLong_AsUnsignedLong(domain);
    }
    *ret_filter = filter;
    return PyErr_Occurred() ? -1 : 0;
}

PyDoc_STRVAR(filter_doc,
             "filter($self, filters, /)\n--\n\n"
             "A table of those traces that the filters let pass. Each is a tuple (inclusive,\n"
             "bytes that say of each file whether it matches or None, line or None, all frames,\n"
             "domain or None).");

static PyObject *table_filter(PyObject *self, PyObject *conditions) {
    const struct hasten_traces *traces = traces_of(self);
    PyObject *list = PySequence_Tuple(conditions);
    if (list == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    const Py_ssize_t count = PyTuple_GET_SIZE(list);
    struct hasten_traces_filter *filters = PyMem_RawCalloc((size_t)count + 1, sizeof *filters);
    if (filters == NULL) {
        PyErr_NoMemory();
        goto end;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (parse_filter(traces, PyTuple_GET_ITEM(list, i), &filters[i]) < 0) {
            goto end;
        }
    }
    result = hasten_py_table_new(Py_TYPE(self));
    if (result != NULL) {
        hasten_status status = HASTEN_OK;
        Py_BEGIN_ALLOW_THREADS;
        status = hasten_traces_select(traces, filters, (size_t)count, traces_of(result));
        Py_END_ALLOW_THREADS;
        if (status != HASTEN_OK) {
            Py_CLEAR(result);
            hasten_py_raise(NULL, status, NULL, NULL);
        }
    }
end:
    PyMem_RawFree(filters);
    Py_DECREF(list);
    return result;
}

static PyMethodDef table_methods[] = {
    {"traces", table_traces, METH_VARARGS, traces_doc},
    {"files", table_files, METH_NOARGS, files_doc},
    {"statistics", table_statistics, METH_VARARGS, statistics_doc},
    {"compare", table_compare, METH_VARARGS, compare_doc},
    {"filter", table_filter, METH_O, filter_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot table_slots[] = {
    {Py_tp_dealloc, table_dealloc},
    {Py_tp_methods, table_methods},
    {Py_sq_length, table_length},
    {Py_tp_doc, "What was allocated and alive at one moment."},
    {0, NULL},
};

PyType_Spec hasten_table_spec = {
    .name = "hasten._tracemalloc.Table",
    .basicsize = sizeof(struct hasten_table),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = table_slots,
};
