/* SPDX-License-Identifier: MIT
 *
 * What a set of measurements looks like: order, quantiles, spread, outliers.
 * Nothing here assumes a normal distribution, because times have none: they have
 * a floor and a long tail. */
#ifndef HASTEN_STATS_SUMMARY_H
#define HASTEN_STATS_SUMMARY_H

#include <stddef.h>

struct hasten_summary {
    size_t count;
    double least, most;
    double mean;
    double median, lower_quartile, upper_quartile;
    double deviation; /* median of the distances from the median */
};

enum hasten_outlier {
    HASTEN_OUTLIER_NONE,
    HASTEN_OUTLIER_LOW, /* beyond 1.5 quartile ranges */
    HASTEN_OUTLIER_HIGH,
    HASTEN_OUTLIER_LOW_SEVERE, /* beyond 3 */
    HASTEN_OUTLIER_HIGH_SEVERE,
};

/* Ascending; the values are finite. */
void hasten_sort(double *values, size_t count);
/* Of sorted values, between neighbours linearly; 0 where there are none. */
double hasten_quantile(const double *sorted, size_t count, double share);
/* Reorders the values and looks only as far as it must: linear in time. */
double hasten_median_in_place(double *values, size_t count);

/* Of sorted values; `scratch` holds as many. All 0 where there are none. */
struct hasten_summary hasten_summarize(const double *sorted, size_t count, double *scratch);

/* By Tukey's fences around the quartiles. */
enum hasten_outlier hasten_outlier_class(const struct hasten_summary *summary, double value);

/* How many values at the start are above the level of the rest: the program was
 * still warming up. At most half of them. The level is that of the second half;
 * a value is of it when the median of it and its two followers is not above what
 * the second half's spread allows. `scratch` holds as many values. */
size_t hasten_warm_up(const double *values, size_t count, double *scratch);

#endif
