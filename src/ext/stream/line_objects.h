/* SPDX-License-Identifier: MIT
 *
 * A line's bytes as the object that iterating over open() would give. */
#ifndef HASTEN_EXT_STREAM_LINE_OBJECTS_H
#define HASTEN_EXT_STREAM_LINE_OBJECTS_H

#include "core/stream/kernels.h"
#include "core/stream/newlines.h"
#include "ext/stream/module.h"

enum hasten_py_text {
    HASTEN_PY_TEXT_BYTES,
    HASTEN_PY_TEXT_UTF8,
    HASTEN_PY_TEXT_ASCII,
    HASTEN_PY_TEXT_LATIN1
};

enum hasten_py_strip { HASTEN_PY_STRIP_NOTHING, HASTEN_PY_STRIP_NEWLINE, HASTEN_PY_STRIP_SPACE };

struct hasten_py_line_form {
    const struct hasten_kernels *kernels;
    enum hasten_py_text text;
    enum hasten_newline newline;
    enum hasten_py_strip strip;
    bool is_translated; /* ends of lines become "\n" */
    PyObject *errors;   /* how what cannot be decoded is treated: a str */
};

/* What is known of the region that a line is in. */
struct hasten_py_region {
    uint8_t *data; /* ours to write */
    bool has_high;
    bool has_return;
    bool is_valid; /* all of it can be decoded as it is */
};

/* New references, NULL with an exception set. The bytes may be changed in place. */
PyObject *hasten_py_line_make(const struct hasten_py_line_form *form,
                              const struct hasten_py_region *region, uint8_t *line, size_t size,
                              enum hasten_py_strip strip);
/* The same of an object that has nothing stripped yet; the reference is taken. */
PyObject *hasten_py_line_strip(const struct hasten_py_line_form *form, PyObject *line);

#endif
