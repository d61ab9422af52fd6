/* SPDX-License-Identifier: MIT
 *
 * Splits by energy distance, judged by permutations. */
#include "core/stats/changes.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "core/stats/random.h"

/* The least p that can be found is 1 / (1 + this). */
#define PERMUTATIONS 499
#define MOST_PARTS (HASTEN_CHANGES_VALUES / HASTEN_CHANGES_PART + 1)

struct split {
    size_t place;
    double distance;
};

struct part {
    size_t start, end;
};

/* The best place to split `count` values, at least 2 * HASTEN_CHANGES_PART. The sums of
 * distances follow from those of the place before: one value changes sides. */
static struct split best_split(const double *values, size_t count) {
    struct split best = {0, -INFINITY};
    double within_left = 0, within_right = 0, between = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            within_right += fabs(values[i] - values[j]);
        }
    }
    for (size_t moved = 0; moved + HASTEN_CHANGES_PART < count; moved++) {
        double to_left = 0, to_right = 0;
        for (size_t i = 0; i < moved; i++) {
            to_left += fabs(values[moved] - values[i]);
        }
        for (size_t i = moved + 1; i < count; i++) {
            to_right += fabs(values[moved] - values[i]);
        }
        within_left += to_left;
        within_right -= to_right;
        between += to_right - to_left;
        double left = (double)(moved + 1), right = (double)(count - moved - 1);
        if (moved + 1 < HASTEN_CHANGES_PART) {
            continue;
        }
        double distance = left * right / (left + right) *
                          (2 * between / (left * right) - 2 * within_left / (left * (left - 1)) -
                           2 * within_right / (right * (right - 1)));
        if (distance > best.distance) {
            best = (struct split){moved + 1, distance};
        }
    }
    return best;
}

static void shuffle(double *values, size_t count, struct hasten_random *random) {
    for (size_t i = count; i > 1; i--) {
        size_t other = hasten_random_below(random, (uint32_t)i);
        double kept = values[i - 1];
        values[i - 1] = values[other];
        values[other] = kept;
    }
}

/* Whether chance splits as well in less than alpha of all cases. Stops when enough
 * permutations have. */
static bool is_change(const double *values, size_t count, double distance, double alpha,
                      struct hasten_random *random, double *scratch) {
    size_t most = (size_t)(alpha * (PERMUTATIONS + 1)), as_good = 1; /* what was seen is one */
    memcpy(scratch, values, count * sizeof *values);
    for (size_t i = 0; i < PERMUTATIONS && as_good <= most; i++) {
        shuffle(scratch, count, random);
        as_good += best_split(scratch, count).distance >= distance;
    }
    return as_good <= most;
}

static hasten_status check_values(const double *values, size_t count, struct hasten_error *error) {
    if (count > HASTEN_CHANGES_VALUES) {
        return hasten_error_set(error, HASTEN_LIMIT, -1, "more than %d values to find changes in",
                                HASTEN_CHANGES_VALUES);
    }
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) {
            return hasten_error_set(error, HASTEN_INVALID, (int64_t)i, "a value is not finite");
        }
    }
    return HASTEN_OK;
}

hasten_status hasten_find_changes(const struct hasten_allocator *allocator, const double *values,
                                  size_t count, double alpha, uint64_t seed, size_t *ret_places,
                                  size_t *ret_count, struct hasten_error *error) {
    struct part waiting[MOST_PARTS];
    struct hasten_random random = {seed};
    size_t waiting_count = 1, found = 0;
    hasten_status status = check_values(values, count, error);
    if (status != HASTEN_OK) {
        return status;
    }
    double *scratch = hasten_allocate(allocator, (count + 1) * sizeof *scratch);
    if (scratch == NULL) {
        return hasten_error_set(error, HASTEN_NO_MEMORY, -1, "out of memory");
    }
    waiting[0] = (struct part){0, count};
    /* Parts are disjoint and each has HASTEN_CHANGES_PART values: there is room. */
    while (waiting_count > 0) {
        struct part part = waiting[--waiting_count];
        size_t size = part.end - part.start;
        if (size < 2 * HASTEN_CHANGES_PART) {
            continue;
        }
        struct split split = best_split(values + part.start, size);
        if (!is_change(values + part.start, size, split.distance, alpha, &random, scratch)) {
            continue;
        }
        size_t place = part.start + split.place, at = found++;
        for (; at > 0 && ret_places[at - 1] > place; at--) {
            ret_places[at] = ret_places[at - 1];
        }
        ret_places[at] = place;
        waiting[waiting_count++] = (struct part){part.start, place};
        waiting[waiting_count++] = (struct part){place, part.end};
    }
    hasten_release(allocator, scratch, (count + 1) * sizeof *scratch);
    *ret_count = found;
    return HASTEN_OK;
}
