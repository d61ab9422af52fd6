/* SPDX-License-Identifier: MIT
 *
 * Linear probing, at most three quarters full; removal shifts the run back. A
 * capacity is any number, because shards grow by a quarter. */
#include "core/heap/blocks.h"

#define FIRST_CAPACITY 16
#define ALIGNMENT_BITS 4
#define ADDRESS_BITS 48
#define DOMAIN_BITS 4
#define SIZE_BITS 48
#define SIZE_HIGH_BITS (SIZE_BITS - 32)

_Static_assert(1 << DOMAIN_BITS == HASTEN_BLOCK_DOMAINS, "a domain's number fits");
_Static_assert(ADDRESS_BITS - ALIGNMENT_BITS + DOMAIN_BITS + SIZE_HIGH_BITS == 64,
               "a key and the high bits of a size are a word");
_Static_assert(sizeof(struct hasten_block_slot) == 16, "slots are small");

/* The number of a domain in slots; HASTEN_BLOCK_DOMAINS: it has none. */
static unsigned domain_number(const struct hasten_blocks *blocks, uint32_t domain) {
    unsigned number = 0;
    while (number < blocks->domain_count && blocks->domains[number] != domain) {
        number++;
    }
    return number < blocks->domain_count ? number : HASTEN_BLOCK_DOMAINS;
}

/* Whether a block of the domain at the address has a key, the word of a slot without the
 * size. */
static bool find_key(const struct hasten_blocks *blocks, uint32_t domain, uint64_t address,
                     uint64_t *ret_key) {
    unsigned number = domain_number(blocks, domain);
    if (number == HASTEN_BLOCK_DOMAINS || address >> ADDRESS_BITS != 0 ||
        (address & ((1u << ALIGNMENT_BITS) - 1)) != 0) {
        return false;
    }
    *ret_key = (address >> ALIGNMENT_BITS << DOMAIN_BITS) | number;
    return true;
}

static uint64_t key_of(const struct hasten_block_slot *slot) {
    return slot->key_and_size >> SIZE_HIGH_BITS;
}

static struct hasten_block block_of(const struct hasten_blocks *blocks,
                                    const struct hasten_block_slot *slot) {
    const uint64_t key = key_of(slot);
    const uint64_t size_high = slot->key_and_size & ((1u << SIZE_HIGH_BITS) - 1);
    return (struct hasten_block){
        .address = key >> DOMAIN_BITS << ALIGNMENT_BITS,
        .size_bytes = size_high << 32 | slot->size_low,
        .path = slot->path,
        .domain = blocks->domains[key & (HASTEN_BLOCK_DOMAINS - 1)],
    };
}

static uint64_t hash_of(uint64_t key) {
    uint64_t hash = key * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 32;
    return hash * 0xd6e8feb86659fd93u;
}

static size_t shard_of(const struct hasten_blocks *blocks, uint64_t hash) {
    return (size_t)(hash & ((1u << blocks->shard_bits) - 1));
}

/* Where the block's run begins: the hash's high half spread over the capacity. */
static size_t home_of(const struct hasten_block_shard *shard, uint64_t hash) {
    return (size_t)(((hash >> 32) * shard->capacity) >> 32);
}

static struct hasten_block_slot *probe(const struct hasten_block_shard *shard, uint64_t key,
                                       uint64_t hash) {
    size_t index = home_of(shard, hash);
    while (shard->slots[index].path != 0 && key_of(&shard->slots[index]) != key) {
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
        const struct hasten_block_slot *slot = &shard->slots[i];
        if (slot->path != 0) {
            const uint64_t key = key_of(slot);
            *probe(&grown, key, hash_of(key)) = *slot;
        }
    }
    hasten_release(blocks->allocator, shard->slots, shard->capacity * sizeof *shard->slots);
    *shard = grown;
    return 0;
}

void hasten_blocks_init(struct hasten_blocks *blocks, unsigned shard_bits,
                        const struct hasten_allocator *allocator) {
    *blocks =
        (struct hasten_blocks){.allocator = allocator, .shard_bits = shard_bits, .domain_count = 1};
    hasten_map_init(&blocks->odd_map, allocator);
}

void hasten_blocks_done(struct hasten_blocks *blocks) {
    for (size_t i = 0; i < (size_t)1 << blocks->shard_bits; i++) {
        hasten_release(blocks->allocator, blocks->shards[i].slots,
                       blocks->shards[i].capacity * sizeof(struct hasten_block_slot));
    }
    hasten_map_done(&blocks->odd_map);
    hasten_release(blocks->allocator, blocks->odd, blocks->odd_capacity * sizeof *blocks->odd);
    hasten_blocks_init(blocks, blocks->shard_bits, blocks->allocator);
}

/* The slot of a block; NULL where it has none. */
static struct hasten_block_slot *find_slot(const struct hasten_block_shard *shard, uint64_t key,
                                           uint64_t hash) {
    struct hasten_block_slot *slot = shard->count == 0 ? NULL : probe(shard, key, hash);
    return slot == NULL || slot->path == 0 ? NULL : slot;
}

static void free_slot(struct hasten_block_shard *shard, struct hasten_block_slot *slot) {
    const size_t capacity = shard->capacity;
    size_t hole = (size_t)(slot - shard->slots);
    size_t next = hole + 1 == capacity ? 0 : hole + 1;
    while (shard->slots[next].path != 0) {
        const struct hasten_block_slot *moved = &shard->slots[next];
        size_t home = home_of(shard, hash_of(key_of(moved)));
        size_t from_home = next >= home ? next - home : next + capacity - home;
        size_t from_hole = next >= hole ? next - hole : next + capacity - hole;
        /* It may move back only where the hole lies between its home and itself. */
        if (from_home >= from_hole) {
            shard->slots[hole] = *moved;
            hole = next;
        }
        next = next + 1 == capacity ? 0 : next + 1;
    }
    shard->slots[hole] = (struct hasten_block_slot){0};
    shard->count--;
}

static struct hasten_map_key odd_key(uint32_t domain, uint64_t address) {
    return (struct hasten_map_key){.low = address, .high = domain};
}

static bool odd_find(const struct hasten_blocks *blocks, uint32_t domain, uint64_t address,
                     struct hasten_block *ret_block) {
    const uint32_t *index =
        blocks->odd_count == 0 ? NULL : hasten_map_find(&blocks->odd_map, odd_key(domain, address));
    if (index != NULL) {
        *ret_block = blocks->odd[*index];
    }
    return index != NULL;
}

static int odd_put(struct hasten_blocks *blocks, const struct hasten_block *block) {
    if (blocks->odd_count >= UINT32_MAX ||
        hasten_grow(blocks->allocator, (void **)&blocks->odd, &blocks->odd_capacity,
                    blocks->odd_count + 1, sizeof *blocks->odd) != 0 ||
        hasten_map_insert(&blocks->odd_map, odd_key(block->domain, block->address),
                          (uint32_t)blocks->odd_count, NULL) == NULL) {
        return -1;
    }
    blocks->odd[blocks->odd_count++] = *block;
    return 0;
}

/* The last one takes its place. */
static void odd_remove(struct hasten_blocks *blocks, uint32_t domain, uint64_t address) {
    const struct hasten_map_key key = odd_key(domain, address);
    const uint32_t index = *hasten_map_find(&blocks->odd_map, key);
    const struct hasten_block *last = &blocks->odd[--blocks->odd_count];
    *hasten_map_find(&blocks->odd_map, odd_key(last->domain, last->address)) = index;
    blocks->odd[index] = *last;
    hasten_map_remove(&blocks->odd_map, key);
}

bool hasten_blocks_find(const struct hasten_blocks *blocks, uint32_t domain, uint64_t address,
                        struct hasten_block *ret_block) {
    uint64_t key = 0;
    if (find_key(blocks, domain, address, &key)) {
        const uint64_t hash = hash_of(key);
        const struct hasten_block_slot *slot =
            find_slot(&blocks->shards[shard_of(blocks, hash)], key, hash);
        if (slot != NULL) {
            *ret_block = block_of(blocks, slot);
            return true;
        }
    }
    return odd_find(blocks, domain, address, ret_block);
}

bool hasten_blocks_remove(struct hasten_blocks *blocks, uint32_t domain, uint64_t address,
                          struct hasten_block *ret_block) {
    uint64_t key = 0;
    if (find_key(blocks, domain, address, &key)) {
        const uint64_t hash = hash_of(key);
        struct hasten_block_shard *shard = &blocks->shards[shard_of(blocks, hash)];
        struct hasten_block_slot *slot = find_slot(shard, key, hash);
        if (slot != NULL) {
            *ret_block = block_of(blocks, slot);
            free_slot(shard, slot);
            blocks->count--;
            return true;
        }
    }
    if (!odd_find(blocks, domain, address, ret_block)) {
        return false;
    }
    odd_remove(blocks, domain, address);
    blocks->count--;
    return true;
}

static int slot_put(struct hasten_blocks *blocks, uint64_t key, const struct hasten_block *block) {
    const uint64_t hash = hash_of(key);
    struct hasten_block_shard *shard = &blocks->shards[shard_of(blocks, hash)];
    if ((shard->count + 1) * 4 > shard->capacity * 3 && grow(blocks, shard) != 0) {
        return -1;
    }
    *probe(shard, key, hash) = (struct hasten_block_slot){
        .key_and_size = key << SIZE_HIGH_BITS | block->size_bytes >> 32,
        .size_low = (uint32_t)block->size_bytes,
        .path = block->path,
    };
    shard->count++;
    return 0;
}

int hasten_blocks_put(struct hasten_blocks *blocks, const struct hasten_block *block,
                      struct hasten_block *ret_old) {
    *ret_old = (struct hasten_block){0};
    (void)hasten_blocks_remove(blocks, block->domain, block->address, ret_old);
    if (domain_number(blocks, block->domain) == HASTEN_BLOCK_DOMAINS &&
        blocks->domain_count < HASTEN_BLOCK_DOMAINS) {
        blocks->domains[blocks->domain_count++] = block->domain;
    }
    uint64_t key = 0;
    const bool has_slot = find_key(blocks, block->domain, block->address, &key) &&
                          block->size_bytes >> SIZE_BITS == 0;
    if ((has_slot ? slot_put(blocks, key, block) : odd_put(blocks, block)) != 0) {
        return -1;
    }
    blocks->count++;
    return 0;
}

bool hasten_blocks_next(const struct hasten_blocks *blocks, struct hasten_blocks_cursor *cursor,
                        struct hasten_block *ret_block) {
    const size_t shard_count = (size_t)1 << blocks->shard_bits;
    while (cursor->shard < shard_count) {
        const struct hasten_block_shard *shard = &blocks->shards[cursor->shard];
        while (cursor->index < shard->capacity) {
            const struct hasten_block_slot *slot = &shard->slots[cursor->index++];
            if (slot->path != 0) {
                *ret_block = block_of(blocks, slot);
                return true;
            }
        }
        cursor->shard++;
        cursor->index = 0;
    }
    if (cursor->index >= blocks->odd_count) {
        return false;
    }
    *ret_block = blocks->odd[cursor->index++];
    return true;
}

size_t hasten_blocks_bytes(const struct hasten_blocks *blocks) {
    size_t slots = 0;
    for (size_t i = 0; i < (size_t)1 << blocks->shard_bits; i++) {
        slots += blocks->shards[i].capacity;
    }
    return slots * sizeof(struct hasten_block_slot) +
           blocks->odd_map.capacity * sizeof(struct hasten_map_slot) +
           blocks->odd_capacity * sizeof *blocks->odd;
}
