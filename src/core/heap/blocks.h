/* SPDX-License-Identifier: MIT
 *
 * Live blocks by domain and address, with size and path: those that are not small.
 * Open addressing in shards that grow one at a time, by a quarter, so that little is
 * left empty and no insertion moves more than a small part of the table. A slot has
 * 16 bytes: allocators align to 16 bytes, addresses have 48 bits, and few domains are
 * used. What does not fit (made-up addresses, a 17th domain) is kept elsewhere, in full.
 * Not thread-safe. */
#ifndef HASTEN_HEAP_BLOCKS_H
#define HASTEN_HEAP_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/map.h"

struct hasten_block {
    uint64_t address;
    uint64_t size_bytes;
    uint32_t path; /* never 0 */
    uint32_t domain;
};

#define HASTEN_BLOCK_MOST_SHARD_BITS 6
#define HASTEN_BLOCK_DOMAINS 16

struct hasten_block_slot {
    uint64_t key_and_size; /* address / 16, 44 bits; domain, 4 bits; size's bits 32 to 47 */
    uint32_t size_low;
    uint32_t path; /* 0: free */
};

struct hasten_block_shard {
    struct hasten_block_slot *slots;
    size_t capacity;
    size_t count;
};

struct hasten_blocks {
    const struct hasten_allocator *allocator;
    size_t count;
    unsigned shard_bits; /* so many shards, to the power of two, are used */
    unsigned domain_count;
    uint32_t domains[HASTEN_BLOCK_DOMAINS]; /* by their number in slots; the first is 0 */
    struct hasten_block_shard shards[1 << HASTEN_BLOCK_MOST_SHARD_BITS];
    /* What fits into no slot. */
    struct hasten_map odd_map; /* address and domain -> index */
    struct hasten_block *odd;
    size_t odd_count;
    size_t odd_capacity;
};

struct hasten_blocks_cursor {
    size_t shard;
    size_t index;
};

void hasten_blocks_init(struct hasten_blocks *blocks, unsigned shard_bits,
                        const struct hasten_allocator *allocator);
void hasten_blocks_done(struct hasten_blocks *blocks);
/* False where there is none. */
bool hasten_blocks_find(const struct hasten_blocks *blocks, uint32_t domain, uint64_t address,
                        struct hasten_block *ret_block);
/* Remembers a block in place of what was at its address, which goes to `ret_old` (its path
 * is 0: there was nothing). -1: there was no memory to remember it. */
int hasten_blocks_put(struct hasten_blocks *blocks, const struct hasten_block *block,
                      struct hasten_block *ret_old);
/* False where there was none. */
bool hasten_blocks_remove(struct hasten_blocks *blocks, uint32_t domain, uint64_t address,
                          struct hasten_block *ret_block);
/* All blocks one after the other, from a cursor that is zero. False: that was all. */
bool hasten_blocks_next(const struct hasten_blocks *blocks, struct hasten_blocks_cursor *cursor,
                        struct hasten_block *ret_block);
size_t hasten_blocks_bytes(const struct hasten_blocks *blocks);

#endif
