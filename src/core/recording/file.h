/* SPDX-License-Identifier: MIT
 *
 * What recordings need of files: errors of the kernel in our words, reading at
 * a place, replacing a file for good. */
#ifndef HASTEN_RECORDING_FILE_H
#define HASTEN_RECORDING_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "hasten/status.h"

/* Paths in messages are cut to this many bytes: the reason must fit as well. */
#define HASTEN_PATH_SHOWN 240

/* NO_SPACE for a full disk, quota or size limit, NOT_FOUND for what is not
 * there, NO_MEMORY, else IO. */
hasten_status hasten_file_status(int error_number);
/* Fills `error`: cannot VERB "PATH": REASON. */
hasten_status hasten_file_error(struct hasten_error *error, int error_number, const char *verb,
                                const char *path);
/* Opens a regular file for reading and tells its size. */
HASTEN_CHECKED hasten_status hasten_file_open(const char *path, int *ret_descriptor,
                                              uint64_t *ret_size, struct hasten_error *error);
/* Reads up to `size` bytes at `position`; fewer only at the end of the file. -1
 * leaves errno. */
HASTEN_CHECKED int64_t hasten_file_read(int descriptor, void *into, size_t size, uint64_t position);
/* Writes all of it; -1 leaves errno. */
HASTEN_CHECKED int hasten_file_write(int descriptor, const void *data, size_t size);
/* Makes `from` durable and renames it over `to`, durably where the file system
 * lets a folder be synced; -1 leaves errno. */
HASTEN_CHECKED int hasten_file_replace(const char *from, const char *to);

#endif
