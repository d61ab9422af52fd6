/* SPDX-License-Identifier: MIT
 *
 * The other direction of the edges: whom a function called. */
#include "core/pstats/table.h"

#include <string.h>

/* Counts each function's edges one place to the right, so that their sums are the
 * places where groups begin. */
static void count_groups(struct hasten_pstats_callees *callees,
                         const struct hasten_pstats_rows *rows) {
    for (size_t i = 0; i < rows->edge_count; i++) {
        callees->starts[rows->edges[i].caller + 1]++;
    }
    for (size_t i = 0; i < callees->function_count; i++) {
        callees->starts[i + 1] += callees->starts[i];
    }
}

hasten_status hasten_pstats_callees_init(struct hasten_pstats_callees *callees,
                                         const struct hasten_pstats *table) {
    const struct hasten_pstats_rows *rows = &table->rows;
    *callees = (struct hasten_pstats_callees){
        .allocator = table->allocator,
        .function_count = table->names.function_count,
        .edge_count = rows->edge_count,
    };
    const size_t size = (callees->function_count + 1) * sizeof *callees->starts;
    callees->starts = hasten_allocate_zeroed(table->allocator, size);
    callees->edges = hasten_allocate(table->allocator, rows->edge_count * sizeof *callees->edges);
    uint32_t *next = hasten_allocate(table->allocator, size);
    if (callees->starts == NULL || callees->edges == NULL || next == NULL) {
        hasten_release(table->allocator, next, size);
        hasten_pstats_callees_done(callees);
        return HASTEN_NO_MEMORY;
    }
    count_groups(callees, rows);
    memcpy(next, callees->starts, size);
    for (size_t row = 0; row < rows->count; row++) {
        uint32_t edge = rows->rows[row].first_edge;
        for (; edge != HASTEN_PSTATS_NONE; edge = rows->edges[edge].next) {
            callees->edges[next[rows->edges[edge].caller]++] = edge;
        }
    }
    hasten_release(table->allocator, next, size);
    return HASTEN_OK;
}

void hasten_pstats_callees_done(struct hasten_pstats_callees *callees) {
    hasten_release(callees->allocator, callees->starts,
                   (callees->function_count + 1) * sizeof *callees->starts);
    hasten_release(callees->allocator, callees->edges,
                   callees->edge_count * sizeof *callees->edges);
    *callees = (struct hasten_pstats_callees){.allocator = callees->allocator};
}
