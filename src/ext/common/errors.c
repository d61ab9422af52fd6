/* SPDX-License-Identifier: MIT
 *
 * The one place where a status of the core becomes a Python exception. Decides
 * the type and hands the core's message on; words nothing itself. */
#include "ext/common/errors.h"

#include <errno.h>

/* A file that is not a readable recording: ValueError's subclass with the code
 * and the position, so that a program can tell "newer" from "damaged". */
static PyObject *raise_recording(PyObject *type, hasten_status status, int64_t position,
                                 PyObject *message) {
    PyObject *exception = PyObject_CallOneArg(type, message);
    if (exception == NULL) {
        return NULL;
    }
    PyObject *code = PyUnicode_FromString(hasten_status_name(status));
    PyObject *at = position < 0 ? Py_NewRef(Py_None) : PyLong_FromLongLong(position);
    if (code != NULL && at != NULL && PyObject_SetAttrString(exception, "code", code) == 0 &&
        PyObject_SetAttrString(exception, "position", at) == 0) {
        PyErr_SetObject(type, exception);
    }
    Py_XDECREF(code);
    Py_XDECREF(at);
    Py_DECREF(exception);
    return NULL;
}

static PyObject *raise_os(int number, PyObject *message, PyObject *path) {
    /* OSError(errno, text, filename) makes the right subclass of itself. */
    PyObject *exception =
        PyObject_CallFunction(PyExc_OSError, "iOO", number, message, path == NULL ? Py_None : path);
    if (exception != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
        Py_DECREF(exception);
    }
    return NULL;
}

PyObject *hasten_py_recording_error_new(void) {
    PyObject *defaults = Py_BuildValue("{s:s,s:O}", "code", "CORRUPT", "position", Py_None);
    if (defaults == NULL) {
        return NULL;
    }
    PyObject *type = PyErr_NewExceptionWithDoc(
        "hasten.RecordingError",
        "A file is not a recording that this version can read.\n\n"
        "`code` is NOT_RECORDING, TRUNCATED, CORRUPT or NEWER; `position` is the byte offset\n"
        "of the fault, or None.",
        PyExc_ValueError, defaults);
    Py_DECREF(defaults);
    return type;
}

PyObject *hasten_py_raise(PyObject *recording_error, hasten_status status,
                          const struct hasten_error *error, PyObject *path) {
    const char *detail = error != NULL && error->message[0] != '\0'
                             ? error->message
                             : hasten_status_sentence(status);
    if (status == HASTEN_NO_MEMORY) {
        return PyErr_NoMemory();
    }
    PyObject *message = PyUnicode_DecodeUTF8(detail, (Py_ssize_t)strlen(detail), "replace");
    if (message == NULL) {
        return NULL;
    }
    switch (status) {
    case HASTEN_NOT_RECORDING:
    case HASTEN_TRUNCATED:
    case HASTEN_CORRUPT:
    case HASTEN_NEWER:
        raise_recording(recording_error, status, error != NULL ? error->position : -1, message);
        break;
    case HASTEN_NOT_FOUND:
        raise_os(ENOENT, message, path);
        break;
    case HASTEN_NO_PERMISSION:
        raise_os(EPERM, message, path);
        break;
    case HASTEN_NO_PROCESS:
        raise_os(ESRCH, message, path);
        break;
    case HASTEN_NO_SPACE:
        raise_os(ENOSPC, message, path);
        break;
    case HASTEN_IO:
        raise_os(EIO, message, path);
        break;
    case HASTEN_INVALID:
    case HASTEN_LIMIT:
        PyErr_SetObject(PyExc_ValueError, message);
        break;
    default:
        PyErr_SetObject(PyExc_RuntimeError, message);
        break;
    }
    Py_DECREF(message);
    return NULL;
}

PyObject *hasten_py_raise_data(hasten_status status, const struct hasten_error *error) {
    if (status != HASTEN_TRUNCATED && status != HASTEN_CORRUPT && status != HASTEN_INVALID) {
        return hasten_py_raise(NULL, status, error, NULL);
    }
    PyObject *type = status == HASTEN_TRUNCATED ? PyExc_EOFError
                     : status == HASTEN_CORRUPT ? PyExc_ValueError
                                                : PyExc_TypeError;
    PyErr_SetString(type, error != NULL ? error->message : hasten_status_sentence(status));
    return NULL;
}
