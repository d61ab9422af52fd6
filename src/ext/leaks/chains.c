/* SPDX-License-Identifier: MIT
 *
 * Chains of holders as text. Long ones (a linked list) are told from both ends. */
#include "ext/leaks/watcher.h"

/* Steps that are told at either end of a chain that is longer than both. */
#define MOST_STEPS 16
/* How far a cycle is looked for. */
#define MOST_CYCLE_NODES 20000

static void root_text(const struct hasten_leaks_analysis *analysis, uint32_t node,
                      struct hasten_buffer *out) {
    const struct hasten_leaks_root *root = hasten_leaks_root_at(analysis, node);
    if (root != NULL) {
        hasten_leaks_root_name(root, out);
        return;
    }
    hasten_buffer_text(out, "(held by C) ");
    hasten_leaks_type_name(Py_TYPE(hasten_leaks_object(analysis->heap, node)), out);
}

void hasten_leaks_chain(const struct hasten_leaks_analysis *analysis, uint32_t node,
                        struct hasten_buffer *out) {
    const uint32_t *parents = analysis->paths.parents;
    size_t length = 0;
    for (uint32_t at = node; parents[at] != at; at = parents[at]) {
        length++;
    }
    /* The first steps and the last ones, in the order from the root. */
    uint32_t steps[2 * MOST_STEPS];
    size_t at_step = length;
    size_t kept = length < 2 * MOST_STEPS ? length : 2 * MOST_STEPS;
    uint32_t at = node;
    for (; parents[at] != at; at = parents[at]) {
        at_step--;
        if (at_step < MOST_STEPS && at_step < kept) {
            steps[at_step] = at;
        } else if (length - at_step <= kept - (kept < MOST_STEPS ? kept : MOST_STEPS)) {
            steps[kept - (length - at_step)] = at;
        }
    }
    root_text(analysis, at, out);
    for (size_t i = 0; i < kept; i++) {
        if (i == MOST_STEPS && kept < length) {
            hasten_buffer_format(out, " ...%zu steps... ", length - kept);
        }
        hasten_leaks_step_name(analysis, parents[steps[i]], steps[i], false, out);
    }
}

struct cycle {
    uint32_t *order;
    uint32_t *parents; /* index in order */
    struct hasten_map seen;
    size_t count, capacity, parent_capacity;
};

static bool cycle_add(struct cycle *cycle, uint32_t node, uint32_t parent) {
    bool is_new = false;
    void *order = cycle->order;
    void *parents = cycle->parents;
    if (hasten_map_insert(&cycle->seen, (struct hasten_map_key){.low = node}, 0, &is_new) == NULL) {
        return false;
    }
    if (!is_new) {
        return true;
    }
    if (hasten_grow(NULL, &order, &cycle->capacity, cycle->count + 1, sizeof *cycle->order) < 0) {
        return false;
    }
    cycle->order = order;
    if (hasten_grow(NULL, &parents, &cycle->parent_capacity, cycle->count + 1,
                    sizeof *cycle->parents) < 0) {
        return false;
    }
    cycle->parents = parents;
    cycle->order[cycle->count] = node;
    cycle->parents[cycle->count++] = parent;
    return true;
}

static void cycle_text(const struct hasten_leaks_analysis *analysis, const struct cycle *cycle,
                       size_t last, uint32_t node, struct hasten_buffer *out) {
    uint32_t steps[MOST_STEPS];
    size_t count = 0;
    for (size_t at = last; at != 0 && count < MOST_STEPS; at = cycle->parents[at]) {
        steps[count++] = cycle->order[at];
    }
    hasten_leaks_type_name(Py_TYPE(hasten_leaks_object(analysis->heap, node)), out);
    uint32_t holder = node;
    for (; count > 0; count--) {
        hasten_leaks_step_name(analysis, holder, steps[count - 1], false, out);
        holder = steps[count - 1];
    }
    hasten_leaks_step_name(analysis, holder, node, false, out);
    hasten_buffer_text(out, " -> itself");
}

void hasten_leaks_cycle(const struct hasten_leaks_analysis *analysis, uint32_t node,
                        struct hasten_buffer *out) {
    const struct hasten_heap *heap = analysis->heap;
    struct cycle cycle = {.order = NULL};
    bool found = false;
    hasten_map_init(&cycle.seen, NULL);
    bool more = cycle_add(&cycle, node, 0);
    for (size_t i = 0; more && !found && i < cycle.count && cycle.count < MOST_CYCLE_NODES; i++) {
        uint32_t holder = cycle.order[i];
        uint32_t end = hasten_heap_edges_end(heap, holder);
        for (uint32_t edge = heap->nodes[holder].edges; more && !found && edge < end; edge++) {
            if (heap->edges[edge] == node) {
                cycle_text(analysis, &cycle, i, node, out);
                found = true;
            } else {
                more = cycle_add(&cycle, heap->edges[edge], (uint32_t)i);
            }
        }
    }
    hasten_map_done(&cycle.seen);
    hasten_release(NULL, cycle.order, cycle.capacity * sizeof *cycle.order);
    hasten_release(NULL, cycle.parents, cycle.parent_capacity * sizeof *cycle.parents);
}
