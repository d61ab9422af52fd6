/* SPDX-License-Identifier: MIT
 *
 * The two-stage percentile bootstrap. */
#include "core/stats/bootstrap.h"

#include "core/stats/random.h"
#include "core/stats/summary.h"

/* Enough for two digits of a 95 % bound. */
#define RESAMPLES 1000

/* Draws groups, and values in each, into `drawn`; answers how many. */
static size_t draw(const double *values, const size_t *starts, size_t group_count,
                   struct hasten_random *random, double *drawn, size_t capacity) {
    size_t count = 0;
    for (size_t g = 0; g < group_count; g++) {
        size_t group = hasten_random_below(random, (uint32_t)group_count);
        size_t size = starts[group + 1] - starts[group];
        for (size_t i = 0; i < size && count < capacity; i++) {
            drawn[count++] = values[starts[group] + hasten_random_below(random, (uint32_t)size)];
        }
    }
    return count;
}

/* A draw may have the largest group as often as there are groups. */
static size_t most_drawn(const size_t *starts, size_t group_count) {
    size_t largest = 0;
    for (size_t g = 0; g < group_count; g++) {
        size_t size = starts[g + 1] - starts[g];
        largest = size > largest ? size : largest;
    }
    return largest * group_count;
}

hasten_status hasten_bootstrap_median(const struct hasten_allocator *allocator,
                                      const double *values, const size_t *starts,
                                      size_t group_count, double confidence, uint64_t seed,
                                      struct hasten_interval *ret_interval,
                                      struct hasten_error *error) {
    size_t capacity = most_drawn(starts, group_count);
    if (capacity == 0 || capacity > UINT32_MAX / sizeof(double)) {
        return hasten_error_set(error, HASTEN_INVALID, -1, "there are %s values to resample",
                                capacity == 0 ? "no" : "too many");
    }
    size_t size = (capacity + RESAMPLES) * sizeof(double);
    double *memory = hasten_allocate(allocator, size);
    if (memory == NULL) {
        return hasten_error_set(error, HASTEN_NO_MEMORY, -1, "out of memory");
    }
    struct hasten_random random = {seed};
    double *medians = memory, *drawn = memory + RESAMPLES;
    for (size_t i = 0; i < RESAMPLES; i++) {
        size_t count = 0;
        while (count == 0) { /* all groups drawn may be empty */
            count = draw(values, starts, group_count, &random, drawn, capacity);
        }
        medians[i] = hasten_median_in_place(drawn, count);
    }
    hasten_sort(medians, RESAMPLES);
    *ret_interval = (struct hasten_interval){
        hasten_quantile(medians, RESAMPLES, (1 - confidence) / 2),
        hasten_quantile(medians, RESAMPLES, (1 + confidence) / 2),
    };
    hasten_release(allocator, memory, size);
    return HASTEN_OK;
}
