/* SPDX-License-Identifier: MIT
 *
 * Percentiles of a histogram of durations. */
#include "core/tracing/durations.h"

/* The smallest duration that falls into the bucket; the inverse of
 * hasten_durations_bucket. */
static int64_t bucket_start(uint32_t bucket) {
    if (bucket < 2 * HASTEN_DURATION_STEPS) {
        return (int64_t)bucket;
    }
    uint32_t octave = bucket / HASTEN_DURATION_STEPS - 1;
    return (int64_t)(bucket - octave * HASTEN_DURATION_STEPS) << octave;
}

int64_t hasten_durations_percentile(const struct hasten_durations *durations, double share) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < HASTEN_DURATION_BUCKETS; i++) {
        sum += durations->buckets[i];
    }
    double wanted = share * (double)sum;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < HASTEN_DURATION_BUCKETS; i++) {
        seen += durations->buckets[i];
        if (durations->buckets[i] != 0 && (double)seen >= wanted) {
            int64_t start = bucket_start(i);
            int64_t middle = start + (bucket_start(i + 1) - start) / 2;
            middle = middle < durations->shortest ? durations->shortest : middle;
            return middle > durations->longest ? durations->longest : middle;
        }
    }
    return durations->longest;
}
