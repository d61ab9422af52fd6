/* SPDX-License-Identifier: MIT
 *
 * Appends blocks to the log's file. The first failure is kept: later calls
 * answer it and touch nothing. It knows nothing of what blocks contain. */
#ifndef HASTEN_RECORDING_LOG_WRITER_H
#define HASTEN_RECORDING_LOG_WRITER_H

#include "core/recording/block.h"

struct hasten_log_writer {
    const struct hasten_allocator *allocator;
    int descriptor;
    char *path; /* for messages */
    size_t path_size;
    uint64_t size; /* bytes of whole blocks in the file */
    struct hasten_packer packer;
    struct hasten_buffer block;
    hasten_status failure;
    int error_number; /* errno of the failure, 0 where it was not the kernel's */
};

/* Creates the file and writes the header. Nobody else may be writing it. */
HASTEN_CHECKED hasten_status hasten_log_writer_open(struct hasten_log_writer *writer,
                                                    const char *path, uint64_t interval_ns,
                                                    const struct hasten_allocator *allocator,
                                                    struct hasten_error *error);
/* Packs the payload and writes the block with one call to the kernel. */
HASTEN_CHECKED hasten_status hasten_log_writer_block(struct hasten_log_writer *writer, uint8_t type,
                                                     const void *payload, size_t size);
/* Fails with IO where the file has been deleted meanwhile: nobody could read
 * what is still to come. */
HASTEN_CHECKED hasten_status hasten_log_writer_check(struct hasten_log_writer *writer);
/* Closes the file, and opens it again where it ended. */
void hasten_log_writer_pause(struct hasten_log_writer *writer);
HASTEN_CHECKED hasten_status hasten_log_writer_resume(struct hasten_log_writer *writer);
/* Remembers a failure that happened above, and answers the first one. */
hasten_status hasten_log_writer_fail(struct hasten_log_writer *writer, hasten_status status);
/* Says in `error` what the failure was. */
hasten_status hasten_log_writer_explain(const struct hasten_log_writer *writer,
                                        struct hasten_error *error);
void hasten_log_writer_done(struct hasten_log_writer *writer);

#endif
