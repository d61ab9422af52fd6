/* SPDX-License-Identifier: MIT
 *
 * Which stripe a block is in, its lock, and the numbers of them all. */
#include "core/heap/stripes.h"

/* 64 shards together, as many as in a table without stripes. */
#define SHARD_BITS (HASTEN_BLOCK_MOST_SHARD_BITS - HASTEN_STRIPE_BITS)

static struct hasten_stripe *stripe_of(struct hasten_stripes *stripes, uint64_t address) {
    return &stripes
                ->items[(address >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - HASTEN_STRIPE_BITS)];
}

void hasten_stripes_init(struct hasten_stripes *stripes, const size_t *other_bytes,
                         const struct hasten_allocator *allocator) {
    stripes->is_open = false;
    stripes->size_bytes = 0;
    stripes->peak_bytes = 0;
    stripes->lost = 0;
    stripes->other_bytes = other_bytes;
    for (size_t i = 0; i < HASTEN_STRIPES; i++) {
        pthread_mutex_init(&stripes->items[i].lock, NULL);
        hasten_blocks_init(&stripes->items[i].blocks, SHARD_BITS, allocator);
    }
}

size_t hasten_stripes_all_bytes(const struct hasten_stripes *stripes) {
    const size_t others =
        stripes->other_bytes == NULL ? 0 : __atomic_load_n(stripes->other_bytes, __ATOMIC_RELAXED);
    return __atomic_load_n(&stripes->size_bytes, __ATOMIC_RELAXED) + others;
}

size_t hasten_stripes_peak(const struct hasten_stripes *stripes) {
    return __atomic_load_n(&stripes->peak_bytes, __ATOMIC_RELAXED);
}

void hasten_stripes_reset_peak(struct hasten_stripes *stripes) {
    __atomic_store_n(&stripes->peak_bytes, hasten_stripes_all_bytes(stripes), __ATOMIC_RELAXED);
}

static void grow_by(struct hasten_stripes *stripes, size_t bytes) {
    (void)__atomic_fetch_add(&stripes->size_bytes, bytes, __ATOMIC_RELAXED);
    const size_t all = hasten_stripes_all_bytes(stripes);
    size_t peak = hasten_stripes_peak(stripes);
    while (all > peak && !__atomic_compare_exchange_n(&stripes->peak_bytes, &peak, all, true,
                                                      __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

static void shrink_by(struct hasten_stripes *stripes, size_t bytes) {
    (void)__atomic_fetch_sub(&stripes->size_bytes, bytes, __ATOMIC_RELAXED);
}

void hasten_stripes_clear(struct hasten_stripes *stripes) {
    for (size_t i = 0; i < HASTEN_STRIPES; i++) {
        struct hasten_stripe *stripe = &stripes->items[i];
        size_t bytes = 0;
        struct hasten_block block;
        pthread_mutex_lock(&stripe->lock);
        for (struct hasten_blocks_cursor cursor = {0};
             hasten_blocks_next(&stripe->blocks, &cursor, &block);) {
            bytes += (size_t)block.size_bytes;
        }
        hasten_blocks_done(&stripe->blocks);
        shrink_by(stripes, bytes);
        pthread_mutex_unlock(&stripe->lock);
    }
    __atomic_store_n(&stripes->lost, 0, __ATOMIC_RELAXED);
    hasten_stripes_reset_peak(stripes);
}

void hasten_stripes_open(struct hasten_stripes *stripes) {
    __atomic_store_n(&stripes->is_open, true, __ATOMIC_RELEASE);
}

void hasten_stripes_close(struct hasten_stripes *stripes) {
    __atomic_store_n(&stripes->is_open, false, __ATOMIC_RELEASE);
    /* Whoever saw it open has a lock. */
    for (size_t i = 0; i < HASTEN_STRIPES; i++) {
        pthread_mutex_lock(&stripes->items[i].lock);
        pthread_mutex_unlock(&stripes->items[i].lock);
    }
}

bool hasten_stripes_put(struct hasten_stripes *stripes, const struct hasten_block *block) {
    struct hasten_stripe *stripe = stripe_of(stripes, block->address);
    struct hasten_block old = {0};
    pthread_mutex_lock(&stripe->lock);
    const bool is_open = __atomic_load_n(&stripes->is_open, __ATOMIC_ACQUIRE);
    const bool is_there = is_open && hasten_blocks_put(&stripe->blocks, block, &old) == 0;
    /* With the lock: what another thread forgets was counted before. */
    if (old.path != 0) {
        shrink_by(stripes, (size_t)old.size_bytes);
    }
    if (is_there) {
        grow_by(stripes, (size_t)block->size_bytes);
    } else if (is_open) {
        (void)__atomic_fetch_add(&stripes->lost, 1, __ATOMIC_RELAXED);
    }
    pthread_mutex_unlock(&stripe->lock);
    return is_there;
}

bool hasten_stripes_find(struct hasten_stripes *stripes, uint32_t domain, uint64_t address,
                         struct hasten_block *ret_block) {
    struct hasten_stripe *stripe = stripe_of(stripes, address);
    pthread_mutex_lock(&stripe->lock);
    const bool is_there = hasten_blocks_find(&stripe->blocks, domain, address, ret_block);
    pthread_mutex_unlock(&stripe->lock);
    return is_there;
}

bool hasten_stripes_forget(struct hasten_stripes *stripes, uint32_t domain, uint64_t address,
                           struct hasten_block *ret_block) {
    struct hasten_stripe *stripe = stripe_of(stripes, address);
    struct hasten_block block;
    pthread_mutex_lock(&stripe->lock);
    const bool was_there = hasten_blocks_remove(&stripe->blocks, domain, address, &block);
    if (was_there) {
        shrink_by(stripes, (size_t)block.size_bytes);
    }
    pthread_mutex_unlock(&stripe->lock);
    if (was_there && ret_block != NULL) {
        *ret_block = block;
    }
    return was_there;
}

void hasten_stripes_lock_all(struct hasten_stripes *stripes) {
    for (size_t i = 0; i < HASTEN_STRIPES; i++) {
        pthread_mutex_lock(&stripes->items[i].lock);
    }
}

void hasten_stripes_unlock_all(struct hasten_stripes *stripes) {
    for (size_t i = HASTEN_STRIPES; i > 0; i--) {
        pthread_mutex_unlock(&stripes->items[i - 1].lock);
    }
}

size_t hasten_stripes_own_bytes(struct hasten_stripes *stripes) {
    size_t bytes = 0;
    for (size_t i = 0; i < HASTEN_STRIPES; i++) {
        pthread_mutex_lock(&stripes->items[i].lock);
        bytes += hasten_blocks_bytes(&stripes->items[i].blocks);
        pthread_mutex_unlock(&stripes->items[i].lock);
    }
    return bytes;
}
