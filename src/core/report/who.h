/* SPDX-License-Identifier: MIT
 *
 * Which threads and processes of a profile stand out. */
#ifndef HASTEN_REPORT_WHO_H
#define HASTEN_REPORT_WHO_H

#include "core/report/aggregate.h"

/* Fills is_main and shares_name of the thread rows and is_root of the process
 * rows. */
HASTEN_CHECKED hasten_status hasten_aggregate_find_who(struct hasten_aggregate *aggregate);

#endif
