/* SPDX-License-Identifier: MIT
 *
 * Which rows of an aggregate are shown, and in what order. */
#ifndef HASTEN_REPORT_ORDER_H
#define HASTEN_REPORT_ORDER_H

#include "core/base/buffer.h"
#include "core/report/aggregate.h"

/* Fills function_order and line_order. The order is total: ties are broken by
 * file, line and name, so that the same profile always gives the same report. */
HASTEN_CHECKED hasten_status hasten_aggregate_order(struct hasten_aggregate *aggregate,
                                                    const struct hasten_report_options *options);

/* Whether "file:qualname" contains the filter; NULL and "" let all pass. `scratch` is
 * overwritten. */
bool hasten_row_passes(const struct hasten_profile *profile, const struct hasten_row *row,
                       const char *filter, struct hasten_buffer *scratch);

#endif
