/* SPDX-License-Identifier: MIT
 *
 * From blocks to numbers: a round's estimate, a side's summary. */
#ifndef HASTEN_CLI_BENCH_REDUCE_H
#define HASTEN_CLI_BENCH_REDUCE_H

#include "cli/bench/measure.h"

/* The log of B / A in a round: the median over its quads after warm-up that were not
 * interrupted; over such pairs where those are few; over all where there are none, or that
 * of its only pair. */
double bench_reduce_round(const struct bench_series *a, const struct bench_series *b, size_t round);
/* Fills summary, interval, outliers and warm-up. False after saying why not. */
bool bench_reduce_series(struct bench_series *series, size_t rounds, uint64_t seed);
/* How far the medians of rounds of the same side differ, as a share, divided by the
 * root of their number: about what a comparison of that many could not see. */
double bench_reduce_slack(const struct bench_series *series, size_t rounds);

#endif
