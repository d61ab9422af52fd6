/* SPDX-License-Identifier: MIT
 *
 * Live blocks by domain and address, with size and path: those that are not small.
 * Open addressing in shards that grow one at a time, by a quarter, so that little is
 * left empty and no insertion moves more than a small part of the table. Not thread-safe. */
#ifndef HASTEN_HEAP_BLOCKS_H
#define HASTEN_HEAP_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/allocator.h"

struct hasten_block {
    uint64_t address;
    uint64_t size_bytes;
    uint32_t path; /* never 0 */
    uint32_t domain;
};

#define HASTEN_BLOCK_SHARDS 64

struct hasten_block_shard {
    struct hasten_block *slots; /* path 0: free */
    size_t capacity;
    size_t count;
};

struct hasten_blocks {
    const struct hasten_allocator *allocator;
    size_t count;
    struct hasten_block_shard shards[HASTEN_BLOCK_SHARDS];
};

void hasten_blocks_init(struct hasten_blocks *blocks, const struct hasten_allocator *allocator);
void hasten_blocks_done(struct hasten_blocks *blocks);
/* NULL where there is none; valid until the next change. */
struct hasten_block *hasten_blocks_find(const struct hasten_blocks *blocks, uint32_t domain,
                                        uint64_t address);
/* A free place for a block that is not there yet, to be filled at once; NULL only
 * where memory ran out. */
struct hasten_block *hasten_blocks_add(struct hasten_blocks *blocks, uint32_t domain,
                                       uint64_t address);
/* Forgets what hasten_blocks_find found. */
void hasten_blocks_remove(struct hasten_blocks *blocks, struct hasten_block *block);
size_t hasten_blocks_bytes(const struct hasten_blocks *blocks);

#endif
