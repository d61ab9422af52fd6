/* SPDX-License-Identifier: MIT
 *
 * Sorting, quantiles, quartile fences and the level at the start. */
#include "core/stats/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MILD_FENCE 1.5
#define SEVERE_FENCE 3.0
/* The median distance of a normal distribution is 0.6745 of its deviation. */
#define DEVIATIONS_PER_MEDIAN_DISTANCE 1.4826
/* A level is another one from three deviations on, and from half a percent on:
 * less is no warm-up that anybody means. */
#define LEVEL_DEVIATIONS 3.0
#define LEVEL_SHARE 0.005
/* With fewer there is no second half to speak of. */
#define LEAST_FOR_LEVEL 6

static int by_value(const void *left, const void *right) {
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

void hasten_sort(double *values, size_t count) {
    if (count > 1) {
        qsort(values, count, sizeof *values, by_value);
    }
}

double hasten_quantile(const double *sorted, size_t count, double share) {
    if (count == 0) {
        return 0;
    }
    double place = share * (double)(count - 1);
    size_t below = (size_t)place;
    if (below + 1 >= count) {
        return sorted[count - 1];
    }
    double part = place - (double)below;
    return sorted[below] + part * (sorted[below + 1] - sorted[below]);
}

static void swap(double *left, double *right) {
    double kept = *left;
    *left = *right;
    *right = kept;
}

/* Puts the value of rank `rank` in its place, smaller ones before it. */
static double select_rank(double *values, size_t count, size_t rank) {
    size_t low = 0, high = count - 1;
    while (low < high) {
        double pivot = values[low + (high - low) / 2];
        size_t left = low, right = high;
        for (;;) {
            while (values[left] < pivot)
                left++;
            while (values[right] > pivot)
                right--;
            if (left >= right) {
                break;
            }
            swap(&values[left++], &values[right--]);
        }
        /* Up to `right` are at most the pivot, after it at least. */
        if (rank <= right) {
            high = right;
        } else {
            low = right + 1;
        }
    }
    return values[rank];
}

double hasten_median_in_place(double *values, size_t count) {
    if (count == 0) {
        return 0;
    }
    double upper = select_rank(values, count, count / 2);
    if (count % 2 == 1) {
        return upper;
    }
    double lower = values[0];
    for (size_t i = 1; i < count / 2; i++) {
        lower = fmax(lower, values[i]);
    }
    return (lower + upper) / 2;
}

struct hasten_summary hasten_summarize(const double *sorted, size_t count, double *scratch) {
    struct hasten_summary summary = {.count = count};
    if (count == 0) {
        return summary;
    }
    summary.least = sorted[0];
    summary.most = sorted[count - 1];
    summary.median = hasten_quantile(sorted, count, 0.5);
    summary.lower_quartile = hasten_quantile(sorted, count, 0.25);
    summary.upper_quartile = hasten_quantile(sorted, count, 0.75);
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += sorted[i];
        scratch[i] = fabs(sorted[i] - summary.median);
    }
    summary.mean = sum / (double)count;
    summary.deviation = hasten_median_in_place(scratch, count);
    return summary;
}

enum hasten_outlier hasten_outlier_class(const struct hasten_summary *summary, double value) {
    double range = summary->upper_quartile - summary->lower_quartile;
    if (value < summary->lower_quartile - SEVERE_FENCE * range) {
        return HASTEN_OUTLIER_LOW_SEVERE;
    }
    if (value > summary->upper_quartile + SEVERE_FENCE * range) {
        return HASTEN_OUTLIER_HIGH_SEVERE;
    }
    if (value < summary->lower_quartile - MILD_FENCE * range) {
        return HASTEN_OUTLIER_LOW;
    }
    return value > summary->upper_quartile + MILD_FENCE * range ? HASTEN_OUTLIER_HIGH
                                                                : HASTEN_OUTLIER_NONE;
}

static double median_of_three(const double *values) {
    return fmax(fmin(values[0], values[1]), fmin(fmax(values[0], values[1]), values[2]));
}

size_t hasten_warm_up(const double *values, size_t count, double *scratch) {
    if (count < LEAST_FOR_LEVEL) {
        return 0;
    }
    size_t half = count / 2;
    memcpy(scratch, values + half, (count - half) * sizeof *values);
    double level = hasten_median_in_place(scratch, count - half);
    for (size_t i = half; i < count; i++) {
        scratch[i - half] = fabs(values[i] - level);
    }
    double deviation =
        DEVIATIONS_PER_MEDIAN_DISTANCE * hasten_median_in_place(scratch, count - half);
    double most = fmax(LEVEL_DEVIATIONS * deviation, LEVEL_SHARE * fabs(level));
    size_t start = 0;
    while (start < half && median_of_three(values + start) - level > most) {
        start++;
    }
    return start;
}
