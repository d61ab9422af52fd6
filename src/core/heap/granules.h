/* SPDX-License-Identifier: MIT
 *
 * A number for each stretch of addresses, its granule, in which a small block may begin:
 * 32 bits for so many bytes of heap, in regions that are made when a block in them is
 * remembered. Small blocks lie close together, so that this is smaller than a hash table
 * and needs no search: neighbours in the heap are neighbours here. Not thread-safe. */
#ifndef HASTEN_HEAP_GRANULES_H
#define HASTEN_HEAP_GRANULES_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/map.h"

#define HASTEN_REGION_BITS 20 /* 1 MiB, what CPython's allocator asks for at once */
#define HASTEN_GRANULES_CACHE 64

struct hasten_granules_line {
    uint64_t region;   /* UINT64_MAX: an empty line */
    uint32_t *numbers; /* NULL: there is no such region */
};

struct hasten_granules {
    const struct hasten_allocator *allocator;
    unsigned bits;           /* a granule has 2 to this power bytes */
    struct hasten_map known; /* region -> index */
    uint32_t **regions;
    size_t count;
    size_t capacity;
    struct hasten_granules_line cache[HASTEN_GRANULES_CACHE];
};

void hasten_granules_init(struct hasten_granules *granules, unsigned bits,
                          const struct hasten_allocator *allocator);
void hasten_granules_done(struct hasten_granules *granules);
/* Fills the cache's line of the address. */
void hasten_granules_look_up(struct hasten_granules *granules, uint64_t address);
/* The number at the address, its region made where there is none; NULL where
 * memory ran out. */
uint32_t *hasten_granules_make(struct hasten_granules *granules, uint64_t address);
size_t hasten_granules_bytes(const struct hasten_granules *granules);

/* The number at the address, 0 where nothing is remembered; NULL where there is
 * no region. */
static inline uint32_t *hasten_granules_find(struct hasten_granules *granules, uint64_t address) {
    uint64_t region = address >> HASTEN_REGION_BITS;
    struct hasten_granules_line *line = &granules->cache[region % HASTEN_GRANULES_CACHE];
    if (__builtin_expect(line->region != region, 0)) {
        hasten_granules_look_up(granules, address);
    }
    const uint64_t mask = (UINT64_C(1) << HASTEN_REGION_BITS) - 1;
    return line->numbers == NULL ? NULL : line->numbers + ((address & mask) >> granules->bits);
}

#endif
