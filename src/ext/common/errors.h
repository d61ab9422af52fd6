/* SPDX-License-Identifier: MIT
 *
 * The one place where a status of the core becomes a Python exception. */
#ifndef HASTEN_EXT_ERRORS_H
#define HASTEN_EXT_ERRORS_H

#include "ext/common/pycompat.h"

#include "hasten/status.h"

/* Makes the type hasten.RecordingError: a ValueError with `code` and `position`. */
PyObject *hasten_py_recording_error_new(void);

/* Sets the exception for `status` (not HASTEN_OK) and returns NULL.
 * `recording_error` is the module's RecordingError; `path` (may be NULL) becomes
 * an OSError's `filename`. */
PyObject *hasten_py_raise(PyObject *recording_error, hasten_status status,
                          const struct hasten_error *error, PyObject *path);

/* The same for data in a format of Python's own: the exceptions that Python has
 * for it. Data that ends too soon is an EOFError, what it cannot mean a ValueError,
 * a missing object a TypeError. */
PyObject *hasten_py_raise_data(hasten_status status, const struct hasten_error *error);

#endif
