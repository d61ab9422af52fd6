/* SPDX-License-Identifier: MIT
 *
 * A hash map from a 128-bit key to 32 bits: open addressing, linear probing,
 * power-of-two capacity, at most 3/4 full. Keys narrower than 128 bits leave
 * `high` zero. */
#ifndef HASTEN_BASE_MAP_H
#define HASTEN_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/allocator.h"

struct hasten_map_key {
    uint64_t low;
    uint64_t high;
};

struct hasten_map_slot {
    struct hasten_map_key key;
    uint32_t value;
    uint32_t used;
};

struct hasten_map {
    const struct hasten_allocator *allocator;
    struct hasten_map_slot *slots;
    size_t capacity;
    size_t count;
};

void hasten_map_init(struct hasten_map *map, const struct hasten_allocator *allocator);
void hasten_map_done(struct hasten_map *map);
void hasten_map_clear(struct hasten_map *map);
/* The value's place, or NULL; valid until the next insertion or removal. */
uint32_t *hasten_map_find(const struct hasten_map *map, struct hasten_map_key key);
/* Finds or inserts with `value`; NULL only where memory ran out.
 * `ret_inserted` (may be NULL) tells which. */
uint32_t *hasten_map_insert(struct hasten_map *map, struct hasten_map_key key, uint32_t value,
                            bool *ret_inserted);
bool hasten_map_remove(struct hasten_map *map, struct hasten_map_key key);

#endif
