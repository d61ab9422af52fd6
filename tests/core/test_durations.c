/* SPDX-License-Identifier: MIT
 *
 * Durations: buckets in order, and percentiles against sorted numbers. */
#include "check.h"
#include "core/tracing/durations.h"

#include <stdlib.h>

static int by_value(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void test_buckets(void) {
    unsigned wrong = 0;
    uint32_t previous = 0;
    for (int64_t value = 0; value < 100000; value++) {
        uint32_t bucket = hasten_durations_bucket(value);
        wrong += bucket < previous || bucket > previous + 1;
        previous = bucket;
    }
    CHECK_EQ_INT(wrong, 0);
    CHECK_EQ_INT(hasten_durations_bucket(-5), 0);
    CHECK_EQ_INT(hasten_durations_bucket(INT64_MAX), HASTEN_DURATION_BUCKETS - 1);
}

static void test_percentiles(void) {
    enum { COUNT = 20000 };
    static int64_t values[COUNT];
    static struct hasten_durations durations;
    CHECK_EQ_INT(hasten_durations_percentile(&durations, 0.5), 0);
    uint64_t random = 1;
    for (int i = 0; i < COUNT; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        values[i] = (int64_t)(random >> 40) >> (random >> 20 & 15);
        hasten_durations_add(&durations, values[i]);
    }
    qsort(values, COUNT, sizeof values[0], by_value);
    static const double shares[] = {0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1};
    for (int i = 0; i < 7; i++) {
        double exact = (double)values[(int)(shares[i] * (COUNT - 1))];
        double found = (double)hasten_durations_percentile(&durations, shares[i]);
        CHECK(found >= exact * 0.93 - 1 && found <= exact * 1.07 + 1);
    }
    CHECK_EQ_INT(durations.count, COUNT);
    CHECK_EQ_INT(durations.shortest, values[0]);
    CHECK_EQ_INT(durations.longest, values[COUNT - 1]);
}

/* One duration is every percentile. */
static void test_one(void) {
    static struct hasten_durations durations;
    hasten_durations_add(&durations, 1000003);
    CHECK_EQ_INT(hasten_durations_percentile(&durations, 0), 1000003);
    CHECK_EQ_INT(hasten_durations_percentile(&durations, 1), 1000003);
}

/* A bucket that is full stays so. */
static void test_saturation(void) {
    static struct hasten_durations durations;
    durations.buckets[7] = UINT32_MAX - 1;
    hasten_durations_add(&durations, 7);
    hasten_durations_add(&durations, 7);
    CHECK_EQ_INT(durations.buckets[7], UINT32_MAX);
    CHECK_EQ_INT(durations.count, 2);
}

int main(void) {
    test_buckets();
    test_percentiles();
    test_one();
    test_saturation();
    return check_done();
}
