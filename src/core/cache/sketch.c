/* SPDX-License-Identifier: MIT */
#include "core/cache/sketch.h"

#include <string.h>

#define ROWS 4
#define FEWEST_WORDS 16
#define MOST_WORDS ((size_t)1 << 31)
/* Additions for each word until all counters are halved. */
#define PERIOD 10
#define LOW_BITS UINT64_C(0x7777777777777777)
#define LOW_BIT UINT64_C(0x1111111111111111)

/* Odd, random. */
static const uint64_t multipliers[ROWS] = {
    UINT64_C(0xc3a5c85c97cb3127),
    UINT64_C(0xb492b66fbe98f273),
    UINT64_C(0x9ae16a3b2f90404f),
    UINT64_C(0xcbf29ce484222325),
};

void hasten_cache_sketch_init(struct hasten_cache_sketch *sketch,
                              const struct hasten_allocator *allocator) {
    *sketch = (struct hasten_cache_sketch){.allocator = allocator};
}

void hasten_cache_sketch_done(struct hasten_cache_sketch *sketch) {
    hasten_release(sketch->allocator, sketch->words, sketch->word_count * sizeof(uint64_t));
    hasten_cache_sketch_init(sketch, sketch->allocator);
}

void hasten_cache_sketch_clear(struct hasten_cache_sketch *sketch) {
    hasten_cache_sketch_done(sketch);
}

static uint64_t *word_of(const struct hasten_cache_sketch *sketch, uint32_t tag, unsigned row) {
    const uint64_t hash = ((uint64_t)tag + 1) * multipliers[row];
    return &sketch->words[(hash >> 32) & (sketch->word_count - 1)];
}

/* A tag's counters are in the same quarter of all its words. */
static unsigned shift_of(uint32_t tag, unsigned row) {
    return ((tag & 3) * ROWS + row) * 4;
}

/* A word, 16 counters, for each entry. What was counted before is lost. */
static void grow(struct hasten_cache_sketch *sketch, size_t entries) {
    size_t count = FEWEST_WORDS;
    while (count < entries && count < MOST_WORDS) {
        count *= 2;
    }
    if (count <= sketch->word_count) {
        return;
    }
    uint64_t *words = hasten_allocate_zeroed(sketch->allocator, count * sizeof(uint64_t));
    if (words != NULL) {
        hasten_cache_sketch_done(sketch);
        sketch->words = words;
        sketch->word_count = count;
    }
}

/* What halving an odd counter loses was added too: a fourth of those, for four are one. */
static void halve(struct hasten_cache_sketch *sketch) {
    uint64_t odd = 0;
    for (size_t i = 0; i < sketch->word_count; i++) {
        odd += (uint64_t)__builtin_popcountll(sketch->words[i] & LOW_BIT);
        sketch->words[i] = (sketch->words[i] >> 1) & LOW_BITS;
    }
    sketch->additions = (sketch->additions - odd / 4) / 2;
}

void hasten_cache_sketch_add(struct hasten_cache_sketch *sketch, uint32_t tag, size_t entries) {
    if (entries > sketch->word_count || sketch->word_count == 0) {
        grow(sketch, entries);
    }
    if (sketch->word_count == 0) {
        return;
    }
    bool is_added = false;
    for (unsigned row = 0; row < ROWS; row++) {
        uint64_t *word = word_of(sketch, tag, row);
        const unsigned shift = shift_of(tag, row);
        if (((*word >> shift) & 15) != 15) {
            *word += UINT64_C(1) << shift;
            is_added = true;
        }
    }
    sketch->additions += is_added;
    if (sketch->additions >= PERIOD * (uint64_t)sketch->word_count) {
        halve(sketch);
    }
}

unsigned hasten_cache_sketch_count(const struct hasten_cache_sketch *sketch, uint32_t tag) {
    unsigned least = sketch->word_count == 0 ? 0 : 15;
    for (unsigned row = 0; row < ROWS && sketch->word_count != 0; row++) {
        const unsigned count = (unsigned)(*word_of(sketch, tag, row) >> shift_of(tag, row)) & 15;
        least = count < least ? count : least;
    }
    return least;
}
