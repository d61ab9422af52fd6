/* SPDX-License-Identifier: MIT
 *
 * Where bytes come from: a descriptor, another source behind a decompressor or a thread,
 * or whatever has such a function. A source belongs to one thread at a time, and whoever
 * makes one ends it; those that stand on another borrow it. */
#ifndef HASTEN_STREAM_SOURCE_H
#define HASTEN_STREAM_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hasten/status.h"

struct hasten_source {
    void *context;
    /* At most `size` (not 0) bytes; 0 of them: the end. HASTEN_INTERRUPTED: nothing came
     * yet, or a signal did; to be asked again. After another failure it is not asked again. */
    HASTEN_CHECKED hasten_status (*read)(void *context, uint8_t *buffer, size_t size,
                                         size_t *ret_size, struct hasten_error *error);
};

/* An open descriptor, which stays its owner's. */
struct hasten_descriptor {
    int fd;
    bool is_file;        /* reading it never waits for anybody */
    int error_number;    /* of the read that failed, else 0 */
    uint64_t read_bytes; /* so far; relaxed atomic, for others look at it */
};

void hasten_descriptor_init(struct hasten_descriptor *descriptor, int fd);
struct hasten_source hasten_descriptor_source(struct hasten_descriptor *descriptor);

#endif
