/* SPDX-License-Identifier: MIT
 *
 * How far a median can be trusted, by resampling.
 *
 * Measurements come in groups, the processes in which they were taken: what one
 * process has in common (its hash seed, its memory's layout) is an error that
 * more measurements in it do not make smaller. So groups are drawn first, and
 * values within each drawn group second.
 *
 * The interval is the percentile one. BCa, the usual improvement, needs the
 * statistic's change when one value is left out, which for a median is nothing
 * for all values but one or two: its correction would be noise. */
#ifndef HASTEN_STATS_BOOTSTRAP_H
#define HASTEN_STATS_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/allocator.h"
#include "hasten/status.h"

struct hasten_interval {
    double low, high;
};

/* The median of all values, with `confidence` (0.95). Group g has values from
 * starts[g] to below starts[g + 1]; `starts` has group_count + 1 entries. One
 * group alone is resampled value by value. The same seed gives the same
 * interval. INVALID where there are no values. */
HASTEN_CHECKED hasten_status hasten_bootstrap_median(const struct hasten_allocator *allocator,
                                                     const double *values, const size_t *starts,
                                                     size_t group_count, double confidence,
                                                     uint64_t seed,
                                                     struct hasten_interval *ret_interval,
                                                     struct hasten_error *error);

#endif
