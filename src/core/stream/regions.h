/* SPDX-License-Identifier: MIT
 *
 * A source as regions of whole lines. One buffer holds what was read; the beginning of a
 * line that is not over yet is carried along, so that a line is never in two regions. The
 * buffer grows where a line is longer, up to the limit on lines. */
#ifndef HASTEN_STREAM_REGIONS_H
#define HASTEN_STREAM_REGIONS_H

#include "core/base/allocator.h"
#include "core/stream/newlines.h"
#include "core/stream/source.h"

struct hasten_regions {
    const struct hasten_allocator *allocator;
    enum hasten_newline rule;
    size_t block_size;
    size_t limit; /* the most bytes of a line without its end; 0: any number */
    uint8_t *data;
    size_t capacity;
    size_t start;    /* of what was not delivered yet */
    size_t filled;   /* up to here there are data */
    uint64_t offset; /* of data[start] in what the source delivers */
    bool is_at_end;
    hasten_status pending; /* to be answered once what came before it is delivered */
    struct hasten_error pending_error;
};

HASTEN_CHECKED hasten_status hasten_regions_init(struct hasten_regions *regions,
                                                 enum hasten_newline rule, size_t block_size,
                                                 size_t limit,
                                                 const struct hasten_allocator *allocator);
void hasten_regions_done(struct hasten_regions *regions);
/* Begins a source: at its first line. */
void hasten_regions_restart(struct hasten_regions *regions);

/* The next region, which stands until the next call. Its size is 0 at the end. A failure
 * comes when all whole lines before it were delivered, and stays.
 * HASTEN_INTERRUPTED: to be asked again. */
HASTEN_CHECKED hasten_status hasten_regions_next(struct hasten_regions *regions,
                                                 struct hasten_source source,
                                                 const uint8_t **ret_data, size_t *ret_size,
                                                 struct hasten_error *error);

#endif
