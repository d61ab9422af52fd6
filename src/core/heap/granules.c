/* SPDX-License-Identifier: MIT
 *
 * Regions by address, behind a small cache that also knows what there is not. */
#include "core/heap/granules.h"

static size_t region_bytes(const struct hasten_granules *granules) {
    return ((size_t)1 << (HASTEN_REGION_BITS - granules->bits)) * sizeof(uint32_t);
}

static void empty_cache(struct hasten_granules *granules) {
    for (size_t i = 0; i < HASTEN_GRANULES_CACHE; i++) {
        granules->cache[i] = (struct hasten_granules_line){.region = UINT64_MAX};
    }
}

void hasten_granules_init(struct hasten_granules *granules, unsigned bits,
                          const struct hasten_allocator *allocator) {
    *granules = (struct hasten_granules){.allocator = allocator, .bits = bits};
    hasten_map_init(&granules->known, allocator);
    empty_cache(granules);
}

void hasten_granules_done(struct hasten_granules *granules) {
    for (size_t i = 0; i < granules->count; i++) {
        hasten_release(granules->allocator, granules->regions[i], region_bytes(granules));
    }
    hasten_release(granules->allocator, granules->regions, granules->capacity * sizeof(uint32_t *));
    hasten_map_done(&granules->known);
    hasten_granules_init(granules, granules->bits, granules->allocator);
}

void hasten_granules_look_up(struct hasten_granules *granules, uint64_t address) {
    uint64_t region = address >> HASTEN_REGION_BITS;
    const uint32_t *index =
        hasten_map_find(&granules->known, (struct hasten_map_key){.low = region});
    granules->cache[region % HASTEN_GRANULES_CACHE] = (struct hasten_granules_line){
        .region = region,
        .numbers = index == NULL ? NULL : granules->regions[*index],
    };
}

static int add_region(struct hasten_granules *granules, uint64_t region) {
    if (hasten_grow(granules->allocator, (void **)&granules->regions, &granules->capacity,
                    granules->count + 1, sizeof(uint32_t *)) != 0) {
        return -1;
    }
    uint32_t *numbers = hasten_allocate_zeroed(granules->allocator, region_bytes(granules));
    if (numbers == NULL ||
        hasten_map_insert(&granules->known, (struct hasten_map_key){.low = region},
                          (uint32_t)granules->count, NULL) == NULL) {
        hasten_release(granules->allocator, numbers, region_bytes(granules));
        return -1;
    }
    granules->regions[granules->count++] = numbers;
    return 0;
}

uint32_t *hasten_granules_make(struct hasten_granules *granules, uint64_t address) {
    uint32_t *found = hasten_granules_find(granules, address);
    if (found == NULL) {
        if (add_region(granules, address >> HASTEN_REGION_BITS) != 0) {
            return NULL;
        }
        hasten_granules_look_up(granules, address);
        found = hasten_granules_find(granules, address);
    }
    return found;
}

size_t hasten_granules_bytes(const struct hasten_granules *granules) {
    return granules->count * region_bytes(granules) + granules->capacity * sizeof(uint32_t *) +
           granules->known.capacity * sizeof(struct hasten_map_slot);
}
