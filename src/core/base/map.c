/* SPDX-License-Identifier: MIT
 *
 * Open addressing with linear probing; removal shifts the run back, so that
 * there are no tombstones and look-ups stay short. */
#include "core/base/map.h"

#include <string.h>

#define FIRST_CAPACITY 64 /* slots; a power of two */

/* The slot where the key's run starts. Multiply and fold: neighbouring small
 * integers (identifiers) must not make long runs. */
static size_t home_of(const struct hasten_map *map, struct hasten_map_key key) {
    uint64_t hash = (key.low ^ (key.high * 0xff51afd7ed558ccdu)) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 32;
    hash *= 0xd6e8feb86659fd93u;
    hash ^= hash >> 32;
    return (size_t)hash & (map->capacity - 1);
}

static bool same_key(struct hasten_map_key left, struct hasten_map_key right) {
    return left.low == right.low && left.high == right.high;
}

/* The key's slot or the free one where it would go. There always is a free one. */
static struct hasten_map_slot *probe(const struct hasten_map *map, struct hasten_map_key key) {
    size_t index = home_of(map, key);
    while (map->slots[index].used && !same_key(map->slots[index].key, key)) {
        index = (index + 1) & (map->capacity - 1);
    }
    return &map->slots[index];
}

static bool grow(struct hasten_map *map) {
    struct hasten_map grown = *map;
    if (map->capacity > SIZE_MAX / sizeof *map->slots / 2) {
        return false;
    }
    grown.capacity = map->capacity == 0 ? FIRST_CAPACITY : map->capacity * 2;
    grown.slots = hasten_allocate_zeroed(map->allocator, grown.capacity * sizeof *grown.slots);
    if (grown.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->slots[i].used) {
            *probe(&grown, map->slots[i].key) = map->slots[i];
        }
    }
    hasten_release(map->allocator, map->slots, map->capacity * sizeof *map->slots);
    *map = grown;
    return true;
}

void hasten_map_init(struct hasten_map *map, const struct hasten_allocator *allocator) {
    *map = (struct hasten_map){.allocator = allocator};
}

void hasten_map_done(struct hasten_map *map) {
    hasten_release(map->allocator, map->slots, map->capacity * sizeof *map->slots);
    hasten_map_init(map, map->allocator);
}

void hasten_map_clear(struct hasten_map *map) {
    if (map->slots != NULL) {
        memset(map->slots, 0, map->capacity * sizeof *map->slots);
    }
    map->count = 0;
}

uint32_t *hasten_map_find(const struct hasten_map *map, struct hasten_map_key key) {
    if (map->count == 0) {
        return NULL;
    }
    struct hasten_map_slot *slot = probe(map, key);
    return slot->used ? &slot->value : NULL;
}

uint32_t *hasten_map_insert(struct hasten_map *map, struct hasten_map_key key, uint32_t value,
                            bool *ret_inserted) {
    uint32_t *known = hasten_map_find(map, key);
    if (ret_inserted != NULL) {
        *ret_inserted = known == NULL;
    }
    if (known != NULL) {
        return known;
    }
    if (map->count + 1 > map->capacity / 4 * 3 && !grow(map)) {
        return NULL;
    }
    struct hasten_map_slot *slot = probe(map, key);
    *slot = (struct hasten_map_slot){.key = key, .value = value, .used = 1};
    map->count++;
    return &slot->value;
}

bool hasten_map_remove(struct hasten_map *map, struct hasten_map_key key) {
    struct hasten_map_slot *slot = map->count == 0 ? NULL : probe(map, key);
    if (slot == NULL || !slot->used) {
        return false;
    }
    size_t mask = map->capacity - 1;
    size_t hole = (size_t)(slot - map->slots);
    for (size_t next = (hole + 1) & mask; map->slots[next].used; next = (next + 1) & mask) {
        size_t home = home_of(map, map->slots[next].key);
        /* Move it back only where the hole lies between its home and itself. */
        if (((next - home) & mask) >= ((next - hole) & mask)) {
            map->slots[hole] = map->slots[next];
            hole = next;
        }
    }
    map->slots[hole].used = 0;
    map->count--;
    return true;
}
