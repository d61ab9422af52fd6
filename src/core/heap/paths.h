/* SPDX-License-Identifier: MIT
 *
 * Paths through a program: a trie of (parent path, place), each kept once. What
 * a place is, an instruction's address or a line of a file, is the owner's
 * business, and so is what `code` means. Path 0 is none; parents come before
 * their children. Not thread-safe. */
#ifndef HASTEN_HEAP_PATHS_H
#define HASTEN_HEAP_PATHS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/allocator.h"

/* The parent of a path of one step: this, plus how many frames below it the path
 * leaves out because only so many are kept. */
#define HASTEN_PATHS_ROOT UINT32_C(0x80000000)

struct hasten_path {
    uint64_t place;
    uint32_t parent;
    uint32_t code;
};

struct hasten_paths {
    const struct hasten_allocator *allocator;
    struct hasten_path *items;
    size_t count; /* of items, the unused first one included; 0: nothing yet */
    size_t capacity;
    uint32_t *slots; /* open addressing; 0: free */
    size_t slot_count;
};

void hasten_paths_init(struct hasten_paths *paths, const struct hasten_allocator *allocator);
void hasten_paths_done(struct hasten_paths *paths);
/* The path that ends in `place`, or 0 where it is not known. */
uint32_t hasten_paths_find(const struct hasten_paths *paths, uint32_t parent, uint64_t place);
/* The same, made where it is not known; 0 only where memory ran out. */
uint32_t hasten_paths_add(struct hasten_paths *paths, uint32_t parent, uint64_t place,
                          uint32_t code);
/* To be called when the owner has changed places: each must still be another. */
void hasten_paths_find_again(struct hasten_paths *paths);
size_t hasten_paths_bytes(const struct hasten_paths *paths);

static inline uint32_t hasten_paths_left_out(uint32_t root) {
    return root - HASTEN_PATHS_ROOT;
}

#endif
