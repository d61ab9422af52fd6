/* SPDX-License-Identifier: MIT
 *
 * Carries births and extents over from one heap to the next. */
#include "core/leaks/history.h"

#include <string.h>

void hasten_history_init(struct hasten_history *history) {
    memset(history, 0xff, sizeof *history); /* HASTEN_HEAP_NONE */
    history->marks = 0;
}

struct ends {
    uint32_t first, last;
};

static uint32_t grain_at(const struct hasten_heap *heap, uint32_t edge) {
    return (uint32_t)(heap->nodes[heap->edges[edge]].address / HASTEN_HEAP_GRAIN);
}

static struct ends ends_of(const struct hasten_heap *heap, uint32_t node) {
    uint32_t begin = heap->nodes[node].edges;
    uint32_t end = hasten_heap_edges_end(heap, node);
    return begin < end ? (struct ends){grain_at(heap, begin), grain_at(heap, end - 1)}
                       : (struct ends){0, 0};
}

/* What is empty now or was then may be the same. */
static bool is_same(const struct hasten_heap *before, uint32_t old, const struct hasten_heap *heap,
                    uint32_t node, struct ends ends) {
    const struct hasten_heap_past *was = &before->past[old];
    return before->nodes[old].type == heap->nodes[node].type &&
           (ends.first == 0 || was->first == 0 || ends.first == was->first ||
            ends.last == was->last);
}

hasten_status hasten_history_follow(const struct hasten_history *history,
                                    const struct hasten_heap *before, struct hasten_heap *heap,
                                    bool (*is_container)(void *data, uint32_t type), void *data) {
    void *past = heap->past;
    if (hasten_grow(heap->allocator, &past, &heap->past_capacity, heap->node_count + 1,
                    sizeof *heap->past) < 0) {
        return HASTEN_NO_MEMORY;
    }
    heap->past = past;
    for (size_t i = 0; i < heap->node_count; i++) {
        uint32_t node = (uint32_t)i;
        uint32_t old = hasten_heap_find(before, heap->nodes[i].address);
        struct ends ends = {0, 0};
        if (is_container != NULL && is_container(data, heap->nodes[i].type)) {
            ends = ends_of(heap, node);
        }
        if (old != HASTEN_HEAP_NONE && is_same(before, old, heap, node, ends)) {
            heap->past[i] = before->past[old];
        } else {
            memset(&heap->past[i], 0xff, sizeof heap->past[i]); /* HASTEN_HEAP_NONE */
            heap->past[i].birth = history->marks;
        }
        heap->past[i].first = ends.first;
        heap->past[i].last = ends.last;
    }
    return HASTEN_OK;
}

static bool is_power_of_two(uint32_t number) {
    return (number & (number - 1)) == 0;
}

void hasten_history_mark(struct hasten_history *history, struct hasten_heap *heap) {
    uint32_t mark = history->marks++;
    if (!is_power_of_two(mark)) { /* 0 and 1 count as such */
        return;
    }
    memmove(history->referred + 1, history->referred,
            sizeof history->referred - sizeof *history->referred);
    history->referred[0] = mark;
    for (size_t i = 0; i < heap->node_count; i++) {
        uint32_t *extents = heap->past[i].extents;
        memmove(extents + 1, extents, sizeof heap->past[i].extents - sizeof *extents);
        extents[0] = hasten_heap_extent(heap, (uint32_t)i);
    }
}

bool hasten_history_references(const struct hasten_history *history, size_t *ret_early,
                               size_t *ret_middle) {
    for (size_t i = 0; i + 1 < HASTEN_HEAP_EXTENTS; i++) {
        uint32_t mark = history->referred[i];
        if (mark != HASTEN_HEAP_NONE && history->referred[i + 1] != HASTEN_HEAP_NONE &&
            (history->marks - 1 - mark) * 3 >= history->marks - 1) {
            *ret_middle = i;
            *ret_early = i + 1;
            return true;
        }
    }
    return false;
}
