/* SPDX-License-Identifier: MIT
 *
 * A search breadth first, in which roots join at their levels. */
#include "core/leaks/routes.h"

#include <string.h>

void hasten_routes_init(struct hasten_routes *paths, const struct hasten_allocator *allocator) {
    *paths = (struct hasten_routes){.allocator = allocator};
}

void hasten_routes_done(struct hasten_routes *paths) {
    size_t size = paths->node_count * sizeof(uint32_t);
    hasten_release(paths->allocator, paths->parents, size);
    hasten_release(paths->allocator, paths->order, size);
    hasten_routes_init(paths, paths->allocator);
}

hasten_status hasten_routes_begin(struct hasten_routes *paths, const struct hasten_heap *heap) {
    hasten_routes_done(paths);
    if (heap->node_count == 0) {
        return HASTEN_OK;
    }
    size_t size = heap->node_count * sizeof(uint32_t);
    uint32_t *parents = hasten_allocate(paths->allocator, size);
    uint32_t *order = hasten_allocate(paths->allocator, size);
    if (parents == NULL || order == NULL) {
        hasten_release(paths->allocator, parents, size);
        hasten_release(paths->allocator, order, size);
        return HASTEN_NO_MEMORY;
    }
    memset(parents, 0xff, size); /* HASTEN_HEAP_NONE */
    paths->parents = parents;
    paths->order = order;
    paths->node_count = heap->node_count;
    return HASTEN_OK;
}

static void reach(struct hasten_routes *paths, uint32_t node, uint32_t parent) {
    if (paths->parents[node] == HASTEN_HEAP_NONE) {
        paths->parents[node] = parent;
        paths->order[paths->reached++] = node;
    }
}

void hasten_routes_extend(struct hasten_routes *paths, const struct hasten_heap *heap,
                          const struct hasten_route_root *roots, size_t root_count) {
    size_t next = paths->reached; /* in `order`: who was reached and not looked at */
    size_t joined = 0;
    for (uint32_t level = 0; joined < root_count || next < paths->reached; level++) {
        if (next == paths->reached && joined < root_count && roots[joined].level > level) {
            level = roots[joined].level;
        }
        for (; joined < root_count && roots[joined].level <= level; joined++) {
            reach(paths, roots[joined].node, roots[joined].node);
        }
        for (size_t end = paths->reached; next < end; next++) {
            uint32_t node = paths->order[next];
            uint32_t edges_end = hasten_heap_edges_end(heap, node);
            for (uint32_t edge = heap->nodes[node].edges; edge < edges_end; edge++) {
                reach(paths, heap->edges[edge], node);
            }
        }
    }
}
