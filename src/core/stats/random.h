/* SPDX-License-Identifier: MIT
 *
 * Random numbers for resampling and for the order of runs: SplitMix64, small,
 * fast, and the same everywhere for the same seed. Not for secrets. */
#ifndef HASTEN_STATS_RANDOM_H
#define HASTEN_STATS_RANDOM_H

#include <stdint.h>

struct hasten_random {
    uint64_t state; /* any value is a good seed */
};

static inline uint64_t hasten_random_next(struct hasten_random *random) {
    uint64_t mixed = (random->state += 0x9e3779b97f4a7c15u);
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

/* From 0 to below 1, 53 bits. */
static inline double hasten_random_unit(struct hasten_random *random) {
    return (double)(hasten_random_next(random) >> 11) * 0x1p-53;
}

/* From 0 to below `bound` (at least 1). The high half of a product: a bias of
 * bound / 2^32, which resampling cannot see. */
static inline uint32_t hasten_random_below(struct hasten_random *random, uint32_t bound) {
    return (uint32_t)((hasten_random_next(random) >> 32) * bound >> 32);
}

#endif
