/* SPDX-License-Identifier: MIT
 *
 * The modules that a process loaded, as a tree: who was loaded while whom was, what that took,
 * and which of them it never needed. Read from what the process wrote
 * (docs/formats/imports.md).
 *
 * Loads own all they point to, until hasten_loads_free. */
#ifndef HASTEN_IMPORTS_LOADS_H
#define HASTEN_IMPORTS_LOADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/allocator.h"
#include "core/base/buffer.h"
#include "hasten/status.h"

#define HASTEN_LOADS_VERSION 1
/* More modules are not a program's. */
#define HASTEN_LOADS_MOST 1000000
#define HASTEN_LOADS_NONE SIZE_MAX

struct hasten_load {
    size_t name, importer; /* offsets into `texts`; the importer's may be "" */
    size_t parent;         /* smaller than its own number; NONE */
    int64_t start_ns;      /* since recording began */
    int64_t total_ns, self_ns;
    int64_t total_bytes, self_bytes; /* by which resident memory grew; may have shrunk */
    int64_t unneeded_ns;             /* own time of it and those below that were not needed */
    int64_t saved_ns;                /* of one that was not needed: its own time, and that of those
                                      * it loaded without need, and so on */
    size_t below;                    /* how many loads are below it, and */
    size_t unneeded_below;           /* of those, how many were not needed */
    bool is_needed, has_failed;
};

struct hasten_loads {
    const struct hasten_allocator *allocator;
    struct hasten_buffer texts; /* each ends with a NUL */
    struct hasten_load *loads;  /* in the order in which they began */
    size_t count, capacity;
    size_t version;      /* of Python: an offset */
    int64_t duration_ns; /* from when recording began to the process's end */
    bool knows_use;      /* else all count as needed */
    /* Sums. */
    int64_t total_ns, total_bytes;
    int64_t unneeded_ns, unneeded_bytes;
    size_t unneeded_count;
};

/* CORRUPT and NEWER with the offset of the line; TRUNCATED where the end is missing. */
HASTEN_CHECKED hasten_status hasten_loads_parse(const char *text, size_t size,
                                                const struct hasten_allocator *allocator,
                                                struct hasten_loads **ret_loads,
                                                struct hasten_error *error);
void hasten_loads_free(struct hasten_loads *loads);

/* The numbers of what lies directly below `parent` (NONE: at the top), by total time, longest
 * first, into `numbers`, which has room for all loads; answers how many. */
size_t hasten_loads_below(const struct hasten_loads *loads, size_t parent, size_t *numbers);

static inline const char *hasten_loads_text(const struct hasten_loads *loads, size_t text) {
    return loads->texts.data + text;
}

#endif
