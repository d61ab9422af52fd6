/* SPDX-License-Identifier: MIT
 *
 * An iterator over another one, with what generators are composed of: map, filter, batch,
 * take. Lines is a subtype, which has no other one. */
#ifndef HASTEN_EXT_STREAM_STAGE_H
#define HASTEN_EXT_STREAM_STAGE_H

#include "ext/stream/module.h"

enum hasten_py_stage_kind {
    HASTEN_PY_STAGE_PLAIN,
    HASTEN_PY_STAGE_MAP,
    HASTEN_PY_STAGE_FILTER,
    HASTEN_PY_STAGE_BATCH,
    HASTEN_PY_STAGE_TAKE
};

struct hasten_py_stage {
    PyObject_HEAD PyObject *source; /* NULL: closed or over, or Lines */
    PyObject *function;             /* of map and filter */
    Py_ssize_t count;               /* of batch; of take: that are left */
    enum hasten_py_stage_kind kind;
};

/* For a subtype, whose own fields are gone already. */
int hasten_py_stage_traverse(PyObject *object, visitproc visit, void *arg);
int hasten_py_stage_clear(PyObject *object);

#endif
