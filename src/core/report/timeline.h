/* SPDX-License-Identifier: MIT
 *
 * A series of all processes together, cut into intervals of equal length, and how
 * that looks in a terminal.
 *
 * A process has the value of its last point until it ends; in an interval its
 * largest counts. What is added up is the largest of each process, which need not
 * have been at the same moment of the interval. */
#ifndef HASTEN_REPORT_TIMELINE_H
#define HASTEN_REPORT_TIMELINE_H

#include "core/report/page.h"

/* Adds the series `name` of each process to `amounts`, one for each of `count`
 * intervals of [0, end_ns]. Values below zero count as zero. */
void hasten_timeline_add(const struct hasten_profile *profile, const char *name, uint64_t end_ns,
                         int64_t *amounts, size_t count);
/* The last moment that a point or a process knows of. */
uint64_t hasten_timeline_end(const struct hasten_profile *profile);

/* Draws one row of a picture that is `height` rows high, the highest is row 0: a
 * column for each amount, as high as its share of `full`. Amounts above zero show at
 * the bottom however small they are. */
void hasten_timeline_draw(struct hasten_page *page, enum hasten_style style, const int64_t *amounts,
                          size_t count, int64_t full, size_t row, size_t height);

#endif
