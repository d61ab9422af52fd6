/* SPDX-License-Identifier: MIT
 *
 * Carries births and extents over from one heap to the next. */
#include "core/leaks/history.h"

#include <string.h>

void hasten_history_init(struct hasten_history *history) {
    memset(history, 0xff, sizeof *history); /* HASTEN_HEAP_NONE */
    history->marks = 0;
}

hasten_status hasten_history_follow(const struct hasten_history *history,
                                    const struct hasten_heap *before, struct hasten_heap *heap) {
    void *past = heap->past;
    if (hasten_grow(heap->allocator, &past, &heap->past_capacity, heap->node_count + 1,
                    sizeof *heap->past) < 0) {
        return HASTEN_NO_MEMORY;
    }
    heap->past = past;
    for (size_t i = 0; i < heap->node_count; i++) {
        uint32_t old = hasten_heap_find(before, heap->nodes[i].address);
        if (old != HASTEN_HEAP_NONE && before->nodes[old].type == heap->nodes[i].type) {
            heap->past[i] = before->past[old];
        } else {
            memset(&heap->past[i], 0xff, sizeof heap->past[i]); /* HASTEN_HEAP_NONE */
            heap->past[i].birth = history->marks;
        }
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
