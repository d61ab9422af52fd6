/* SPDX-License-Identifier: MIT
 *
 * What the types of hasten._stream share: the module's state, and how a failure of the core
 * becomes an exception. */
#ifndef HASTEN_EXT_STREAM_MODULE_H
#define HASTEN_EXT_STREAM_MODULE_H

#include "ext/common/pycompat.h"

#include "hasten/status.h"

/* Bytes of a block: several must fit in a size. */
#define HASTEN_PY_BLOCK_MAX (PY_SSIZE_T_MAX / 16)

struct hasten_py_stream_state {
    PyTypeObject *stage;
    PyTypeObject *reader;
    PyTypeObject *lines;
    PyObject *data_error;
    PyObject *truncated_error;
    PyObject *line_too_long;
};

/* The state of the module that the type, or one of its bases, is of. */
struct hasten_py_stream_state *hasten_py_stream_of(PyTypeObject *type);

/* Sets the exception for a failure to read `path` (any object), and answers NULL.
 * `error_number`: of the system, where it is one of the system's, else 0. */
PyObject *hasten_py_stream_raise(const struct hasten_py_stream_state *state, hasten_status status,
                                 const struct hasten_error *error, int error_number,
                                 PyObject *path);

extern PyType_Spec hasten_py_stage_spec;
extern PyType_Spec hasten_py_reader_spec;
extern PyType_Spec hasten_py_lines_spec;

#endif
