/* SPDX-License-Identifier: MIT
 *
 * Names of files, each kept once: UTF-8, but surrogates are coded as if they were
 * characters. Not thread-safe. */
#ifndef HASTEN_EXT_TRACEMALLOC_NAMES_H
#define HASTEN_EXT_TRACEMALLOC_NAMES_H

#include "ext/common/pycompat.h"

#include "core/base/buffer.h"
#include "core/base/map.h"

struct hasten_tracer_name {
    char *text;
    size_t size;
};

struct hasten_tracer_names {
    struct hasten_tracer_name *items;
    size_t count;
    size_t capacity;
    struct hasten_map map; /* hash of the text -> index */
    struct hasten_buffer buffer;
};

void hasten_tracer_names_init(struct hasten_tracer_names *names);
void hasten_tracer_names_done(struct hasten_tracer_names *names);
/* The index of a name. -1: no memory. Calls nothing of CPython and needs no GIL. */
int hasten_tracer_names_add(struct hasten_tracer_names *names, PyObject *name, uint32_t *ret_index);
size_t hasten_tracer_names_bytes(const struct hasten_tracer_names *names);

#endif
