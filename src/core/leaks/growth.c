/* SPDX-License-Identifier: MIT
 *
 * The rule in numbers. */
#include "core/leaks/growth.h"

#include <stdbool.h>

const char *hasten_growth_word(enum hasten_growth growth) {
    static const char *const words[] = {
#define HASTEN_GROWTH_WORD(name, word) word,
        HASTEN_GROWTH_MAP(HASTEN_GROWTH_WORD)
#undef HASTEN_GROWTH_WORD
    };
    return words[growth];
}

struct third {
    uint64_t sum;
    size_t iterations;
};

/* a leaves at least half as many an iteration as b: a.sum / a.n * 2 >= b.sum / b.n */
static bool is_half_of(struct third a, struct third b) {
    return (double)a.sum * (double)b.iterations * 2 >= (double)b.sum * (double)a.iterations;
}

enum hasten_growth hasten_growth_of_survivors(const uint64_t *survivors, size_t count) {
    if (count < HASTEN_GROWTH_LEAST) {
        return HASTEN_GROWTH_TOO_FEW;
    }
    size_t begin = count / 4; /* warming up */
    size_t window = count - begin;
    struct third thirds[3] = {{0, 0}, {0, 0}, {0, 0}};
    size_t leaving = 0;
    for (size_t i = 0; i < window; i++) {
        struct third *third = &thirds[i * 3 / window];
        third->sum += survivors[begin + i];
        third->iterations++;
        leaving += survivors[begin + i] > 0;
    }
    if (thirds[0].sum == 0) {
        return HASTEN_GROWTH_REPLACED;
    }
    if (thirds[2].sum == 0 || thirds[1].sum == 0 || !is_half_of(thirds[2], thirds[0])) {
        return HASTEN_GROWTH_LEVELLED;
    }
    return leaving * 2 < window ? HASTEN_GROWTH_LEVELLED : HASTEN_GROWTH_GROWING;
}

enum hasten_growth hasten_growth_of_sizes(const struct hasten_growth_sizes *sizes) {
    if (sizes->now <= sizes->early) {
        return HASTEN_GROWTH_REPLACED;
    }
    if (sizes->now <= sizes->middle) {
        return HASTEN_GROWTH_LEVELLED;
    }
    if (sizes->middle <= sizes->early) {
        return HASTEN_GROWTH_GROWING;
    }
    struct third first = {sizes->middle - sizes->early, sizes->first_iterations};
    struct third last = {sizes->now - sizes->middle, sizes->last_iterations};
    return is_half_of(last, first) ? HASTEN_GROWTH_GROWING : HASTEN_GROWTH_LEVELLED;
}
