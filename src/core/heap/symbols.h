/* SPDX-License-Identifier: MIT
 *
 * Names of functions in libraries and executables, by where in the file they are.
 * Asked when a recording is put together, never while a program runs. */
#ifndef HASTEN_HEAP_SYMBOLS_H
#define HASTEN_HEAP_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/allocator.h"
#include "hasten/status.h"

struct hasten_symbols;

/* Opens the file at `path`. Errors: NOT_FOUND, IO, UNSUPPORTED (it is no ELF file),
 * NO_MEMORY. */
HASTEN_CHECKED hasten_status hasten_symbols_open(const char *path,
                                                 const struct hasten_allocator *allocator,
                                                 struct hasten_symbols **ret_symbols);
void hasten_symbols_free(struct hasten_symbols *symbols);
/* The function that has the byte at `file_offset`, NULL where the file does not name one.
 * Lives as long as `symbols`. */
const char *hasten_symbols_find(const struct hasten_symbols *symbols, uint64_t file_offset);

#endif
