/* SPDX-License-Identifier: MIT
 *
 * What a snapshot holds: blocks by path, domain and size, where equal ones are one
 * row, and paths whose places are lines of files. Filled once, then read-only: any
 * number of threads may read it. */
#ifndef HASTEN_HEAP_TRACES_H
#define HASTEN_HEAP_TRACES_H

#include "core/base/buffer.h"
#include "core/base/map.h"
#include "core/heap/paths.h"
#include "hasten/status.h"

struct hasten_traces_row {
    uint32_t path;
    uint32_t domain;
    uint64_t size_bytes; /* of each block */
    uint64_t count;      /* blocks */
    uint64_t end;        /* blocks in this row and all before it */
};

struct hasten_traces_file {
    size_t offset; /* of the name in `names` */
    size_t size;
};

struct hasten_traces {
    const struct hasten_allocator *allocator;
    struct hasten_buffer names; /* UTF-8, but surrogates are coded as if they were characters */
    struct hasten_traces_file *files;
    size_t file_count;
    size_t file_capacity;
    struct hasten_map file_map;
    struct hasten_paths paths;
    struct hasten_traces_row *rows;
    size_t row_count;
    size_t row_capacity;
};

void hasten_traces_init(struct hasten_traces *traces, const struct hasten_allocator *allocator);
void hasten_traces_done(struct hasten_traces *traces);

HASTEN_CHECKED hasten_status hasten_traces_add_file(struct hasten_traces *traces, const char *name,
                                                    size_t size, uint32_t *ret_file);
HASTEN_CHECKED hasten_status hasten_traces_add_step(struct hasten_traces *traces, uint32_t parent,
                                                    uint32_t file, uint32_t line,
                                                    uint32_t *ret_path);
HASTEN_CHECKED hasten_status hasten_traces_add_row(struct hasten_traces *traces, uint32_t path,
                                                   uint32_t domain, uint64_t size_bytes,
                                                   uint64_t count);
static inline uint64_t hasten_traces_place(uint32_t file, uint32_t line) {
    return ((uint64_t)file << 32) | line;
}

static inline uint32_t hasten_traces_place_file(uint64_t place) {
    return (uint32_t)(place >> 32);
}

static inline uint32_t hasten_traces_place_line(uint64_t place) {
    return (uint32_t)place;
}

/* Blocks in all. */
static inline uint64_t hasten_traces_count(const struct hasten_traces *traces) {
    return traces->row_count == 0 ? 0 : traces->rows[traces->row_count - 1].end;
}

/* The row of the block with this number, counted from 0 and less than the count. */
size_t hasten_traces_row_of(const struct hasten_traces *traces, uint64_t number);
/* Not terminated. */
const char *hasten_traces_name(const struct hasten_traces *traces, uint32_t file, size_t *ret_size);
/* Steps in a path, and frames that it leaves out. */
uint32_t hasten_traces_depth(const struct hasten_traces *traces, uint32_t path,
                             uint32_t *ret_left_out);

/* One condition on traces. */
struct hasten_traces_filter {
    bool is_inclusive;
    bool has_domain;
    bool has_files; /* whether files and lines are looked at at all */
    bool has_line;
    bool all_frames; /* any frame may match, not just the newest */
    uint32_t domain;
    uint64_t line;
    const unsigned char *files; /* one a file: whether its name matches */
};

/* Copies the rows that any of the inclusive filters (if there are any) and all of
 * the exclusive ones let pass. */
HASTEN_CHECKED hasten_status hasten_traces_select(const struct hasten_traces *traces,
                                                  const struct hasten_traces_filter *filters,
                                                  size_t filter_count,
                                                  struct hasten_traces *selected);

#endif
