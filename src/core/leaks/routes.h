/* SPDX-License-Identifier: MIT
 *
 * The shortest chain of holders from a root to every object of a heap. */
#ifndef HASTEN_LEAKS_ROUTES_H
#define HASTEN_LEAKS_ROUTES_H

#include "core/leaks/heap.h"

/* Where chains begin. A root with a level is as far away as if that many holders
 * came before it: among two chains the one from the better root wins although it
 * is longer by that much. */
struct hasten_route_root {
    uint32_t node;
    uint32_t level;
};

struct hasten_routes {
    const struct hasten_allocator *allocator;
    uint32_t *parents; /* by node; itself: a root; HASTEN_HEAP_NONE: not reached */
    uint32_t *order;   /* the nodes that were reached, holders before what they hold */
    size_t node_count;
    size_t reached;
};

void hasten_routes_init(struct hasten_routes *paths, const struct hasten_allocator *allocator);
void hasten_routes_done(struct hasten_routes *paths);
/* Makes room for the heap's nodes, none of them reached. */
HASTEN_CHECKED hasten_status hasten_routes_begin(struct hasten_routes *paths,
                                                 const struct hasten_heap *heap);
/* Reaches what can be reached from these roots, in order of their levels, and was
 * not yet. */
void hasten_routes_extend(struct hasten_routes *paths, const struct hasten_heap *heap,
                          const struct hasten_route_root *roots, size_t root_count);

static inline bool hasten_routes_is_root(const struct hasten_routes *paths, uint32_t node) {
    return paths->parents[node] == node;
}

#endif
