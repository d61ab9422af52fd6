/* SPDX-License-Identifier: MIT
 *
 * Walks CPython's location table (co_linetable of 3.11 and later) entry by
 * entry. The table is untrusted: every read is bounded. */
#ifndef HASTEN_PROFILE_LOCATION_H
#define HASTEN_PROFILE_LOCATION_H

#include <stdbool.h>

#include "core/base/cursor.h"
#include "hasten/profile.h"

struct hasten_location_walk {
    struct hasten_cursor cursor;
    int64_t line;                    /* running line, as the deltas add up */
    uint64_t start;                  /* code units covered: [start, end) */
    uint64_t end;                    /* */
    struct hasten_location location; /* of these units; all zero: none */
};

void hasten_location_walk_init(struct hasten_location_walk *walk, const struct hasten_code *code);
/* Goes to the next entry; false at the table's end and where it is damaged. */
bool hasten_location_walk_next(struct hasten_location_walk *walk);

#endif
