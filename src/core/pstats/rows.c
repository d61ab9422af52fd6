/* SPDX-License-Identifier: MIT
 *
 * Storage of rows and edges, and the index of edges. */
#include "core/pstats/rows.h"

#include <string.h>

#define FIRST_INDEX_CAPACITY 64

void hasten_pstats_rows_init(struct hasten_pstats_rows *rows,
                             const struct hasten_allocator *allocator) {
    *rows = (struct hasten_pstats_rows){.allocator = allocator};
}

void hasten_pstats_rows_done(struct hasten_pstats_rows *rows) {
    const struct hasten_allocator *allocator = rows->allocator;
    hasten_release(allocator, rows->rows, rows->capacity * sizeof *rows->rows);
    hasten_release(allocator, rows->edges, rows->edge_capacity * sizeof *rows->edges);
    hasten_release(allocator, rows->row_of, rows->function_capacity * sizeof *rows->row_of);
    hasten_release(allocator, rows->index, rows->index_capacity * sizeof *rows->index);
    hasten_pstats_rows_init(rows, allocator);
}

static size_t home_of(const struct hasten_pstats_rows *rows, uint32_t row, uint32_t caller) {
    uint64_t hash = ((uint64_t)row << 32 | caller) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 32;
    hash *= 0xd6e8feb86659fd93u;
    return (size_t)(hash >> 32 ^ hash) & (rows->index_capacity - 1);
}

/* The place of the edge in the index, or the free one where it would go. */
static uint32_t *probe(const struct hasten_pstats_rows *rows, uint32_t row, uint32_t caller) {
    size_t at = home_of(rows, row, caller);
    while (rows->index[at] != 0) {
        const struct hasten_pstats_edge *edge = &rows->edges[rows->index[at] - 1];
        if (edge->row == row && edge->caller == caller) {
            break;
        }
        at = (at + 1) & (rows->index_capacity - 1);
    }
    return &rows->index[at];
}

/* Puts the edges into the index that are not in it yet. */
static void catch_up(struct hasten_pstats_rows *rows) {
    for (; rows->indexed < rows->edge_count; rows->indexed++) {
        const struct hasten_pstats_edge *edge = &rows->edges[rows->indexed];
        *probe(rows, edge->row, edge->caller) = (uint32_t)rows->indexed + 1;
    }
}

static hasten_status reserve_index(struct hasten_pstats_rows *rows, size_t edges) {
    size_t capacity = rows->index_capacity == 0 ? FIRST_INDEX_CAPACITY : rows->index_capacity;
    while (capacity < edges * 2) {
        capacity *= 2;
    }
    if (capacity == rows->index_capacity) {
        return HASTEN_OK;
    }
    uint32_t *index = hasten_allocate_zeroed(rows->allocator, capacity * sizeof *index);
    if (index == NULL) {
        return HASTEN_NO_MEMORY;
    }
    hasten_release(rows->allocator, rows->index, rows->index_capacity * sizeof *rows->index);
    rows->index = index;
    rows->index_capacity = capacity;
    rows->indexed = 0;
    return HASTEN_OK;
}

hasten_status hasten_pstats_rows_reserve(struct hasten_pstats_rows *rows, size_t functions,
                                         size_t row_count, size_t edge_count, bool indexed) {
    if (rows->count + row_count >= HASTEN_PSTATS_NONE ||
        rows->edge_count + edge_count >= HASTEN_PSTATS_NONE) {
        return HASTEN_LIMIT;
    }
    void *array = rows->rows;
    if (hasten_grow(rows->allocator, &array, &rows->capacity, rows->count + row_count,
                    sizeof *rows->rows) != 0) {
        return HASTEN_NO_MEMORY;
    }
    rows->rows = array;
    array = rows->edges;
    if (hasten_grow(rows->allocator, &array, &rows->edge_capacity, rows->edge_count + edge_count,
                    sizeof *rows->edges) != 0) {
        return HASTEN_NO_MEMORY;
    }
    rows->edges = array;
    const size_t known = rows->function_capacity;
    array = rows->row_of;
    if (hasten_grow(rows->allocator, &array, &rows->function_capacity, functions,
                    sizeof *rows->row_of) != 0) {
        return HASTEN_NO_MEMORY;
    }
    rows->row_of = array;
    if (rows->function_capacity > known) {
        memset(rows->row_of + known, 0, (rows->function_capacity - known) * sizeof *rows->row_of);
    }
    return indexed ? reserve_index(rows, rows->edge_count + edge_count) : HASTEN_OK;
}

uint32_t hasten_pstats_rows_find(const struct hasten_pstats_rows *rows, uint32_t function) {
    return function < rows->function_capacity ? rows->row_of[function] - 1 : HASTEN_PSTATS_NONE;
}

uint32_t hasten_pstats_rows_append(struct hasten_pstats_rows *rows, uint32_t function,
                                   const struct hasten_pstats_cost *cost) {
    const uint32_t row = (uint32_t)rows->count++;
    rows->rows[row] = (struct hasten_pstats_row){
        .cost = *cost,
        .function = function,
        .first_edge = HASTEN_PSTATS_NONE,
        .last_edge = HASTEN_PSTATS_NONE,
    };
    rows->row_of[function] = row + 1;
    return row;
}

void hasten_pstats_rows_append_edge(struct hasten_pstats_rows *rows, uint32_t row, uint32_t caller,
                                    const struct hasten_pstats_cost *cost) {
    const uint32_t number = (uint32_t)rows->edge_count++;
    rows->edges[number] = (struct hasten_pstats_edge){
        .cost = *cost, .row = row, .caller = caller, .next = HASTEN_PSTATS_NONE};
    struct hasten_pstats_row *owner = &rows->rows[row];
    if (owner->first_edge == HASTEN_PSTATS_NONE) {
        owner->first_edge = number;
    } else {
        rows->edges[owner->last_edge].next = number;
    }
    owner->last_edge = number;
}

void hasten_pstats_rows_add_edge(struct hasten_pstats_rows *rows, uint32_t row, uint32_t caller,
                                 const struct hasten_pstats_cost *cost) {
    catch_up(rows);
    const uint32_t *place = probe(rows, row, caller);
    if (*place != 0) {
        hasten_pstats_cost_add(&rows->edges[*place - 1].cost, cost);
    } else {
        hasten_pstats_rows_append_edge(rows, row, caller, cost);
    }
}

/* A sum is whole where both parts were; whoever adds sees to it that it is exact. */
void hasten_pstats_cost_add(struct hasten_pstats_cost *sum, const struct hasten_pstats_cost *cost) {
    sum->primitive_calls += cost->primitive_calls;
    sum->calls += cost->calls;
    sum->own_s += cost->own_s;
    sum->total_s += cost->total_s;
    sum->kinds &= cost->kinds;
}
