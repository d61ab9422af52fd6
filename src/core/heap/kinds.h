/* SPDX-License-Identifier: MIT
 *
 * Kinds of small blocks: a path and a size, with how many such blocks are alive.
 * A program has few kinds and many blocks, so that a block is remembered by the
 * number of its kind and sums are made over kinds. Kind 0 is none. Not thread-safe. */
#ifndef HASTEN_HEAP_KINDS_H
#define HASTEN_HEAP_KINDS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/allocator.h"

struct hasten_kind {
    uint32_t path;
    uint32_t size_bytes;
    uint64_t live; /* blocks */
};

/* Lines of the cache in front of the tables: a power of two. */
#define HASTEN_KINDS_CACHE_BITS 12

/* A kind that was asked for lately. */
struct hasten_kinds_line {
    uint64_t place;
    uint32_t parent;
    uint32_t size_bytes;
    uint32_t kind; /* 0: an empty line */
};

struct hasten_kinds {
    const struct hasten_allocator *allocator;
    struct hasten_kind *items;
    size_t count; /* of items, the unused first one included; 0: nothing yet */
    size_t capacity;
    uint32_t *slots; /* open addressing; 0: free */
    size_t slot_count;
    struct hasten_kinds_line cache[1 << HASTEN_KINDS_CACHE_BITS];
};

void hasten_kinds_init(struct hasten_kinds *kinds, const struct hasten_allocator *allocator);
void hasten_kinds_done(struct hasten_kinds *kinds);
/* Kinds are counted in so many bits: who keeps their numbers needs the others. */
#define HASTEN_KINDS_BITS 30

/* The kind of blocks of this path and size; 0 only where memory ran out. */
uint32_t hasten_kinds_add(struct hasten_kinds *kinds, uint32_t path, uint32_t size_bytes);
/* To be called when places mean something else than before. */
void hasten_kinds_forget_cached(struct hasten_kinds *kinds);
size_t hasten_kinds_bytes(const struct hasten_kinds *kinds);

/* Where the cache would have the kind of a path's last step and a size. The line
 * is of another kind unless all three fields are equal. */
static inline struct hasten_kinds_line *hasten_kinds_line_of(struct hasten_kinds *kinds,
                                                             uint32_t parent, uint64_t place,
                                                             uint32_t size_bytes) {
    uint64_t hash = (place + ((uint64_t)size_bytes << 44) + ((uint64_t)parent << 20)) *
                    UINT64_C(0x9e3779b97f4a7c15);
    return &kinds->cache[hash >> (64 - HASTEN_KINDS_CACHE_BITS)];
}

static inline uint32_t hasten_kinds_cached(struct hasten_kinds *kinds, uint32_t parent,
                                           uint64_t place, uint32_t size_bytes) {
    const struct hasten_kinds_line *line = hasten_kinds_line_of(kinds, parent, place, size_bytes);
    int is_same =
        (line->place == place) & (line->parent == parent) & (line->size_bytes == size_bytes);
    return is_same ? line->kind : 0;
}

#endif
