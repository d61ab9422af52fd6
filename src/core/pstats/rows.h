/* SPDX-License-Identifier: MIT
 *
 * Rows and edges: what a table of statistics counts. A row is a function with its
 * cost, an edge says what one caller contributed to a row. Rows keep the order in
 * which they came, and a row's edges theirs: Python's dicts do, and what is
 * printed unsorted shows it. */
#ifndef HASTEN_PSTATS_ROWS_H
#define HASTEN_PSTATS_ROWS_H

#include "core/base/allocator.h"
#include "hasten/pstats.h"

#define HASTEN_PSTATS_NONE UINT32_MAX

struct hasten_pstats_row {
    struct hasten_pstats_cost cost;
    uint32_t function;
    uint32_t first_edge; /* NONE: nobody called it */
    uint32_t last_edge;
};

struct hasten_pstats_edge {
    struct hasten_pstats_cost cost;
    uint32_t row;
    uint32_t caller; /* a function, which need not have a row */
    uint32_t next;   /* of the same row */
};

struct hasten_pstats_rows {
    const struct hasten_allocator *allocator;
    struct hasten_pstats_row *rows;
    size_t count;
    size_t capacity;
    struct hasten_pstats_edge *edges;
    size_t edge_count;
    size_t edge_capacity;
    uint32_t *row_of; /* by function, row + 1 */
    size_t function_capacity;
    /* Edges by row and caller: open addressing, edge + 1, at most half full. Covers
     * the first `indexed` edges: a table that nothing is added to needs none. */
    uint32_t *index;
    size_t index_capacity;
    size_t indexed;
};

void hasten_pstats_rows_init(struct hasten_pstats_rows *rows,
                             const struct hasten_allocator *allocator);
void hasten_pstats_rows_done(struct hasten_pstats_rows *rows);

/* Makes room, so that appending so many cannot fail; with `indexed` also adding to
 * edges. `functions` is how many there are at all. */
HASTEN_CHECKED hasten_status hasten_pstats_rows_reserve(struct hasten_pstats_rows *rows,
                                                        size_t functions, size_t row_count,
                                                        size_t edge_count, bool indexed);
/* The function's row, or NONE. */
uint32_t hasten_pstats_rows_find(const struct hasten_pstats_rows *rows, uint32_t function);
/* Adds a function that has no row, with no edges; returns the row. */
uint32_t hasten_pstats_rows_append(struct hasten_pstats_rows *rows, uint32_t function,
                                   const struct hasten_pstats_cost *cost);
/* Adds an edge that the row does not have. */
void hasten_pstats_rows_append_edge(struct hasten_pstats_rows *rows, uint32_t row, uint32_t caller,
                                    const struct hasten_pstats_cost *cost);
/* Adds to the row's edge, new or known. */
void hasten_pstats_rows_add_edge(struct hasten_pstats_rows *rows, uint32_t row, uint32_t caller,
                                 const struct hasten_pstats_cost *cost);
void hasten_pstats_cost_add(struct hasten_pstats_cost *sum, const struct hasten_pstats_cost *cost);

#endif
