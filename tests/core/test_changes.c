/* SPDX-License-Identifier: MIT
 *
 * Change points in series whose truth is known. */
#include <math.h>

#include "check.h"
#include "core/stats/changes.h"
#include "core/stats/random.h"
#include "failing_allocator.h"

#define SERIES 100

/* About normal: the sum of twelve. */
static double noise(struct hasten_random *random) {
    double sum = -6;
    for (int i = 0; i < 12; i++) {
        sum += hasten_random_unit(random);
    }
    return sum;
}

static size_t find(const double *values, size_t count, uint64_t seed, size_t *places) {
    size_t found = 0;
    CHECK_STATUS(hasten_find_changes(NULL, values, count, 0.01, seed, places, &found, NULL),
                 HASTEN_OK);
    return found;
}

/* One series in a hundred may have one; heavy tails and steps of a clock change nothing. */
static void test_no_change(void) {
    double values[40];
    size_t places[14];
    for (int kind = 0; kind < 3; kind++) {
        struct hasten_random random = {7 + (uint64_t)kind};
        int alarms = 0;
        for (int series = 0; series < SERIES; series++) {
            for (size_t i = 0; i < 40; i++) {
                double value = noise(&random);
                values[i] = kind == 0 ? value : kind == 1 ? exp(2 * value) : floor(value);
            }
            alarms += find(values, 40, (uint64_t)series, places) > 0;
        }
        CHECK(alarms <= 4);
    }
}

/* A step of two deviations: found, and where it is. */
static void test_one_change(void) {
    struct hasten_random random = {11};
    double values[40];
    size_t places[14];
    int found = 0, near = 0;
    for (int series = 0; series < SERIES; series++) {
        for (size_t i = 0; i < 40; i++) {
            values[i] = noise(&random) + (i >= 25 ? 2 : 0);
        }
        if (find(values, 40, (uint64_t)series, places) > 0) {
            found++;
            near += places[0] >= 22 && places[0] <= 28;
        }
    }
    CHECK(found >= 95);
    CHECK(near >= 90);
}

/* Up, down again, and up once more at the end: where three runs are after it. */
static void test_several_changes(void) {
    struct hasten_random random = {13};
    double values[43];
    size_t places[15];
    for (size_t i = 0; i < 43; i++) {
        values[i] = noise(&random) / 10 + (i >= 15 && i < 28 ? 1 : i >= 40 ? 2 : 0);
    }
    if (CHECK_EQ_INT(find(values, 43, 1, places), 3)) {
        CHECK_EQ_INT(places[0], 15);
        CHECK_EQ_INT(places[1], 28);
        CHECK_EQ_INT(places[2], 40);
    }
}

/* What happened once or twice is not a change. */
static void test_outliers(void) {
    struct hasten_random random = {17};
    double values[30];
    size_t places[10];
    for (size_t i = 0; i < 30; i++) {
        values[i] = noise(&random) / 10 + (i == 12 || i == 29 ? 50 : 0);
    }
    CHECK_EQ_INT(find(values, 30, 1, places), 0);
}

static void test_few_and_equal(void) {
    double values[12] = {0, 0, 0, 1, 1, 1};
    size_t places[4];
    /* Six values can be ordered in too few ways to be sure. */
    CHECK_EQ_INT(find(values, 6, 1, places), 0);
    CHECK_EQ_INT(find(values, 0, 1, places), 0);
    for (size_t i = 0; i < 12; i++) {
        values[i] = 3;
    }
    CHECK_EQ_INT(find(values, 12, 1, places), 0);
    for (size_t i = 6; i < 12; i++) {
        values[i] = 4;
    }
    CHECK_EQ_INT(find(values, 12, 1, places), 1);
    CHECK_EQ_INT(places[0], 6);
}

static void test_most(void) {
    static double values[HASTEN_CHANGES_VALUES + 1];
    static size_t places[HASTEN_CHANGES_VALUES / HASTEN_CHANGES_PART];
    for (size_t i = 0; i < HASTEN_CHANGES_VALUES; i++) {
        size_t step = i / 100;
        values[i] = (double)step;
    }
    CHECK_EQ_INT(find(values, HASTEN_CHANGES_VALUES, 1, places), 4);
}

static void test_refusals(void) {
    static double values[HASTEN_CHANGES_VALUES + 1];
    size_t places[4], count = 77;
    struct hasten_error error;
    struct failing_allocator failing;
    CHECK_STATUS(hasten_find_changes(NULL, values, HASTEN_CHANGES_VALUES + 1, 0.01, 1, places,
                                     &count, &error),
                 HASTEN_LIMIT);
    CHECK_EQ_STR(error.message, "more than 500 values to find changes in");
    values[2] = NAN;
    CHECK_STATUS(hasten_find_changes(NULL, values, 4, 0.01, 1, places, &count, &error),
                 HASTEN_INVALID);
    CHECK_EQ_INT(error.position, 2);
    failing_allocator_init(&failing, 1, true);
    CHECK_STATUS(
        hasten_find_changes(&failing.allocator, values, 2, 0.01, 1, places, &count, &error),
        HASTEN_NO_MEMORY);
    CHECK_EQ_INT(count, 77);
    failing_allocator_init(&failing, 0, false);
    CHECK_STATUS(
        hasten_find_changes(&failing.allocator, values, 2, 0.01, 1, places, &count, &error),
        HASTEN_OK);
    CHECK_EQ_INT(failing.live_blocks, 0);
    CHECK(!failing.wrong_size);
}

int main(void) {
    test_no_change();
    test_one_change();
    test_several_changes();
    test_outliers();
    test_few_and_equal();
    test_most();
    test_refusals();
    return check_done();
}
