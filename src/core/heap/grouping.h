/* SPDX-License-Identifier: MIT
 *
 * Sums of one or two snapshots by line, file or path, in the order in which the
 * standard module sorts them. */
#ifndef HASTEN_HEAP_GROUPING_H
#define HASTEN_HEAP_GROUPING_H

#include "core/heap/traces.h"

enum hasten_grouping_key {
    HASTEN_GROUP_BY_TRACEBACK,
    HASTEN_GROUP_BY_FILE,
    HASTEN_GROUP_BY_LINE,
};

/* New and old, where two snapshots are compared. */
enum { HASTEN_GROUPING_NEW, HASTEN_GROUPING_OLD, HASTEN_GROUPING_SIDES };

struct hasten_group {
    uint32_t path; /* in the grouping's own paths; of one step but for tracebacks */
    uint64_t size_bytes[HASTEN_GROUPING_SIDES];
    uint64_t count[HASTEN_GROUPING_SIDES];
};

struct hasten_grouping {
    const struct hasten_allocator *allocator;
    enum hasten_grouping_key key;
    bool is_cumulative;        /* a block counts for every frame of its path */
    struct hasten_traces keys; /* files and paths only */
    struct hasten_group *groups;
    size_t group_count;
    size_t group_capacity;
    uint32_t *group_of_path; /* index + 1; 0: none */
    size_t path_capacity;
};

void hasten_grouping_init(struct hasten_grouping *grouping, enum hasten_grouping_key key,
                          bool is_cumulative, const struct hasten_allocator *allocator);
void hasten_grouping_done(struct hasten_grouping *grouping);
/* Adds a snapshot's blocks on one side. */
HASTEN_CHECKED hasten_status hasten_grouping_add(struct hasten_grouping *grouping,
                                                 const struct hasten_traces *traces, int side);
/* Sorts the groups, the largest first: by size, or by how much it changed. */
HASTEN_CHECKED hasten_status hasten_grouping_sort(struct hasten_grouping *grouping, bool by_change);

#endif
