/* SPDX-License-Identifier: MIT */
#include "ext/stream/line_objects.h"

#include <string.h>

/* What str.strip() takes for white space, of ASCII; bytes.strip() does not know the last
 * four. */
static bool is_space(uint8_t byte, bool is_text) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r') ||
           (is_text && byte >= 0x1c && byte <= 0x1f);
}

static void trim(uint8_t **line, size_t *size, bool is_text) {
    while (*size != 0 && is_space((*line)[*size - 1], is_text)) {
        --*size;
    }
    while (*size != 0 && is_space(**line, is_text)) {
        ++*line;
        --*size;
    }
}

static PyObject *make_narrow(const uint8_t *line, size_t size, Py_UCS4 highest) {
    PyObject *text = PyUnicode_New((Py_ssize_t)size, highest);
    if (text != NULL && size != 0) {
        memcpy(PyUnicode_DATA(text), line, size);
    }
    return text;
}

/* By the encoding's own decoder. It may call a handler of the program's, which may read on:
 * so it is given a copy. */
static PyObject *decode(const struct hasten_py_line_form *form, const uint8_t *line, size_t size) {
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)line, (Py_ssize_t)size);
    const char *errors = PyUnicode_AsUTF8(form->errors);
    PyObject *text = NULL;
    if (bytes != NULL && errors != NULL) {
        const char *encoding = form->text == HASTEN_PY_TEXT_ASCII ? "ascii" : "utf-8";
        text = PyUnicode_Decode(PyBytes_AS_STRING(bytes), (Py_ssize_t)size, encoding, errors);
    }
    Py_XDECREF(bytes);
    return text;
}

static PyObject *strip_space(PyObject *line) {
    PyObject *stripped = PyObject_CallMethod(line, "strip", NULL);
    Py_DECREF(line);
    return stripped;
}

PyObject *hasten_py_line_make(const struct hasten_py_line_form *form,
                              const struct hasten_py_region *region, uint8_t *line, size_t size,
                              enum hasten_py_strip strip) {
    if (strip == HASTEN_PY_STRIP_NEWLINE) {
        size -= hasten_newline_size(form->newline, line, size);
    } else if (form->is_translated && region->has_return) {
        const size_t end = hasten_newline_size(form->newline, line, size);
        if (end != 0) {
            size = size - end + 1;
            line[size - 1] = '\n';
        }
    }
    if (form->text == HASTEN_PY_TEXT_BYTES) {
        if (strip == HASTEN_PY_STRIP_SPACE) {
            trim(&line, &size, false);
        }
        return PyBytes_FromStringAndSize((const char *)line, (Py_ssize_t)size);
    }
    const bool is_ascii =
        !region->has_high || (form->kernels->classify(line, size) & HASTEN_BYTES_HIGH) == 0;
    if (is_ascii) {
        if (strip == HASTEN_PY_STRIP_SPACE) {
            trim(&line, &size, true);
        }
        return make_narrow(line, size, 127);
    }
    PyObject *text = NULL;
    if (form->text == HASTEN_PY_TEXT_LATIN1) {
        text = make_narrow(line, size, 255);
    } else if (region->is_valid) {
        text = PyUnicode_DecodeUTF8((const char *)line, (Py_ssize_t)size, NULL);
    } else {
        text = decode(form, line, size);
    }
    return text != NULL && strip == HASTEN_PY_STRIP_SPACE ? strip_space(text) : text;
}

/* How many characters at the end of a str end its line. */
static Py_ssize_t newline_length(const struct hasten_py_line_form *form, PyObject *line) {
    const Py_ssize_t length = PyUnicode_GET_LENGTH(line);
    uint8_t tail[2];
    size_t size = 0;
    for (Py_ssize_t i = length < 2 ? 0 : length - 2; i < length; i++) {
        const Py_UCS4 character = PyUnicode_READ_CHAR(line, i);
        tail[size++] = character < 0x80 ? (uint8_t)character : 0;
    }
    return (Py_ssize_t)hasten_newline_size(form->is_translated ? HASTEN_NEWLINE_LF : form->newline,
                                           tail, size);
}

PyObject *hasten_py_line_strip(const struct hasten_py_line_form *form, PyObject *line) {
    if (form->strip == HASTEN_PY_STRIP_NOTHING) {
        return line;
    }
    if (form->strip == HASTEN_PY_STRIP_SPACE) {
        return strip_space(line);
    }
    PyObject *stripped = NULL;
    if (PyBytes_Check(line)) {
        const Py_ssize_t size = PyBytes_GET_SIZE(line);
        const uint8_t *bytes = (const uint8_t *)PyBytes_AS_STRING(line);
        stripped = PyBytes_FromStringAndSize(
            (const char *)bytes,
            size - (Py_ssize_t)hasten_newline_size(form->newline, bytes, (size_t)size));
    } else {
        stripped =
            PyUnicode_Substring(line, 0, PyUnicode_GET_LENGTH(line) - newline_length(form, line));
    }
    Py_DECREF(line);
    return stripped;
}
