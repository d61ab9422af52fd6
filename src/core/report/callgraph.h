/* SPDX-License-Identifier: MIT
 *
 * Who called whom: a profile's tree of stacks summed up by function and by pair of
 * caller and callee, as cProfile counts. A call is primitive where no other call of
 * the function (of the pair) is active; only the time of such calls is in `total_ns`,
 * so that recursion is not counted twice. Whether a call is primitive follows from
 * where its node is in the tree.
 *
 * Of a sampled profile there are times, which count as in aggregate.h, and no calls. */
#ifndef HASTEN_REPORT_CALLGRAPH_H
#define HASTEN_REPORT_CALLGRAPH_H

#include "core/base/map.h"
#include "core/report/aggregate.h"

struct hasten_call_sums {
    int64_t calls, primitive_calls;
    int64_t self_ns, total_ns;
};

struct hasten_call_edge {
    uint32_t caller, callee;
    struct hasten_call_sums sums; /* of the callee, when called from there */
};

/* Owns its arrays; borrows the aggregate. */
struct hasten_callgraph {
    const struct hasten_aggregate *aggregate;
    uint32_t *function_of; /* by code: index into `functions` */
    struct hasten_call_sums *functions;
    size_t function_count;
    struct hasten_call_edge *edges;
    size_t edge_count, edge_capacity;
};

/* `function_of` says which codes are one function; NULL: as the profile does. It is
 * copied. Edges come in the order in which the tree has them. */
HASTEN_CHECKED hasten_status hasten_callgraph_init(struct hasten_callgraph *graph,
                                                   const struct hasten_aggregate *aggregate,
                                                   const uint32_t *function_of,
                                                   size_t function_count);
void hasten_callgraph_done(struct hasten_callgraph *graph);

/* For qsort_r, of indexes of edges: by time, then by calls, largest first. `graph` is
 * the graph. */
int hasten_callgraph_compare_edges(const void *left_index, const void *right_index, void *graph);

static inline bool hasten_call_sums_are_empty(const struct hasten_call_sums *sums) {
    return sums->calls == 0 && sums->self_ns == 0 && sums->total_ns == 0;
}

#endif
