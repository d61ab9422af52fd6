/* SPDX-License-Identifier: MIT
 *
 * Does it grow? The rule that tells a leak from what only looks like one.
 *
 * Looked at are survivors: how many of the objects that appeared between two marks
 * are still there at the end, for each pair of marks. What leaks is left behind by
 * iteration after iteration, by the late ones as by the early ones. Against that
 *
 *   a cache that fills and then stays      has no survivors of late iterations
 *   a table that is filled when first used likewise, the fewer the later
 *   a pool, a cache that evicts            has no survivors of early iterations
 *   a buffer that is flushed               likewise
 *   what is replaced in any order          has survivors of all, but lost as many:
 *                                          its holder is no larger than before
 *
 * The first quarter of the iterations is warming up. The rest is cut in thirds: there
 * must be survivors in each, of half of the iterations at least, and the last third
 * must have left at least half as many as the first. A rate, not a trend in totals:
 * totals go up and down with what is in use at a mark. */
#ifndef HASTEN_LEAKS_GROWTH_H
#define HASTEN_LEAKS_GROWTH_H

#include <stddef.h>
#include <stdint.h>

/* Fewer iterations than these are no ground for a verdict. */
#define HASTEN_GROWTH_LEAST 4

/* X(name, word). */
#define HASTEN_GROWTH_MAP(X)    \
    X(GROWING, "growing")       \
    X(LEVELLED, "levelled off") \
    X(REPLACED, "replaced")     \
    X(TOO_FEW, "too few iterations")

enum hasten_growth {
#define HASTEN_GROWTH_ENUM(name, word) HASTEN_GROWTH_##name,
    HASTEN_GROWTH_MAP(HASTEN_GROWTH_ENUM)
#undef HASTEN_GROWTH_ENUM
};

const char *hasten_growth_word(enum hasten_growth growth);

/* How much survived of each of `count` iterations, in their order. */
enum hasten_growth hasten_growth_of_survivors(const uint64_t *survivors, size_t count);

/* How large something was at three marks (`iterations` between them). */
struct hasten_growth_sizes {
    uint64_t early, middle, now;
    uint32_t first_iterations, last_iterations;
};
enum hasten_growth hasten_growth_of_sizes(const struct hasten_growth_sizes *sizes);

#endif
