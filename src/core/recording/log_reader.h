/* SPDX-License-Identifier: MIT
 *
 * Reads the blocks of a log one after the other, checked and unpacked. It knows
 * nothing of what is in them.
 *
 * A log that ends in the middle of a block, or in zeros (a disk that lost what
 * was not yet written), just ends there; anything else wrong is CORRUPT. */
#ifndef HASTEN_RECORDING_LOG_READER_H
#define HASTEN_RECORDING_LOG_READER_H

#include <stdbool.h>

#include "core/recording/block.h"

struct hasten_log_reader {
    const char *path; /* borrowed, for messages */
    int descriptor;   /* borrowed */
    uint64_t size;    /* of the file when opened: what comes later is not read */
    uint64_t position;
    uint32_t version;
    uint64_t interval_ns;
    uint64_t wall_start_ns;
    struct hasten_packer packer;
    struct hasten_buffer stored;
    struct hasten_buffer raw;
};

struct hasten_log_block {
    uint64_t position; /* of the block's header in the file */
    uint8_t type;
    const uint8_t *data; /* valid until the next call */
    size_t size;
};

/* Whether the file's first bytes (as many as there are, up to `size`) are a
 * log's. */
bool hasten_log_is_magic(const uint8_t *bytes, size_t size);

HASTEN_CHECKED hasten_status hasten_log_reader_init(struct hasten_log_reader *reader,
                                                    const char *path, int descriptor, uint64_t size,
                                                    const struct hasten_allocator *allocator,
                                                    struct hasten_error *error);
void hasten_log_reader_done(struct hasten_log_reader *reader);
/* `*ret_more` is false at the end of what can be read. */
HASTEN_CHECKED hasten_status hasten_log_reader_next(struct hasten_log_reader *reader,
                                                    struct hasten_log_block *ret_block,
                                                    bool *ret_more, struct hasten_error *error);
/* Fills `error`: "PATH" is damaged at byte N: COMPLAINT. */
hasten_status hasten_log_reader_damaged(const struct hasten_log_reader *reader, uint64_t position,
                                        const char *complaint, struct hasten_error *error);

#endif
