/* SPDX-License-Identifier: MIT
 *
 * The sampled blocks that are alive, by address. Nearly every block that is freed was
 * never sampled, and must learn so at once: a filter of one byte for each of many
 * addresses, neighbours beside each other so that it stays in the cache with what the
 * program works on, is asked before the table is.
 *
 * The filter may be asked by anybody at any time; everything else is its owner's to
 * lock. Whoever frees a block was told of it by whoever allocated it, and therefore sees
 * the filter as it was then. */
#ifndef HASTEN_HEAP_SAMPLES_H
#define HASTEN_HEAP_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/allocator.h"

#define HASTEN_SAMPLES_FILTER_SIZE (1u << 18)
/* Blocks that are kept at most: 2 GB. */
#define HASTEN_SAMPLES_MAX (1u << 26)

struct hasten_heap_sample {
    uint64_t address; /* 0: none */
    uint64_t size;    /* bytes, as asked for */
    uint64_t volume;  /* bytes that its thread had allocated then, this block included */
    uint32_t site;
    uint32_t thread;
};

struct hasten_samples {
    const struct hasten_allocator *allocator;
    uint8_t *filter; /* HASTEN_SAMPLES_FILTER_SIZE bytes, counts that stick at 255 */
    struct hasten_heap_sample *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

/* `filter` is zeroed and the caller's. */
void hasten_samples_init(struct hasten_samples *samples, uint8_t *filter,
                         const struct hasten_allocator *allocator);
/* The filter forgets what was in the table. */
void hasten_samples_done(struct hasten_samples *samples);
/* Enters a block whose address is not in the table. False: no memory, or too many. */
bool hasten_samples_put(struct hasten_samples *samples, const struct hasten_heap_sample *sample);
/* Takes the block out; false: it is not in the table. */
bool hasten_samples_take(struct hasten_samples *samples, uint64_t address,
                         struct hasten_heap_sample *ret_sample);

static inline size_t hasten_samples_filter_index(uint64_t address) {
    return (address >> 4 ^ address >> 21) & (HASTEN_SAMPLES_FILTER_SIZE - 1);
}

/* False: the block was not sampled. */
static inline bool hasten_samples_may_hold(const uint8_t *filter, uint64_t address) {
    return __atomic_load_n(&filter[hasten_samples_filter_index(address)], __ATOMIC_RELAXED) != 0;
}

#endif
