/* SPDX-License-Identifier: MIT
 *
 * The code objects that were seen on stacks, by what they are: one that is made again
 * and again is one. Their texts are copied when they are first seen, for they may be
 * gone when they are written. */
#ifndef HASTEN_PRELOAD_CODES_H
#define HASTEN_PRELOAD_CODES_H

#include "core/base/buffer.h"
#include "core/base/map.h"
#include "preload/python.h"
#include "preload/reader.h"

/* The code of a native function that asked for memory; its place is a return address. */
#define HASTEN_CODE_NATIVE (UINT32_MAX - 1)
#define HASTEN_CODES_SEEN 2048 /* a power of two */

struct hasten_code_seen {
    uint64_t address;
    uint64_t fingerprint;
    uint32_t code;
    uint32_t first_traceable;
};

struct hasten_code_text {
    size_t file, name, qualname, linetable; /* where in `texts` */
    size_t linetable_size;
    int32_t first_line;
};

struct hasten_code_table {
    const struct hasten_allocator *allocator;
    struct hasten_code_seen *seen; /* by address, the last one to come */
    struct hasten_map by_content;
    struct hasten_code_text *fresh; /* of those that were not written yet */
    size_t fresh_capacity;
    size_t count, written; /* codes below `written` have no text any more */
    struct hasten_buffer texts;
};

void hasten_code_table_init(struct hasten_code_table *table,
                            const struct hasten_allocator *allocator);
void hasten_code_table_done(struct hasten_code_table *table);
/* What the code object at `address` is, NULL where it is none or cannot be read. Valid
 * until the next call. */
const struct hasten_code_seen *hasten_code_table_find(struct hasten_code_table *table,
                                                      const struct hasten_python *python,
                                                      struct hasten_reader *reader,
                                                      uint64_t address);
/* All were written: their texts go. */
void hasten_code_table_forget(struct hasten_code_table *table);

#endif
