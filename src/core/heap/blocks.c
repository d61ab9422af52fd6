/* SPDX-License-Identifier: MIT
 *
 * Linear probing, at most three quarters full; removal shifts the run back. A
 * capacity is any number, because shards grow by a
 * quarter. */
#include "core/heap/blocks.h"

#define FIRST_CAPACITY 16
#define SHARD_BITS 6

_Static_assert(HASTEN_BLOCK_SHARDS == 1 << SHARD_BITS, "shards are picked by bits");

static uint64_t hash_of(uint32_t domain, uint64_t address) {
    uint64_t hash = (address ^ ((uint64_t)domain << 48)) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 32;
    return hash * 0xd6e8feb86659fd93u;
}

static size_t shard_of(uint64_t hash) {
    return (size_t)(hash & (HASTEN_BLOCK_SHARDS - 1));
}

/* Where the block's run begins: the hash's high half spread over the capacity. */
static size_t home_of(const struct hasten_block_shard *shard, uint64_t hash) {
    return (size_t)(((hash >> 32) * shard->capacity) >> 32);
}

static struct hasten_block *probe(const struct hasten_block_shard *shard, uint32_t domain,
                                  uint64_t address, uint64_t hash) {
    size_t index = home_of(shard, hash);
    while (shard->slots[index].path != 0 &&
           (shard->slots[index].address != address || shard->slots[index].domain != domain)) {
        index = index + 1 == shard->capacity ? 0 : index + 1;
    }
    return &shard->slots[index];
}

static int grow(struct hasten_blocks *blocks, struct hasten_block_shard *shard) {
    struct hasten_block_shard grown = *shard;
    grown.capacity = shard->capacity == 0 ? FIRST_CAPACITY : shard->capacity + shard->capacity / 4;
    if (grown.capacity >= UINT32_MAX) {
        return -1; /* the hash has no more bits */
    }
    grown.slots = hasten_allocate_zeroed(blocks->allocator, grown.capacity * sizeof *grown.slots);
    if (grown.slots == NULL) {
        return -1;
    }
    for (size_t i = 0; i < shard->capacity; i++) {
        const struct hasten_block *block = &shard->slots[i];
        if (block->path != 0) {
            uint64_t hash = hash_of(block->domain, block->address);
            *probe(&grown, block->domain, block->address, hash) = *block;
        }
    }
    hasten_release(blocks->allocator, shard->slots, shard->capacity * sizeof *shard->slots);
    *shard = grown;
    return 0;
}

void hasten_blocks_init(struct hasten_blocks *blocks, const struct hasten_allocator *allocator) {
    *blocks = (struct hasten_blocks){.allocator = allocator};
}

void hasten_blocks_done(struct hasten_blocks *blocks) {
    for (size_t i = 0; i < HASTEN_BLOCK_SHARDS; i++) {
        hasten_release(blocks->allocator, blocks->shards[i].slots,
                       blocks->shards[i].capacity * sizeof(struct hasten_block));
    }
    hasten_blocks_init(blocks, blocks->allocator);
}

struct hasten_block *hasten_blocks_find(const struct hasten_blocks *blocks, uint32_t domain,
                                        uint64_t address) {
    uint64_t hash = hash_of(domain, address);
    const struct hasten_block_shard *shard = &blocks->shards[shard_of(hash)];
    if (shard->count == 0) {
        return NULL;
    }
    struct hasten_block *block = probe(shard, domain, address, hash);
    return block->path == 0 ? NULL : block;
}

struct hasten_block *hasten_blocks_add(struct hasten_blocks *blocks, uint32_t domain,
                                       uint64_t address) {
    uint64_t hash = hash_of(domain, address);
    struct hasten_block_shard *shard = &blocks->shards[shard_of(hash)];
    if ((shard->count + 1) * 4 > shard->capacity * 3 && grow(blocks, shard) != 0) {
        return NULL;
    }
    shard->count++;
    blocks->count++;
    return probe(shard, domain, address, hash);
}

void hasten_blocks_remove(struct hasten_blocks *blocks, struct hasten_block *block) {
    struct hasten_block_shard *shard =
        &blocks->shards[shard_of(hash_of(block->domain, block->address))];
    const size_t capacity = shard->capacity;
    size_t hole = (size_t)(block - shard->slots);
    size_t next = hole + 1 == capacity ? 0 : hole + 1;
    while (shard->slots[next].path != 0) {
        const struct hasten_block *moved = &shard->slots[next];
        size_t home = home_of(shard, hash_of(moved->domain, moved->address));
        size_t from_home = next >= home ? next - home : next + capacity - home;
        size_t from_hole = next >= hole ? next - hole : next + capacity - hole;
        /* It may move back only where the hole lies between its home and itself. */
        if (from_home >= from_hole) {
            shard->slots[hole] = *moved;
            hole = next;
        }
        next = next + 1 == capacity ? 0 : next + 1;
    }
    shard->slots[hole] = (struct hasten_block){0};
    shard->count--;
    blocks->count--;
}

size_t hasten_blocks_bytes(const struct hasten_blocks *blocks) {
    size_t slots = 0;
    for (size_t i = 0; i < HASTEN_BLOCK_SHARDS; i++) {
        slots += blocks->shards[i].capacity;
    }
    return slots * sizeof(struct hasten_block);
}
