/* SPDX-License-Identifier: MIT
 *
 * The trie's steps lie in one array; a hash table of their numbers finds them. */
#include "core/heap/paths.h"

#include <string.h>

#define FIRST_SLOTS 1024 /* a power of two */

static size_t home_of(const struct hasten_paths *paths, uint32_t parent, uint64_t place) {
    uint64_t hash = (place ^ ((uint64_t)parent << 40) ^ parent) * 0x9e3779b97f4a7c15u;
    return (size_t)(hash ^ (hash >> 29)) & (paths->slot_count - 1);
}

/* The slot of the path, or the free one where it would go. There always is one. */
static uint32_t *probe(const struct hasten_paths *paths, uint32_t parent, uint64_t place) {
    size_t index = home_of(paths, parent, place);
    while (paths->slots[index] != 0) {
        const struct hasten_path *path = &paths->items[paths->slots[index]];
        if (path->place == place && path->parent == parent) {
            break;
        }
        index = (index + 1) & (paths->slot_count - 1);
    }
    return &paths->slots[index];
}

static int grow_slots(struct hasten_paths *paths) {
    struct hasten_paths grown = *paths;
    grown.slot_count = paths->slot_count == 0 ? FIRST_SLOTS : paths->slot_count * 2;
    grown.slots = hasten_allocate_zeroed(paths->allocator, grown.slot_count * sizeof *grown.slots);
    if (grown.slots == NULL) {
        return -1;
    }
    for (size_t i = 1; i < paths->count; i++) {
        *probe(&grown, paths->items[i].parent, paths->items[i].place) = (uint32_t)i;
    }
    hasten_release(paths->allocator, paths->slots, paths->slot_count * sizeof *paths->slots);
    *paths = grown;
    return 0;
}

void hasten_paths_init(struct hasten_paths *paths, const struct hasten_allocator *allocator) {
    *paths = (struct hasten_paths){.allocator = allocator};
}

void hasten_paths_done(struct hasten_paths *paths) {
    hasten_release(paths->allocator, paths->items, paths->capacity * sizeof *paths->items);
    hasten_release(paths->allocator, paths->slots, paths->slot_count * sizeof *paths->slots);
    hasten_paths_init(paths, paths->allocator);
}

uint32_t hasten_paths_find(const struct hasten_paths *paths, uint32_t parent, uint64_t place) {
    return paths->count == 0 ? 0 : *probe(paths, parent, place);
}

uint32_t hasten_paths_add(struct hasten_paths *paths, uint32_t parent, uint64_t place,
                          uint32_t code) {
    uint32_t known = hasten_paths_find(paths, parent, place);
    if (known != 0) {
        return known;
    }
    size_t count = paths->count == 0 ? 1 : paths->count;
    if (count >= HASTEN_PATHS_ROOT ||
        hasten_grow(paths->allocator, (void **)&paths->items, &paths->capacity, count + 1,
                    sizeof *paths->items) != 0 ||
        ((count + 1) * 2 > paths->slot_count && grow_slots(paths) != 0)) {
        return 0;
    }
    paths->items[count] = (struct hasten_path){.place = place, .parent = parent, .code = code};
    paths->count = count + 1;
    *probe(paths, parent, place) = (uint32_t)count;
    return (uint32_t)count;
}

void hasten_paths_find_again(struct hasten_paths *paths) {
    if (paths->count == 0) {
        return;
    }
    memset(paths->slots, 0, paths->slot_count * sizeof *paths->slots);
    for (size_t i = 1; i < paths->count; i++) {
        *probe(paths, paths->items[i].parent, paths->items[i].place) = (uint32_t)i;
    }
}

size_t hasten_paths_bytes(const struct hasten_paths *paths) {
    return paths->capacity * sizeof *paths->items + paths->slot_count * sizeof *paths->slots;
}
