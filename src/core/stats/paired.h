/* SPDX-License-Identifier: MIT
 *
 * Which of two sides is faster, from pairs of measurements that were taken side
 * by side.
 *
 * The unit is one estimate of log(B / A) that is independent of the others: a
 * pair of processes, not a pair of blocks within them. The order of the sides is
 * random, so that under equal sides the estimates are symmetric around 0 whatever
 * the noise looks like; Wilcoxon's signed ranks are then exact, and its twin, the
 * Hodges-Lehmann estimate with its interval, is hardly moved by outliers. A
 * t-test would be neither.
 *
 * Looking several times and stopping when the answer is clear raises the chance
 * of a false one. Each look therefore gets a part of the 5 %, which together are
 * 5 %: that holds for any dependence between looks. */
#ifndef HASTEN_STATS_PAIRED_H
#define HASTEN_STATS_PAIRED_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/allocator.h"
#include "hasten/status.h"

/* Estimates beyond this are refused: their pairwise means would not fit. */
#define HASTEN_PAIRED_MOST 2048
/* Looks at the data, the last one at the end of the budget. */
#define HASTEN_LOOKS 3

enum hasten_comparison {
    HASTEN_COMPARISON_UNCLEAR,
    HASTEN_COMPARISON_SAME,
    HASTEN_COMPARISON_FASTER, /* B takes less time */
    HASTEN_COMPARISON_SLOWER,
};

struct hasten_ratio {
    double ratio;     /* B / A */
    double low, high; /* 0 and infinity where there are too few estimates for an interval */
    double p;         /* that sides which are equal look as different as this */
    size_t count;     /* estimates */
};

/* log(B / A) of four blocks measured in the order A B B A (or B A A B): what grows
 * or shrinks steadily in the meantime cancels. All are above 0. */
double hasten_abba_log_ratio(double first_a, double first_b, double second_b, double second_a);

/* B / A with an error of at most `alpha` (0.05). INVALID without estimates, LIMIT
 * with too many. */
HASTEN_CHECKED hasten_status hasten_paired_ratio(const struct hasten_allocator *allocator,
                                                 const double *log_ratios, size_t count,
                                                 double alpha, struct hasten_ratio *ret_ratio,
                                                 struct hasten_error *error);

/* The part of 5 % that look 0 to HASTEN_LOOKS - 1 has. */
double hasten_look_alpha(size_t look);
/* What the interval that is shown after stopping at a look leaves out. An answer
 * that came early is as a rule far from undecided, and an interval for the
 * look's own part would be needlessly wide; simulations (test_stats.c) have the
 * truth in 94.5 to 96.5 % of these, for differences of any size. */
double hasten_look_interval_alpha(size_t look);
/* A p that was found at a look, as part of the whole 5 %: what a look has less of them
 * counts so much more. To be compared with those of other comparisons (hasten_holm). */
double hasten_look_p(double p, double alpha);
/* After how many of `planned` estimates it comes. */
size_t hasten_look_place(size_t look, size_t planned);

/* In words: faster or slower where the interval is on one side of 1 and `p` at
 * most `alpha`; same where it is within 1 - margin to 1 + margin. */
enum hasten_comparison hasten_compare(const struct hasten_ratio *ratio, double alpha,
                                      double margin);
/* "faster", "slower", "same", "unclear". */
const char *hasten_comparison_name(enum hasten_comparison comparison);

/* Holm's correction: which of several comparisons with these p count as different
 * when the chance that any is falsely called so shall be at most `alpha`. */
void hasten_holm(const double *p, size_t count, double alpha, bool *ret_differs);

#endif
