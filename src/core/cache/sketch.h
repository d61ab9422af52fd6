/* SPDX-License-Identifier: MIT
 *
 * What policies remember of keys whose entries they may not have any more, by tags of 32
 * bits: how often each was asked for lately, and which were given up lately. Both are
 * estimates: tags collide. Neither ever fails: without memory they know nothing. */
#ifndef HASTEN_CACHE_SKETCH_H
#define HASTEN_CACHE_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/allocator.h"

/* Counters of 4 bits, four for each tag, of which the least is its count. All are halved
 * after ten times as many additions as there are words, so that old fame fades. */
struct hasten_cache_sketch {
    const struct hasten_allocator *allocator;
    uint64_t *words;
    size_t word_count; /* a power of two, or 0 */
    uint64_t additions;
};

struct hasten_cache_ghost {
    uint32_t tag;
    bool is_in; /* not taken out since it came */
};

/* A set of tags that forgets the oldest. */
struct hasten_cache_ghosts {
    const struct hasten_allocator *allocator;
    struct hasten_cache_ghost *ring; /* in the order in which they came */
    uint32_t *places;                /* by tag, probed: the slot in the ring + 1; 0: none */
    size_t ring_size;                /* a power of two, or 0; there are twice as many places */
    uint64_t first, end;             /* counted from the beginning; slots are these modulo */
    size_t count;
};

void hasten_cache_sketch_init(struct hasten_cache_sketch *sketch,
                              const struct hasten_allocator *allocator);
void hasten_cache_sketch_done(struct hasten_cache_sketch *sketch);
void hasten_cache_sketch_clear(struct hasten_cache_sketch *sketch);
/* `entries`: how many entries there are. */
void hasten_cache_sketch_add(struct hasten_cache_sketch *sketch, uint32_t tag, size_t entries);
/* 0 to 15. */
unsigned hasten_cache_sketch_count(const struct hasten_cache_sketch *sketch, uint32_t tag);

void hasten_cache_ghosts_init(struct hasten_cache_ghosts *ghosts,
                              const struct hasten_allocator *allocator);
void hasten_cache_ghosts_done(struct hasten_cache_ghosts *ghosts);
void hasten_cache_ghosts_clear(struct hasten_cache_ghosts *ghosts);
/* Keeps at most `most` tags, this one included. */
void hasten_cache_ghosts_put(struct hasten_cache_ghosts *ghosts, uint32_t tag, size_t most);
/* Takes the tag out; answers whether it was in. */
bool hasten_cache_ghosts_take(struct hasten_cache_ghosts *ghosts, uint32_t tag);

#endif
