/* SPDX-License-Identifier: MIT
 *
 * The objects of a program at one moment and which holds which: a directed graph
 * whose nodes are addresses. Filled by whoever can walk the program's memory, node
 * by node in the order of the nodes; a node that is added while another's edges are
 * told comes at the end, so that filling is a walk over everything that is reached.
 *
 * Beside the graph each node has a past (history.h). Owned by one thread. */
#ifndef HASTEN_LEAKS_HEAP_H
#define HASTEN_LEAKS_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/allocator.h"
#include "hasten/status.h"

#define HASTEN_HEAP_NONE UINT32_MAX
/* Sizes are kept in units of this many bytes, the allocators' own grain. */
#define HASTEN_HEAP_GRAIN 16
/* How many earlier extents a node remembers. */
#define HASTEN_HEAP_EXTENTS 3
/* Of this many nodes the walk says that it is too much: some 12 GB of tables. */
#define HASTEN_HEAP_MOST_NODES (1u << 27)

struct hasten_heap_node {
    uint64_t address;
    uint32_t type;       /* the owner's number for it */
    uint32_t grains;     /* size in HASTEN_HEAP_GRAIN bytes, rounded up */
    uint32_t edges;      /* its first edge; the next node's first is its end */
    uint32_t references; /* edges that lead here */
};

/* What is known of a node from earlier moments. */
struct hasten_heap_past {
    uint32_t birth; /* the mark at which it was first there; 0: the baseline */
    /* Of a container: grains of the addresses of what it holds first and last, or 0. */
    uint32_t first, last;
    /* Edges (of what has none: grains) at earlier marks, the newest first;
     * HASTEN_HEAP_NONE: it was not there. */
    uint32_t extents[HASTEN_HEAP_EXTENTS];
};

struct hasten_heap {
    const struct hasten_allocator *allocator;
    struct hasten_heap_node *nodes;
    struct hasten_heap_past *past; /* as many as nodes once there is history */
    uint32_t *edges;
    uint32_t *slots; /* open addressing: node + 1, 0: free */
    size_t node_count, node_capacity;
    size_t past_capacity;
    size_t edge_count, edge_capacity;
    size_t slot_capacity; /* a power of two */
};

void hasten_heap_init(struct hasten_heap *heap, const struct hasten_allocator *allocator);
void hasten_heap_done(struct hasten_heap *heap);
/* Forgets who holds whom, which only the moment's questions need. */
void hasten_heap_drop_edges(struct hasten_heap *heap);

/* The node at an address, HASTEN_HEAP_NONE where there is none. */
uint32_t hasten_heap_find(const struct hasten_heap *heap, uint64_t address);
/* Finds or adds it. LIMIT: too many. */
HASTEN_CHECKED hasten_status hasten_heap_add(struct hasten_heap *heap, uint64_t address,
                                             uint32_t *ret_node, bool *ret_is_new);
/* From here on edges are those of this node, the one after the last that was begun. */
void hasten_heap_begin(struct hasten_heap *heap, uint32_t node);
HASTEN_CHECKED hasten_status hasten_heap_edge(struct hasten_heap *heap, uint32_t to);

static inline uint32_t hasten_heap_edges_end(const struct hasten_heap *heap, uint32_t node) {
    return node + 1 < heap->node_count ? heap->nodes[node + 1].edges : (uint32_t)heap->edge_count;
}

/* How much a node holds: its edges, or what it is large where it has none. */
static inline uint32_t hasten_heap_extent(const struct hasten_heap *heap, uint32_t node) {
    uint32_t edges = hasten_heap_edges_end(heap, node) - heap->nodes[node].edges;
    return edges > 0 ? edges : heap->nodes[node].grains;
}

static inline uint64_t hasten_heap_bytes(const struct hasten_heap *heap, uint32_t node) {
    return (uint64_t)heap->nodes[node].grains * HASTEN_HEAP_GRAIN;
}

static inline uint32_t hasten_heap_grains(uint64_t bytes) {
    uint64_t grains = (bytes + HASTEN_HEAP_GRAIN - 1) / HASTEN_HEAP_GRAIN;
    return grains < UINT32_MAX ? (uint32_t)grains : UINT32_MAX;
}

#endif
