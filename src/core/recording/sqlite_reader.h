/* SPDX-License-Identifier: MIT
 *
 * Reads the SQLite form. The file is untrusted: nothing of its schema runs, and
 * every row is checked. */
#ifndef HASTEN_RECORDING_SQLITE_READER_H
#define HASTEN_RECORDING_SQLITE_READER_H

#include <stdbool.h>

#include "core/profile/builder.h"
#include "hasten/recording.h"

struct sqlite3;

/* Bytes of SQLite's own header. */
#define HASTEN_SQLITE_HEADER_SIZE 100u

/* Whether the file's first bytes (as many as there are) are an SQLite file's. */
bool hasten_sqlite_is_magic(const uint8_t *bytes, size_t size);
/* Judges the header (`size` bytes of it were read): whose file it is, its
 * version, whether it is whole. */
HASTEN_CHECKED hasten_status hasten_sqlite_check_header(const uint8_t *header, size_t size,
                                                        uint64_t file_size, const char *path,
                                                        struct hasten_error *error);
/* Opens it and recognises its tables. */
HASTEN_CHECKED hasten_status hasten_sqlite_open(const char *path,
                                                const struct hasten_allocator *allocator,
                                                struct sqlite3 **ret_database,
                                                struct hasten_error *error);
void hasten_sqlite_close(struct sqlite3 *database);
/* Gives every row but the samples to the builder. */
HASTEN_CHECKED hasten_status hasten_sqlite_load(struct sqlite3 *database, const char *path,
                                                struct hasten_builder *builder,
                                                struct hasten_error *error);
/* See hasten_recording_samples. */
HASTEN_CHECKED hasten_status hasten_sqlite_samples(struct sqlite3 *database, const char *path,
                                                   const struct hasten_allocator *allocator,
                                                   int (*visit)(void *context,
                                                                const struct hasten_sample *sample),
                                                   void *context, struct hasten_error *error);

#endif
