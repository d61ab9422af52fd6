/* SPDX-License-Identifier: MIT
 *
 * Quads where there are enough that nothing interrupted, pairs where there are not. */
#include "core/stats/turns.h"

#include <math.h>

#include "core/stats/paired.h"
#include "core/stats/summary.h"

/* Quads cancel drift, pairs are left where others interrupt every other block: on a machine
 * with eight times as many busy processes as processors, rounds of equal sides then differed
 * by 3 %, and by 12 % where interrupted blocks were not left out. */
#define ENOUGH_QUADS 5

/* The log ratios of whole quads from `first` on; with `all` false only of those that were
 * not interrupted. Answers how many. */
static size_t take_quads(const double *a, const double *b, const bool *is_clean, size_t first,
                         size_t size, bool all, double *ret_ratios) {
    size_t count = 0;
    for (size_t i = first; i + 1 < size; i += 2) {
        if (all || (is_clean[i] && is_clean[i + 1])) {
            ret_ratios[count++] = hasten_abba_log_ratio(a[i], b[i], b[i + 1], a[i + 1]);
        }
    }
    return count;
}

static size_t take_clean_pairs(const double *a, const double *b, const bool *is_clean, size_t first,
                               size_t size, double *ret_ratios) {
    size_t count = 0;
    for (size_t i = first; i < size; i++) {
        if (is_clean[i]) {
            ret_ratios[count++] = log(b[i] / a[i]);
        }
    }
    return count;
}

double hasten_turns_log_ratio(const double *a, const double *b, const bool *is_clean, size_t size) {
    double ratios[HASTEN_TURNS_MOST];
    size = size < HASTEN_TURNS_MOST ? size : HASTEN_TURNS_MOST;
    if (size == 1) {
        return log(b[0] / a[0]);
    }
    size_t cold_a = hasten_warm_up(a, size, ratios), cold_b = hasten_warm_up(b, size, ratios);
    /* Whole quads; at most half of the blocks is cold. */
    size_t first = (cold_a > cold_b ? cold_a : cold_b) / 2 * 2;
    size_t count = take_quads(a, b, is_clean, first, size, false, ratios);
    if (count < ENOUGH_QUADS) {
        count = take_clean_pairs(a, b, is_clean, first, size, ratios);
    }
    if (count == 0) {
        count = take_quads(a, b, is_clean, first, size, true, ratios);
    }
    return hasten_median_in_place(ratios, count);
}
