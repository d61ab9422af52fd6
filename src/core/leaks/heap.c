/* SPDX-License-Identifier: MIT
 *
 * The graph's tables. The index has a number for each node and no key: the address
 * is in the node, where whoever looks it up goes next anyway. */
#include "core/leaks/heap.h"

#include <string.h>

#define FIRST_SLOTS 1024 /* a power of two */

void hasten_heap_init(struct hasten_heap *heap, const struct hasten_allocator *allocator) {
    *heap = (struct hasten_heap){.allocator = allocator};
}

void hasten_heap_drop_edges(struct hasten_heap *heap) {
    hasten_release(heap->allocator, heap->edges, heap->edge_capacity * sizeof *heap->edges);
    heap->edges = NULL;
    heap->edge_count = 0;
    heap->edge_capacity = 0;
}

void hasten_heap_done(struct hasten_heap *heap) {
    hasten_heap_drop_edges(heap);
    hasten_release(heap->allocator, heap->nodes, heap->node_capacity * sizeof *heap->nodes);
    hasten_release(heap->allocator, heap->past, heap->past_capacity * sizeof *heap->past);
    hasten_release(heap->allocator, heap->slots, heap->slot_capacity * sizeof *heap->slots);
    hasten_heap_init(heap, heap->allocator);
}

/* Objects lie at multiples of 8 or 16: the low bits say nothing. */
static size_t home_of(const struct hasten_heap *heap, uint64_t address) {
    uint64_t hash = (address >> 3) * 0x9e3779b97f4a7c15u;
    return (size_t)(hash >> 20) & (heap->slot_capacity - 1);
}

/* The slot of the address or the free one where it would go. */
static size_t probe(const struct hasten_heap *heap, uint64_t address) {
    size_t slot = home_of(heap, address);
    while (heap->slots[slot] != 0 && heap->nodes[heap->slots[slot] - 1].address != address) {
        slot = (slot + 1) & (heap->slot_capacity - 1);
    }
    return slot;
}

/* At most half full: probing is what a walk spends its time on. */
static bool grow_slots(struct hasten_heap *heap) {
    size_t capacity = heap->slot_capacity == 0 ? FIRST_SLOTS : heap->slot_capacity * 2;
    uint32_t *slots = hasten_allocate_zeroed(heap->allocator, capacity * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    hasten_release(heap->allocator, heap->slots, heap->slot_capacity * sizeof *heap->slots);
    heap->slots = slots;
    heap->slot_capacity = capacity;
    for (size_t node = 0; node < heap->node_count; node++) {
        heap->slots[probe(heap, heap->nodes[node].address)] = (uint32_t)node + 1;
    }
    return true;
}

uint32_t hasten_heap_find(const struct hasten_heap *heap, uint64_t address) {
    if (heap->node_count == 0) {
        return HASTEN_HEAP_NONE;
    }
    uint32_t found = heap->slots[probe(heap, address)];
    return found == 0 ? HASTEN_HEAP_NONE : found - 1;
}

hasten_status hasten_heap_add(struct hasten_heap *heap, uint64_t address, uint32_t *ret_node,
                              bool *ret_is_new) {
    if (heap->node_count >= heap->slot_capacity / 2 && !grow_slots(heap)) {
        return HASTEN_NO_MEMORY;
    }
    size_t slot = probe(heap, address);
    if (heap->slots[slot] != 0) {
        *ret_node = heap->slots[slot] - 1;
        *ret_is_new = false;
        return HASTEN_OK;
    }
    if (heap->node_count >= HASTEN_HEAP_MOST_NODES) {
        return HASTEN_LIMIT;
    }
    void *nodes = heap->nodes;
    if (hasten_grow(heap->allocator, &nodes, &heap->node_capacity, heap->node_count + 1,
                    sizeof *heap->nodes) < 0) {
        return HASTEN_NO_MEMORY;
    }
    heap->nodes = nodes;
    heap->nodes[heap->node_count] = (struct hasten_heap_node){.address = address};
    heap->slots[slot] = (uint32_t)heap->node_count + 1;
    *ret_node = (uint32_t)heap->node_count++;
    *ret_is_new = true;
    return HASTEN_OK;
}

void hasten_heap_begin(struct hasten_heap *heap, uint32_t node) {
    heap->nodes[node].edges = (uint32_t)heap->edge_count;
}

hasten_status hasten_heap_edge(struct hasten_heap *heap, uint32_t to) {
    if (heap->edge_count == heap->edge_capacity) {
        void *edges = heap->edges;
        if (heap->edge_count >= UINT32_MAX - 1) {
            return HASTEN_LIMIT;
        }
        if (hasten_grow(heap->allocator, &edges, &heap->edge_capacity, heap->edge_count + 1,
                        sizeof *heap->edges) < 0) {
            return HASTEN_NO_MEMORY;
        }
        heap->edges = edges;
    }
    heap->edges[heap->edge_count++] = to;
    heap->nodes[to].references++;
    return HASTEN_OK;
}
