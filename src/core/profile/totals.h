/* SPDX-License-Identifier: MIT
 *
 * Self and total amounts by function and by line. A node's amount counts once
 * for each function (line) on its stack, however often that recurs. */
#ifndef HASTEN_PROFILE_TOTALS_H
#define HASTEN_PROFILE_TOTALS_H

#include "hasten/profile.h"

/* A line of a function; line 0 stands for instructions without a line. */
struct hasten_line {
    uint32_t function;
    int32_t line;
};

struct hasten_totals {
    const struct hasten_allocator *allocator;
    const struct hasten_profile *profile; /* borrowed, must outlive this */
    uint32_t *node_line;                  /* by node: index into `lines`; HASTEN_NONE at the root */
    struct hasten_line *lines;
    size_t line_count;
    size_t line_capacity;
    uint8_t *outermost; /* by node: no ancestor has its function / line */
    /* Results of the last hasten_totals_metric, by function and by line. */
    int64_t *function_self;
    int64_t *function_total;
    int64_t *line_self;
    int64_t *line_total;
    int64_t *node_total; /* with all descendants */
};

/* Resolves lines and finds the outermost nodes; linear in the profile's size. */
HASTEN_CHECKED hasten_status hasten_totals_init(struct hasten_totals *totals,
                                                const struct hasten_profile *profile,
                                                const struct hasten_allocator *allocator);
void hasten_totals_done(struct hasten_totals *totals);
/* Sums one metric over all threads into the arrays above. */
void hasten_totals_metric(struct hasten_totals *totals, uint32_t metric);

#endif
