/* SPDX-License-Identifier: MIT
 *
 * Kinds lie in one array; a hash table of their numbers finds them. */
#include "core/heap/kinds.h"

#include <string.h>

#define FIRST_SLOTS 1024 /* a power of two */

static uint32_t *probe(const struct hasten_kinds *kinds, uint32_t path, uint32_t size_bytes) {
    uint64_t hash = (((uint64_t)path << 32) | size_bytes) * 0x9e3779b97f4a7c15u;
    size_t index = (size_t)(hash >> 32) & (kinds->slot_count - 1);
    while (kinds->slots[index] != 0) {
        const struct hasten_kind *kind = &kinds->items[kinds->slots[index]];
        if (kind->path == path && kind->size_bytes == size_bytes) {
            break;
        }
        index = (index + 1) & (kinds->slot_count - 1);
    }
    return &kinds->slots[index];
}

static int grow_slots(struct hasten_kinds *kinds) {
    const size_t old_count = kinds->slot_count;
    uint32_t *old = kinds->slots;
    size_t slot_count = old_count == 0 ? FIRST_SLOTS : old_count * 2;
    uint32_t *slots = hasten_allocate_zeroed(kinds->allocator, slot_count * sizeof *slots);
    if (slots == NULL) {
        return -1;
    }
    kinds->slots = slots;
    kinds->slot_count = slot_count;
    for (size_t i = 1; i < kinds->count; i++) {
        *probe(kinds, kinds->items[i].path, kinds->items[i].size_bytes) = (uint32_t)i;
    }
    hasten_release(kinds->allocator, old, old_count * sizeof *old);
    return 0;
}

void hasten_kinds_init(struct hasten_kinds *kinds, const struct hasten_allocator *allocator) {
    memset(kinds, 0, sizeof *kinds);
    kinds->allocator = allocator;
}

void hasten_kinds_done(struct hasten_kinds *kinds) {
    hasten_release(kinds->allocator, kinds->items, kinds->capacity * sizeof *kinds->items);
    hasten_release(kinds->allocator, kinds->slots, kinds->slot_count * sizeof *kinds->slots);
    hasten_kinds_init(kinds, kinds->allocator);
}

uint32_t hasten_kinds_add(struct hasten_kinds *kinds, uint32_t path, uint32_t size_bytes) {
    uint32_t *known = kinds->count == 0 ? NULL : probe(kinds, path, size_bytes);
    if (known != NULL && *known != 0) {
        return *known;
    }
    size_t count = kinds->count == 0 ? 1 : kinds->count;
    if (count >> HASTEN_KINDS_BITS != 0 ||
        hasten_grow(kinds->allocator, (void **)&kinds->items, &kinds->capacity, count + 1,
                    sizeof *kinds->items) != 0 ||
        ((count + 1) * 2 > kinds->slot_count && grow_slots(kinds) != 0)) {
        return 0;
    }
    kinds->items[count] = (struct hasten_kind){.path = path, .size_bytes = size_bytes};
    kinds->count = count + 1;
    *probe(kinds, path, size_bytes) = (uint32_t)count;
    return (uint32_t)count;
}

void hasten_kinds_forget_cached(struct hasten_kinds *kinds) {
    memset(kinds->cache, 0, sizeof kinds->cache);
}

size_t hasten_kinds_bytes(const struct hasten_kinds *kinds) {
    return kinds->capacity * sizeof *kinds->items + kinds->slot_count * sizeof *kinds->slots;
}
