/* SPDX-License-Identifier: MIT
 *
 * Snapshots: the type hasten._tracemalloc.Table, and how what is traced gets into
 * one. A table never changes. */
#ifndef HASTEN_EXT_TRACEMALLOC_TABLE_H
#define HASTEN_EXT_TRACEMALLOC_TABLE_H

#include "ext/common/pycompat.h"

#include "core/heap/traces.h"

struct hasten_table {
    PyObject_HEAD struct hasten_traces traces;
};

extern PyType_Spec hasten_table_spec;

/* What is alive now. */
HASTEN_CHECKED hasten_status hasten_table_take(struct hasten_traces *traces);
/* The path of one block; 0: it is not traced. */
HASTEN_CHECKED hasten_status hasten_table_take_block(struct hasten_traces *traces, uint32_t domain,
                                                     uint64_t address, uint32_t *ret_path);

/* Objects made of a snapshot; NULL with an exception set. */
PyObject *hasten_py_table_new(PyTypeObject *type);
/* Frames as (file, line), the newest first. */
PyObject *hasten_py_table_frames(const struct hasten_traces *traces, uint32_t path);
/* Traces as (domain, size, frames, total frames) of the blocks `first` to `end` - 1. */
PyObject *hasten_py_table_traces(const struct hasten_traces *traces, uint64_t first, uint64_t end);
/* The frames of a block's path, or None. */
PyObject *hasten_py_block_traceback(unsigned int domain, uintptr_t address);

#endif
