/* SPDX-License-Identifier: MIT
 *
 * hasten._stream: the types behind hasten.stream. */
#include "ext/stream/module.h"

#include <string.h>

#include "ext/common/errors.h"

static struct PyModuleDef module_definition;

struct hasten_py_stream_state *hasten_py_stream_of(PyTypeObject *type) {
    PyObject *module = PyType_GetModuleByDef(type, &module_definition);
    return module == NULL ? NULL : PyModule_GetState(module);
}

/* An exception with `path` and `offset`. */
static PyObject *raise_at(PyObject *type, PyObject *message, int64_t offset, PyObject *path) {
    PyObject *exception = PyObject_CallOneArg(type, message);
    PyObject *at = PyLong_FromLongLong(offset);
    if (exception != NULL && at != NULL && PyObject_SetAttrString(exception, "offset", at) == 0 &&
        PyObject_SetAttrString(exception, "path", path) == 0) {
        PyErr_SetObject(type, exception);
    }
    Py_XDECREF(at);
    Py_XDECREF(exception);
    return NULL;
}

PyObject *hasten_py_stream_raise(const struct hasten_py_stream_state *state, hasten_status status,
                                 const struct hasten_error *error, int error_number,
                                 PyObject *path) {
    PyObject *type = NULL;
    if (status == HASTEN_CORRUPT) {
        type = state->data_error;
    } else if (status == HASTEN_TRUNCATED) {
        type = state->truncated_error;
    } else if (status == HASTEN_LIMIT && error->position >= 0) {
        type = state->line_too_long;
    }
    if (status == HASTEN_IO && error_number != 0) {
        PyObject *exception =
            PyObject_CallFunction(PyExc_OSError, "isO", error_number, error->message, path);
        if (exception != NULL) {
            PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
            Py_DECREF(exception);
        }
        return NULL;
    }
    if (type == NULL) {
        return hasten_py_raise(NULL, status, error, path);
    }
    PyObject *message = path == Py_None ? PyUnicode_FromString(error->message)
                                        : PyUnicode_FromFormat("%S: %s", path, error->message);
    if (message != NULL) {
        (void)raise_at(type, message, error->position, path);
        Py_DECREF(message);
    }
    return NULL;
}

static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec, PyObject *bases) {
    PyObject *type = PyType_FromModuleAndSpec(module, spec, bases);
    if (type != NULL && PyModule_AddType(module, (PyTypeObject *)type) < 0) {
        Py_CLEAR(type);
    }
    return (PyTypeObject *)type;
}

/* An exception with `path` and `offset`, which are None by default. */
static PyObject *add_exception(PyObject *module, const char *name, const char *doc,
                               PyObject *bases) {
    PyObject *defaults = Py_BuildValue("{s:O,s:O}", "path", Py_None, "offset", Py_None);
    PyObject *type =
        defaults == NULL ? NULL : PyErr_NewExceptionWithDoc(name, doc, bases, defaults);
    Py_XDECREF(defaults);
    if (type != NULL && PyModule_AddObjectRef(module, strrchr(name, '.') + 1, type) < 0) {
        Py_CLEAR(type);
    }
    return type;
}

static bool add_exceptions(PyObject *module, struct hasten_py_stream_state *state) {
    state->data_error = add_exception(
        module, "hasten.stream.DataError",
        "Compressed data are damaged.\n\n"
        "What was good was delivered before. `path` is the file, `offset` the byte in it at\n"
        "which the fault was noticed.",
        PyExc_ValueError);
    PyObject *bases =
        state->data_error == NULL ? NULL : PyTuple_Pack(2, state->data_error, PyExc_EOFError);
    state->truncated_error = bases == NULL
                                 ? NULL
                                 : add_exception(module, "hasten.stream.TruncatedError",
                                                 "Compressed data end in the middle.", bases);
    Py_XDECREF(bases);
    state->line_too_long = add_exception(
        module, "hasten.stream.LineTooLongError",
        "A line is longer than `limit`.\n\n"
        "`path` is the file, `offset` where the line begins in its (decompressed) bytes.",
        PyExc_ValueError);
    return state->truncated_error != NULL && state->line_too_long != NULL;
}

static int module_exec(PyObject *module) {
    struct hasten_py_stream_state *state = PyModule_GetState(module);
    if (!add_exceptions(module, state)) {
        return -1;
    }
    state->stage = add_type(module, &hasten_py_stage_spec, NULL);
    state->reader = add_type(module, &hasten_py_reader_spec, NULL);
    if (state->stage == NULL || state->reader == NULL) {
        return -1;
    }
    PyObject *bases = PyTuple_Pack(1, state->stage);
    state->lines = bases == NULL ? NULL : add_type(module, &hasten_py_lines_spec, bases);
    Py_XDECREF(bases);
    return state->lines == NULL ? -1 : 0;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    struct hasten_py_stream_state *state = PyModule_GetState(module);
    Py_VISIT(state->stage);
    Py_VISIT(state->reader);
    Py_VISIT(state->lines);
    Py_VISIT(state->data_error);
    Py_VISIT(state->truncated_error);
    Py_VISIT(state->line_too_long);
    return 0;
}

static int module_clear(PyObject *module) {
    struct hasten_py_stream_state *state = PyModule_GetState(module);
    Py_CLEAR(state->stage);
    Py_CLEAR(state->reader);
    Py_CLEAR(state->lines);
    Py_CLEAR(state->data_error);
    Py_CLEAR(state->truncated_error);
    Py_CLEAR(state->line_too_long);
    return 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    HASTEN_PY_ISOLATED_SLOTS{0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "hasten._stream",
    .m_doc = "The types behind hasten.stream.",
    .m_size = sizeof(struct hasten_py_stream_state),
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
};

PyMODINIT_FUNC PyInit__stream(void);

PyMODINIT_FUNC PyInit__stream(void) {
    return PyModuleDef_Init(&module_definition);
}
