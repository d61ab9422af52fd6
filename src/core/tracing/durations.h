/* SPDX-License-Identifier: MIT
 *
 * How long the calls of one function took: a histogram with buckets an eighth of
 * an octave wide at most, so that a percentile is off by 6 % at most, at the cost
 * of one addition a call. */
#ifndef HASTEN_TRACING_DURATIONS_H
#define HASTEN_TRACING_DURATIONS_H

#include <stdint.h>

#define HASTEN_DURATION_STEPS 8 /* buckets an octave */
#define HASTEN_DURATION_SHIFT 3 /* its logarithm */
#define HASTEN_DURATION_OCTAVES 48
#define HASTEN_DURATION_BUCKETS (HASTEN_DURATION_STEPS * HASTEN_DURATION_OCTAVES)

/* In the clock's unit. */
struct hasten_durations {
    uint64_t count;
    int64_t shortest;
    int64_t longest;
    uint32_t buckets[HASTEN_DURATION_BUCKETS]; /* stay at their maximum */
};

/* Up to 2 * STEPS every duration has a bucket; above, each octave has STEPS. */
static inline uint32_t hasten_durations_bucket(int64_t duration) {
    uint64_t value = duration > 0 ? (uint64_t)duration : 0;
    if (value < 2 * HASTEN_DURATION_STEPS) {
        return (uint32_t)value;
    }
    uint32_t octave = 63u - (uint32_t)__builtin_clzll(value) - HASTEN_DURATION_SHIFT;
    uint32_t bucket = octave * HASTEN_DURATION_STEPS + (uint32_t)(value >> octave);
    return bucket < HASTEN_DURATION_BUCKETS ? bucket : HASTEN_DURATION_BUCKETS - 1;
}

static inline void hasten_durations_add(struct hasten_durations *durations, int64_t duration) {
    uint32_t *bucket = &durations->buckets[hasten_durations_bucket(duration)];
    *bucket += *bucket != UINT32_MAX;
    if (durations->count == 0 || duration < durations->shortest) {
        durations->shortest = duration;
    }
    if (durations->count == 0 || duration > durations->longest) {
        durations->longest = duration;
    }
    durations->count++;
}

/* The duration that `share` (0 to 1) of the calls do not exceed: the middle of
 * its bucket, within shortest and longest. 0 without calls. */
int64_t hasten_durations_percentile(const struct hasten_durations *durations, double share);

#endif
