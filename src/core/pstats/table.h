/* SPDX-License-Identifier: MIT
 *
 * What the files of core/pstats share: a table from inside, and what is done to a
 * table as a whole. */
#ifndef HASTEN_PSTATS_TABLE_H
#define HASTEN_PSTATS_TABLE_H

#include "core/pstats/names.h"
#include "core/pstats/rows.h"

struct hasten_pstats_staged_row {
    struct hasten_pstats_cost cost;
    uint32_t function;
    uint32_t edge_count; /* they follow one another in `edges` */
    bool is_root;
};

struct hasten_pstats_staged_edge {
    struct hasten_pstats_cost cost;
    uint32_t caller;
};

/* When a function was last staged, to notice it being staged twice. */
struct hasten_pstats_stamp {
    uint64_t as_row;
    uint64_t as_caller;
};

/* Rows stay until the next batch begins; a large batch's edges do not. */
struct hasten_pstats_batch {
    struct hasten_pstats_staged_row *rows;
    size_t row_count;
    size_t row_capacity;
    struct hasten_pstats_staged_edge *edges;
    size_t edge_count;
    size_t edge_capacity;
    struct hasten_pstats_stamp *stamps; /* by function */
    size_t stamp_capacity;
    uint64_t batch_serial;
    uint64_t row_serial;
    int64_t largest; /* magnitude of a whole number in it */
    bool has_times;  /* callers with times, and with calls only */
    bool has_calls;
};

struct hasten_pstats {
    const struct hasten_allocator *allocator;
    struct hasten_pstats_names names;
    struct hasten_pstats_rows rows;
    struct hasten_pstats_batch batch;
    uint32_t profiler; /* the function whose callees are roots */
    int64_t largest;   /* no whole number of the table is larger */
    bool has_times;
    bool has_calls;
};

/* Rows in an order: indexes into rows.rows. A field is a place in Python's tuple
 * (cc, nc, tt, ct, file, line, name, standard name), a direction 1 or -1. */
struct hasten_pstats_key {
    int field;
    int direction;
};

#define HASTEN_PSTATS_FIELDS 8

/* Sorts all rows, equal ones in the table's order. UNSUPPORTED: a time that is not
 * a number is among what is compared, so that there is no order. */
HASTEN_CHECKED hasten_status hasten_pstats_sort(const struct hasten_pstats *table,
                                                const struct hasten_pstats_key *keys,
                                                size_t key_count, uint32_t *ret_order);

/* Takes the folders off all file names and adds up what is then the same. On
 * failure the table is as it was. */
HASTEN_CHECKED hasten_status hasten_pstats_strip(struct hasten_pstats *table,
                                                 size_t *ret_name_width);

/* Edges grouped by their caller; a group has them in the table's order. */
struct hasten_pstats_callees {
    const struct hasten_allocator *allocator;
    uint32_t *starts; /* by function, and one more: where its group is in `edges` */
    size_t function_count;
    uint32_t *edges;
    size_t edge_count;
};

HASTEN_CHECKED hasten_status hasten_pstats_callees_init(struct hasten_pstats_callees *callees,
                                                        const struct hasten_pstats *table);
void hasten_pstats_callees_done(struct hasten_pstats_callees *callees);

/* Sorts edges by the function at their other end: their caller, or, `by_callee`,
 * the function whose row they belong to. */
void hasten_pstats_sort_edges(const struct hasten_pstats *table, uint32_t *edges, size_t count,
                              bool by_callee);

/* Appends the table as `marshal` data that every supported Python reads. */
HASTEN_CHECKED hasten_status hasten_pstats_dump(const struct hasten_pstats *table,
                                                struct hasten_buffer *buffer);

#endif
