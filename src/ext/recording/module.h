/* SPDX-License-Identifier: MIT
 *
 * What the files of hasten._recording share: the module's state and the makers
 * of its objects. Every function that returns an object returns a new reference,
 * or NULL with an exception set. */
#ifndef HASTEN_EXT_RECORDING_MODULE_H
#define HASTEN_EXT_RECORDING_MODULE_H

#include "ext/common/pycompat.h"

#include "core/report/aggregate.h"
#include "hasten/profile.h"

/* X(field): every object the module keeps. Init, visit and clear are made from it. */
#define HASTEN_PY_STATE_MAP(X) \
    X(recording_error)         \
    X(recording_type)          \
    X(samples_type)            \
    X(process_row)             \
    X(thread_row)              \
    X(function_row)            \
    X(call_row)                \
    X(line_row)                \
    X(frame_row)               \
    X(sample_row)

struct hasten_py_state {
#define HASTEN_PY_STATE_FIELD(field) PyObject *field;
    HASTEN_PY_STATE_MAP(HASTEN_PY_STATE_FIELD)
#undef HASTEN_PY_STATE_FIELD
};

extern PyType_Spec hasten_py_recording_spec;
extern PyType_Spec hasten_py_samples_spec;

/* Adds the row types to the module and its state. */
int hasten_py_rows_add_types(PyObject *module, struct hasten_py_state *state);

/* Tables of a profile: a dict of the facts, tuples of rows. */
PyObject *hasten_py_facts(const struct hasten_profile *profile);
PyObject *hasten_py_processes(const struct hasten_py_state *state,
                              const struct hasten_profile *profile);
PyObject *hasten_py_threads(const struct hasten_py_state *state,
                            const struct hasten_profile *profile);
/* By self time, largest first, as the report counts them. */
PyObject *hasten_py_functions(const struct hasten_py_state *state,
                              const struct hasten_aggregate *aggregate);
PyObject *hasten_py_lines(const struct hasten_py_state *state,
                          const struct hasten_aggregate *aggregate);
/* Who called whom, by the time of the callee, largest first. `functions` is what
 * hasten_py_functions made of the profile. */
PyObject *hasten_py_calls(const struct hasten_py_state *state, const struct hasten_profile *profile,
                          PyObject *functions);
/* The frames of a node, outermost first. */
PyObject *hasten_py_stack(const struct hasten_py_state *state, const struct hasten_profile *profile,
                          uint32_t node);

/* hasten.open(path) and an iterator over the samples of the file at `path`,
 * which is the bytes that open() was given. */
PyObject *hasten_py_recording_open(struct hasten_py_state *state, PyObject *path);
PyObject *hasten_py_samples_new(struct hasten_py_state *state, PyObject *path);

#endif
