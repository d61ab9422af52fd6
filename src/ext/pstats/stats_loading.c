/* SPDX-License-Identifier: MIT
 *
 * What a table is filled from: files, recordings, dicts, other tables. What it cannot
 * hold is answered with None: hasten.pstats then does as the standard module does, with
 * Python's objects. */
#include "ext/common/errors.h"
#include "ext/pstats/module.h"
#include "hasten/recording.h"

PyObject *hasten_py_none_or_raise(hasten_status status, const struct hasten_error *error) {
    if (status == HASTEN_UNSUPPORTED) {
        Py_RETURN_NONE;
    }
    return hasten_py_raise_data(status, error);
}

/* Commits what was staged: (calls, primitive calls, time, width of names, rows,
 * roots, whether a sampling profiler made it). */
static PyObject *commit(struct hasten_pstats *table, bool adding, bool is_sampled) {
    struct hasten_pstats_sums sums;
    hasten_status status = hasten_pstats_commit(table, adding, &sums);
    if (status != HASTEN_OK) {
        return hasten_py_none_or_raise(status, NULL);
    }
    PyObject *time =
        sums.own_is_whole ? PyLong_FromDouble(sums.own_s) : PyFloat_FromDouble(sums.own_s);
    PyObject *roots = hasten_py_root_list(table);
    if (time == NULL || roots == NULL) {
        Py_XDECREF(time);
        Py_XDECREF(roots);
        return NULL;
    }
    return Py_BuildValue("LLNnnNN", (long long)sums.calls, (long long)sums.primitive_calls, time,
                         (Py_ssize_t)sums.name_width, (Py_ssize_t)sums.row_count, roots,
                         PyBool_FromLong(is_sampled));
}

struct load_arguments {
    Py_buffer data;
    int adding;
    int sampled; /* whether what a sampling profiler made may be added */
};

static PyObject *load_work(struct hasten_pstats *table, void *argument) {
    const struct load_arguments *arguments = argument;
    struct hasten_error error = {HASTEN_OK, -1, ""};
    bool is_sampled = false;
    hasten_pstats_begin(table);
    hasten_status status = hasten_pstats_stage_marshal(
        table, arguments->data.buf, (size_t)arguments->data.len, &is_sampled, &error);
    if (status == HASTEN_OK && is_sampled && !arguments->sampled) {
        status = HASTEN_UNSUPPORTED;
    }
    if (status != HASTEN_OK) {
        return hasten_py_none_or_raise(status, &error);
    }
    return commit(table, arguments->adding != 0, is_sampled);
}

PyObject *hasten_py_table_load(PyObject *self, PyObject *args) {
    struct load_arguments arguments = {.adding = 0};
    if (!PyArg_ParseTuple(args, "y*pp:load", &arguments.data, &arguments.adding,
                          &arguments.sampled)) {
        return NULL;
    }
    PyObject *result = hasten_py_locked(self, load_work, &arguments);
    PyBuffer_Release(&arguments.data);
    return result;
}

struct recording_arguments {
    PyObject *path; /* bytes */
    int adding;
};

/* Recordings are large and their reading needs nothing of Python. */
static PyObject *recording_work(struct hasten_pstats *table, void *argument) {
    const struct recording_arguments *arguments = argument;
    struct hasten_error error = {HASTEN_OK, -1, ""};
    struct hasten_profile *profile = NULL;
    const char *path = PyBytes_AS_STRING(arguments->path);
    hasten_status status;
    Py_BEGIN_ALLOW_THREADS;
    status = hasten_recording_load(path, NULL, &profile, &error);
    Py_END_ALLOW_THREADS;
    if (status == HASTEN_NOT_RECORDING || status == HASTEN_NEWER) {
        status = HASTEN_CORRUPT; /* as it is said of other files that cannot be read */
    }
    if (status != HASTEN_OK) {
        return hasten_py_raise_data(status, &error);
    }
    hasten_pstats_begin(table);
    status = hasten_pstats_stage_profile(table, profile, &error);
    hasten_profile_free(profile);
    return status == HASTEN_OK ? commit(table, arguments->adding != 0, false)
                               : hasten_py_none_or_raise(status, &error);
}

PyObject *hasten_py_table_load_recording(PyObject *self, PyObject *args) {
    struct recording_arguments arguments = {NULL, 0};
    if (!PyArg_ParseTuple(args, "O&p:load_recording", PyUnicode_FSConverter, &arguments.path,
                          &arguments.adding)) {
        return NULL;
    }
    PyObject *result = hasten_py_locked(self, recording_work, &arguments);
    Py_DECREF(arguments.path);
    return result;
}

struct dict_arguments {
    PyObject *stats;
    int adding;
};

static PyObject *dict_work(struct hasten_pstats *table, void *argument) {
    const struct dict_arguments *arguments = argument;
    hasten_pstats_begin(table);
    const int fits = hasten_py_stage_dict(table, arguments->stats);
    if (fits < 0) {
        return NULL;
    }
    return fits == 0 ? Py_NewRef(Py_None) : commit(table, arguments->adding != 0, false);
}

PyObject *hasten_py_table_add_dict(PyObject *self, PyObject *args) {
    struct dict_arguments arguments = {NULL, 0};
    if (!PyArg_ParseTuple(args, "O!p:add_dict", &PyDict_Type, &arguments.stats,
                          &arguments.adding)) {
        return NULL;
    }
    return hasten_py_locked(self, dict_work, &arguments);
}

static PyObject *add_table_work(struct hasten_pstats *table, struct hasten_pstats *other) {
    hasten_pstats_begin(table);
    hasten_status status = hasten_pstats_stage_table(table, other);
    return status == HASTEN_OK ? commit(table, true, false) : hasten_py_none_or_raise(status, NULL);
}

PyObject *hasten_py_table_add_table(PyObject *self, PyObject *other) {
    if (!Py_IS_TYPE(other, Py_TYPE(self))) {
        PyErr_SetString(PyExc_TypeError, "add_table() argument must be a Table");
        return NULL;
    }
    PyObject *result = NULL;
    HASTEN_PY_BEGIN_LOCKED2(self, other);
    result = add_table_work(hasten_py_table_core(self), hasten_py_table_core(other));
    HASTEN_PY_END_LOCKED2();
    return result;
}
