/* SPDX-License-Identifier: MIT */
#include "ext/functools/shared_key.h"

#include <math.h>

#include "core/base/buffer.h"

struct writer {
    struct hasten_buffer buffer;
    bool is_typed;
};

static bool write_value(struct writer *writer, PyObject *value);

static void write_blob(struct writer *writer, char kind, const char *data, Py_ssize_t size) {
    hasten_buffer_format(&writer->buffer, "%c%zd:", kind, size);
    hasten_buffer_append(&writer->buffer, data, (size_t)size);
}

static bool write_text(struct writer *writer, char kind, PyObject *text) {
    Py_ssize_t size = 0;
    const char *data = PyUnicode_AsUTF8AndSize(text, &size);
    if (data != NULL) {
        write_blob(writer, kind, data, size);
        return true;
    }
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        return false;
    }
    /* Lone surrogates, as in names of files that are no UTF-8. */
    PyErr_Clear();
    PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "surrogatepass");
    if (bytes == NULL) {
        return false;
    }
    write_blob(writer, kind, PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return true;
}

static bool write_integer(struct writer *writer, PyObject *value) {
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow == 0) {
        if (number == -1 && PyErr_Occurred()) {
            return false;
        }
        hasten_buffer_format(&writer->buffer, "i%lld.", number);
        return true;
    }
    /* Not decimal: that takes long, and the interpreter refuses what is longer still. */
    PyObject *digits = PyNumber_ToBase(value, 16);
    const char *text = digits == NULL ? NULL : PyUnicode_AsUTF8(digits);
    if (text != NULL) {
        hasten_buffer_format(&writer->buffer, "x%s.", text);
    }
    Py_XDECREF(digits);
    return text != NULL;
}

static bool write_number(struct writer *writer, PyObject *value) {
    const double number = PyFloat_AS_DOUBLE(value);
    if (isfinite(number) && floor(number) == number && !writer->is_typed) {
        PyObject *integer = PyLong_FromDouble(number);
        const bool is_written = integer != NULL && write_integer(writer, integer);
        Py_XDECREF(integer);
        return is_written;
    }
    hasten_buffer_format(&writer->buffer, "%c%a.", writer->is_typed ? 'F' : 'f', number);
    return true;
}

static bool write_tuple(struct writer *writer, PyObject *tuple) {
    hasten_buffer_byte(&writer->buffer, '(');
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        if (!write_value(writer, PyTuple_GET_ITEM(tuple, i))) {
            return false;
        }
    }
    hasten_buffer_byte(&writer->buffer, ')');
    return true;
}

/* A new list of what the items of a set are written as, in order. */
static PyObject *written_items(const struct writer *writer, PyObject *set) {
    PyObject *items = PyList_New(0);
    PyObject *iterator = items == NULL ? NULL : PyObject_GetIter(set);
    PyObject *item = NULL;
    bool is_good = iterator != NULL;
    while (is_good && (item = PyIter_Next(iterator)) != NULL) {
        struct writer inner = {.is_typed = writer->is_typed};
        hasten_buffer_init(&inner.buffer, NULL);
        is_good = write_value(&inner, item);
        if (is_good && inner.buffer.failed) {
            PyErr_NoMemory();
            is_good = false;
        }
        PyObject *bytes =
            is_good ? PyBytes_FromStringAndSize(inner.buffer.data, (Py_ssize_t)inner.buffer.size)
                    : NULL;
        hasten_buffer_done(&inner.buffer);
        Py_DECREF(item);
        is_good = bytes != NULL && PyList_Append(items, bytes) == 0;
        Py_XDECREF(bytes);
    }
    Py_XDECREF(iterator);
    if (!is_good || PyErr_Occurred() || PyList_Sort(items) < 0) {
        Py_CLEAR(items);
    }
    return items;
}

static bool write_set(struct writer *writer, PyObject *set) {
    PyObject *items = written_items(writer, set);
    if (items == NULL) {
        return false;
    }
    hasten_buffer_byte(&writer->buffer, '{');
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items); i++) {
        PyObject *item = PyList_GET_ITEM(items, i);
        hasten_buffer_append(&writer->buffer, PyBytes_AS_STRING(item),
                             (size_t)PyBytes_GET_SIZE(item));
    }
    hasten_buffer_byte(&writer->buffer, '}');
    Py_DECREF(items);
    return true;
}

/* Exact types only: what a subclass adds is not known. */
static bool write_value(struct writer *writer, PyObject *value) {
    if (value == Py_None) {
        hasten_buffer_byte(&writer->buffer, 'n');
        return true;
    }
    if (PyBool_Check(value)) {
        hasten_buffer_format(&writer->buffer, "%c%d.", writer->is_typed ? 't' : 'i',
                             value == Py_True);
        return true;
    }
    if (PyUnicode_CheckExact(value)) {
        return write_text(writer, 's', value);
    }
    if (PyLong_CheckExact(value)) {
        return write_integer(writer, value);
    }
    if (PyFloat_CheckExact(value)) {
        return write_number(writer, value);
    }
    if (PyBytes_CheckExact(value)) {
        write_blob(writer, 'b', PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value));
        return true;
    }
    if (!PyTuple_CheckExact(value) && !PyFrozenSet_CheckExact(value)) {
        PyErr_Format(PyExc_TypeError,
                     "an argument of type '%.200s' cannot be part of a key that other processes "
                     "know: key= may answer something that can",
                     Py_TYPE(value)->tp_name);
        return false;
    }
    if (Py_EnterRecursiveCall(" while making a shared key")) {
        return false;
    }
    const bool is_written =
        PyTuple_CheckExact(value) ? write_tuple(writer, value) : write_set(writer, value);
    Py_LeaveRecursiveCall();
    return is_written;
}

/* Keywords in the order of their names: the caller's is no part of what is asked for. */
static bool write_keywords(struct writer *writer, PyObject *keywords) {
    PyObject *names = PyDict_Keys(keywords);
    bool is_good = names != NULL && PyList_Sort(names) == 0;
    for (Py_ssize_t i = 0; is_good && i < PyList_GET_SIZE(names); i++) {
        PyObject *name = PyList_GET_ITEM(names, i);
        PyObject *value = PyDict_GetItemWithError(keywords, name);
        is_good = value != NULL && write_text(writer, 'k', name) && write_value(writer, value);
    }
    Py_XDECREF(names);
    return is_good;
}

PyDoc_STRVAR(shared_key_doc, "_shared_key($module, prefix, arguments, keywords, typed, /)\n--\n\n"
                             "The arguments of a call as bytes, after a prefix.");

static PyObject *shared_key(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
    (void)module;
    if (count != 4 || !PyBytes_Check(arguments[0]) || !PyTuple_Check(arguments[1]) ||
        !PyDict_Check(arguments[2])) {
        PyErr_SetString(PyExc_TypeError, "_shared_key wants bytes, a tuple, a dict and a bool");
        return NULL;
    }
    struct writer writer = {.is_typed = arguments[3] == Py_True};
    hasten_buffer_init(&writer.buffer, NULL);
    hasten_buffer_append(&writer.buffer, PyBytes_AS_STRING(arguments[0]),
                         (size_t)PyBytes_GET_SIZE(arguments[0]));
    bool is_good = true;
    for (Py_ssize_t i = 0; is_good && i < PyTuple_GET_SIZE(arguments[1]); i++) {
        is_good = write_value(&writer, PyTuple_GET_ITEM(arguments[1], i));
    }
    is_good =
        is_good && (PyDict_GET_SIZE(arguments[2]) == 0 || write_keywords(&writer, arguments[2]));
    PyObject *key = NULL;
    if (is_good && writer.buffer.failed) {
        PyErr_NoMemory();
    } else if (is_good) {
        key = PyBytes_FromStringAndSize(writer.buffer.data, (Py_ssize_t)writer.buffer.size);
    }
    hasten_buffer_done(&writer.buffer);
    return key;
}

/* 1 where writing and reading a value gives an equal one of the same types, 0, or -1 with
 * an exception set. `is_wide`: bytes, and numbers as keys, can be written too. */
static int is_plain(PyObject *value, bool is_wide) {
    if (value == Py_None || PyBool_Check(value) || PyUnicode_CheckExact(value) ||
        PyLong_CheckExact(value) || PyFloat_CheckExact(value)) {
        return 1;
    }
    const bool is_list = PyList_CheckExact(value);
    if (!is_list && !PyDict_CheckExact(value)) {
        return is_wide && PyBytes_CheckExact(value);
    }
    if (Py_EnterRecursiveCall(" while looking at a shared result")) {
        return -1;
    }
    int answer = 1;
    if (is_list) {
        for (Py_ssize_t i = 0; answer == 1 && i < PyList_GET_SIZE(value); i++) {
            answer = is_plain(PyList_GET_ITEM(value, i), is_wide);
        }
    } else {
        Py_ssize_t place = 0;
        PyObject *key = NULL;
        PyObject *item = NULL;
        while (answer == 1 && PyDict_Next(value, &place, &key, &item)) {
            const bool fits = PyUnicode_CheckExact(key) ||
                              (is_wide && (PyLong_CheckExact(key) || PyBytes_CheckExact(key)));
            answer = fits ? is_plain(item, is_wide) : 0;
        }
    }
    Py_LeaveRecursiveCall();
    return answer;
}

PyDoc_STRVAR(is_plain_doc, "_is_plain($module, value, wide, /)\n--\n\n"
                           "Whether a value comes back from JSON as it was; wide: from msgpack.");

static PyObject *tell_plain(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
    (void)module;
    if (count != 2) {
        PyErr_Format(PyExc_TypeError, "_is_plain expected 2 arguments, got %zd", count);
        return NULL;
    }
    const int answer = is_plain(arguments[0], arguments[1] == Py_True);
    return answer < 0 ? NULL : PyBool_FromLong(answer);
}

PyMethodDef hasten_py_shared_methods[] = {
    {"_shared_key", (PyCFunction)(void (*)(void))shared_key, METH_FASTCALL, shared_key_doc},
    {"_is_plain", (PyCFunction)(void (*)(void))tell_plain, METH_FASTCALL, is_plain_doc},
    {NULL, NULL, 0, NULL},
};
