/* SPDX-License-Identifier: MIT
 *
 * Sums over the stack tree. Parents have smaller indexes than children, so one
 * pass from the last node to the first sums subtrees without recursion. */
#include "core/profile/totals.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/allocator.h"
#include "core/base/map.h"
#include "core/profile/location.h"

#define OUTERMOST_FUNCTION 1u
#define OUTERMOST_LINE 2u

/* A node by where it is in its code, to walk each location table once. */
struct position {
    uint32_t code;
    uint32_t instruction;
    uint32_t node;
};

static int compare_positions(const void *left_item, const void *right_item) {
    const struct position *left = left_item;
    const struct position *right = right_item;
    if (left->code != right->code) {
        return left->code < right->code ? -1 : 1;
    }
    return (left->instruction > right->instruction) - (left->instruction < right->instruction);
}

/* The line's index, new or known; HASTEN_NONE where memory ran out. */
static uint32_t find_line(struct hasten_totals *totals, struct hasten_map *line_of,
                          uint32_t function, int32_t line) {
    void *lines = totals->lines;
    if (hasten_grow(totals->allocator, &lines, &totals->line_capacity, totals->line_count + 1,
                    sizeof *totals->lines) != 0) {
        return HASTEN_NONE;
    }
    totals->lines = lines;
    struct hasten_map_key key = {.low = (uint64_t)function << 32 | (uint32_t)line};
    bool inserted = false;
    const uint32_t *index =
        hasten_map_insert(line_of, key, (uint32_t)totals->line_count, &inserted);
    if (index == NULL) {
        return HASTEN_NONE;
    }
    if (inserted) {
        totals->lines[totals->line_count++] =
            (struct hasten_line){.function = function, .line = line};
    }
    return *index;
}

/* Gives every node its line; `positions` is sorted. */
static hasten_status resolve_sorted(struct hasten_totals *totals, const struct position *positions,
                                    size_t count) {
    const struct hasten_profile *profile = totals->profile;
    hasten_status status = HASTEN_OK;
    struct hasten_map line_of;
    hasten_map_init(&line_of, totals->allocator);
    struct hasten_location_walk walk = {0};
    bool more = false;
    for (size_t i = 0; i < count && status == HASTEN_OK; i++) {
        const struct hasten_code *code = &profile->codes[positions[i].code];
        if (i == 0 || positions[i].code != positions[i - 1].code) {
            hasten_location_walk_init(&walk, code);
            more = hasten_location_walk_next(&walk);
        }
        while (more && positions[i].instruction >= walk.end) {
            more = hasten_location_walk_next(&walk);
        }
        int32_t line = more ? walk.location.line : code->first_line > 0 ? code->first_line : 0;
        uint32_t index = find_line(totals, &line_of, code->function, line);
        if (index == HASTEN_NONE) {
            status = HASTEN_NO_MEMORY;
        }
        totals->node_line[positions[i].node] = index;
    }
    hasten_map_done(&line_of);
    return status;
}

static hasten_status resolve_lines(struct hasten_totals *totals) {
    const struct hasten_profile *profile = totals->profile;
    size_t count = profile->node_count - 1;
    totals->node_line[0] = HASTEN_NONE;
    struct position *positions = hasten_allocate(totals->allocator, count * sizeof *positions);
    if (positions == NULL) {
        return HASTEN_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        const struct hasten_node *node = &profile->nodes[i + 1];
        positions[i] = (struct position){node->code, node->instruction, (uint32_t)(i + 1)};
    }
    qsort(positions, count, sizeof *positions, compare_positions);
    hasten_status status = resolve_sorted(totals, positions, count);
    hasten_release(totals->allocator, positions, count * sizeof *positions);
    return status;
}

/* Links and counters for the walk of the tree. */
struct walk {
    uint32_t *first_child;
    uint32_t *next_sibling;
    uint32_t *function_depth; /* how many nodes on the current stack have it */
    uint32_t *line_depth;
};

static void enter_node(struct hasten_totals *totals, const struct walk *walk, uint32_t node) {
    const struct hasten_profile *profile = totals->profile;
    uint32_t function = profile->codes[profile->nodes[node].code].function;
    if (walk->function_depth[function]++ == 0) {
        totals->outermost[node] |= OUTERMOST_FUNCTION;
    }
    if (walk->line_depth[totals->node_line[node]]++ == 0) {
        totals->outermost[node] |= OUTERMOST_LINE;
    }
}

static void leave_node(const struct hasten_totals *totals, const struct walk *walk, uint32_t node) {
    const struct hasten_profile *profile = totals->profile;
    walk->function_depth[profile->codes[profile->nodes[node].code].function]--;
    walk->line_depth[totals->node_line[node]]--;
}

static void walk_tree(struct hasten_totals *totals, const struct walk *walk) {
    const struct hasten_node *nodes = totals->profile->nodes;
    for (uint32_t node = (uint32_t)totals->profile->node_count - 1; node > 0; node--) {
        walk->next_sibling[node] = walk->first_child[nodes[node].parent];
        walk->first_child[nodes[node].parent] = node;
    }
    uint32_t node = walk->first_child[0]; /* 0: none, as the root is nobody's child */
    while (node != 0) {
        enter_node(totals, walk, node);
        if (walk->first_child[node] != 0) {
            node = walk->first_child[node];
            continue;
        }
        leave_node(totals, walk, node);
        while (walk->next_sibling[node] == 0 && nodes[node].parent != 0) {
            node = nodes[node].parent;
            leave_node(totals, walk, node);
        }
        node = walk->next_sibling[node];
    }
}

static hasten_status find_outermost(struct hasten_totals *totals) {
    const struct hasten_allocator *allocator = totals->allocator;
    size_t node_bytes = totals->profile->node_count * sizeof(uint32_t);
    size_t function_bytes = totals->profile->function_count * sizeof(uint32_t);
    size_t line_bytes = totals->line_count * sizeof(uint32_t);
    struct walk walk = {
        .first_child = hasten_allocate_zeroed(allocator, node_bytes),
        .next_sibling = hasten_allocate_zeroed(allocator, node_bytes),
        .function_depth = hasten_allocate_zeroed(allocator, function_bytes),
        .line_depth = hasten_allocate_zeroed(allocator, line_bytes),
    };
    hasten_status status = HASTEN_NO_MEMORY;
    if (walk.first_child != NULL && walk.next_sibling != NULL && walk.function_depth != NULL &&
        walk.line_depth != NULL) {
        walk_tree(totals, &walk);
        status = HASTEN_OK;
    }
    hasten_release(allocator, walk.first_child, node_bytes);
    hasten_release(allocator, walk.next_sibling, node_bytes);
    hasten_release(allocator, walk.function_depth, function_bytes);
    hasten_release(allocator, walk.line_depth, line_bytes);
    return status;
}

static hasten_status allocate_sums(struct hasten_totals *totals) {
    const struct hasten_allocator *allocator = totals->allocator;
    size_t function_bytes = totals->profile->function_count * sizeof(int64_t);
    size_t line_bytes = totals->line_count * sizeof(int64_t);
    size_t node_bytes = totals->profile->node_count * sizeof(int64_t);
    totals->function_self = hasten_allocate_zeroed(allocator, function_bytes);
    totals->function_total = hasten_allocate_zeroed(allocator, function_bytes);
    totals->line_self = hasten_allocate_zeroed(allocator, line_bytes);
    totals->line_total = hasten_allocate_zeroed(allocator, line_bytes);
    totals->node_total = hasten_allocate_zeroed(allocator, node_bytes);
    bool all = totals->function_self != NULL && totals->function_total != NULL &&
               totals->line_self != NULL && totals->line_total != NULL &&
               totals->node_total != NULL;
    return all ? HASTEN_OK : HASTEN_NO_MEMORY;
}

hasten_status hasten_totals_init(struct hasten_totals *totals, const struct hasten_profile *profile,
                                 const struct hasten_allocator *allocator) {
    *totals = (struct hasten_totals){.allocator = allocator, .profile = profile};
    totals->node_line = hasten_allocate(allocator, profile->node_count * sizeof(uint32_t));
    totals->outermost = hasten_allocate_zeroed(allocator, profile->node_count);
    hasten_status status = totals->node_line == NULL || totals->outermost == NULL
                               ? HASTEN_NO_MEMORY
                               : resolve_lines(totals);
    if (status == HASTEN_OK) {
        status = find_outermost(totals);
    }
    if (status == HASTEN_OK) {
        status = allocate_sums(totals);
    }
    if (status != HASTEN_OK) {
        hasten_totals_done(totals);
    }
    return status;
}

void hasten_totals_done(struct hasten_totals *totals) {
    const struct hasten_allocator *allocator = totals->allocator;
    if (totals->profile == NULL) {
        return;
    }
    size_t node_count = totals->profile->node_count;
    size_t function_bytes = totals->profile->function_count * sizeof(int64_t);
    size_t line_bytes = totals->line_count * sizeof(int64_t);
    hasten_release(allocator, totals->node_line, node_count * sizeof(uint32_t));
    hasten_release(allocator, totals->outermost, node_count);
    hasten_release(allocator, totals->function_self, function_bytes);
    hasten_release(allocator, totals->function_total, function_bytes);
    hasten_release(allocator, totals->line_self, line_bytes);
    hasten_release(allocator, totals->line_total, line_bytes);
    hasten_release(allocator, totals->node_total, node_count * sizeof(int64_t));
    hasten_release(allocator, totals->lines, totals->line_capacity * sizeof *totals->lines);
    *totals = (struct hasten_totals){.allocator = allocator};
}

/* Saturates: amounts come from files. */
static void add_to(int64_t *sum, int64_t amount) {
    int64_t result = 0;
    if (__builtin_add_overflow(*sum, amount, &result)) {
        result = amount < 0 ? INT64_MIN : INT64_MAX;
    }
    *sum = result;
}

void hasten_totals_metric(struct hasten_totals *totals, uint32_t metric) {
    const struct hasten_profile *profile = totals->profile;
    memset(totals->function_self, 0, profile->function_count * sizeof(int64_t));
    memset(totals->function_total, 0, profile->function_count * sizeof(int64_t));
    memset(totals->line_self, 0, totals->line_count * sizeof(int64_t));
    memset(totals->line_total, 0, totals->line_count * sizeof(int64_t));
    memset(totals->node_total, 0, profile->node_count * sizeof(int64_t));
    for (size_t i = 0; i < profile->value_count; i++) {
        if (profile->values[i].metric == metric) {
            add_to(&totals->node_total[profile->values[i].node], profile->values[i].amount);
        }
    }
    for (size_t node = profile->node_count - 1; node > 0; node--) {
        uint32_t function = profile->codes[profile->nodes[node].code].function;
        uint32_t line = totals->node_line[node];
        int64_t total = totals->node_total[node];
        if ((totals->outermost[node] & OUTERMOST_FUNCTION) != 0) {
            add_to(&totals->function_total[function], total);
        }
        if ((totals->outermost[node] & OUTERMOST_LINE) != 0) {
            add_to(&totals->line_total[line], total);
        }
        add_to(&totals->node_total[profile->nodes[node].parent], total);
    }
    for (size_t i = 0; i < profile->value_count; i++) {
        const struct hasten_value *value = &profile->values[i];
        if (value->metric == metric && value->node != 0) {
            uint32_t function = profile->codes[profile->nodes[value->node].code].function;
            add_to(&totals->function_self[function], value->amount);
            add_to(&totals->line_self[totals->node_line[value->node]], value->amount);
        }
    }
}
