/* SPDX-License-Identifier: MIT
 *
 * Writes the SQLite form beside the log and puts it in the log's place. Chunks
 * of samples go in while the log is read, everything else at the end. */
#ifndef HASTEN_RECORDING_SQLITE_WRITER_H
#define HASTEN_RECORDING_SQLITE_WRITER_H

#include "core/recording/block.h"
#include "core/recording/samples.h"

struct sqlite3;
struct sqlite3_stmt;

struct hasten_sqlite_writer {
    const struct hasten_allocator *allocator;
    const char *path; /* borrowed: the recording */
    char *temporary;  /* the file that grows */
    size_t temporary_size;
    struct sqlite3 *database;
    struct sqlite3_stmt *insert_chunk;
    struct hasten_samples_codec codec;
    struct hasten_packer packer;
    struct hasten_buffer columns;
    struct hasten_buffer frame;
    struct hasten_sample *samples; /* of the chunk that fills */
    size_t sample_count;
    struct hasten_error *error; /* borrowed; may be NULL */
    hasten_status failure;
};

HASTEN_CHECKED hasten_status hasten_sqlite_writer_init(struct hasten_sqlite_writer *writer,
                                                       const char *path,
                                                       const struct hasten_allocator *allocator,
                                                       struct hasten_error *error);
/* A hasten_samples_sink: after a failure it answers nonzero, and the writer's
 * `failure` says which. */
int hasten_sqlite_writer_samples(void *writer, const struct hasten_sample *samples, size_t count);
/* Writes the profile, closes the file and renames it over the recording. */
HASTEN_CHECKED hasten_status hasten_sqlite_writer_finish(struct hasten_sqlite_writer *writer,
                                                         const struct hasten_profile *profile);
/* Deletes the temporary file unless it was finished. */
void hasten_sqlite_writer_done(struct hasten_sqlite_writer *writer);

#endif
