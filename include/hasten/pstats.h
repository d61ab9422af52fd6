/* SPDX-License-Identifier: MIT
 *
 * The table of a deterministic profile, as Python's `pstats` has it: for each
 * function how often it ran, how long, and who called it.
 *
 * A table is filled batch by batch. A batch is staged (begin, then rows and their
 * callers) and either committed as a whole or not at all; whatever produces such
 * numbers, a file, a profiler, a recording, goes this way. A table owns all it
 * has; it belongs to one thread at a time. */
#ifndef HASTEN_PSTATS_H
#define HASTEN_PSTATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hasten/status.h"

struct hasten_allocator;
struct hasten_profile;
struct hasten_pstats;

/* Whole numbers are exact up to here, also as doubles (2^53). A table holds no
 * larger ones. */
#define HASTEN_PSTATS_WHOLE_MAX ((int64_t)1 << 53)

/* Which members of a cost were whole numbers where it came from: Python prints
 * and adds them alike, but they are of another type. */
enum {
    HASTEN_PSTATS_OWN_WHOLE = 1,
    HASTEN_PSTATS_TOTAL_WHOLE = 2,
    /* A caller of which only `calls` is known: what the module `profile` writes. */
    HASTEN_PSTATS_CALLS_ONLY = 4,
};

struct hasten_pstats_cost {
    int64_t primitive_calls; /* those that were not recursive */
    int64_t calls;
    double own_s;
    double total_s;
    uint32_t kinds;
};

/* Sums of the batch that was committed. */
struct hasten_pstats_sums {
    int64_t calls;
    int64_t primitive_calls;
    double own_s;
    bool own_is_whole;
    size_t name_width; /* of the longest standard name, in characters */
    size_t row_count;
    size_t root_count; /* rows that the profiler itself called */
};

HASTEN_CHECKED hasten_status hasten_pstats_new(const struct hasten_allocator *allocator,
                                               struct hasten_pstats **ret_table,
                                               struct hasten_error *error);
void hasten_pstats_free(struct hasten_pstats *table);

/* Forgets what was staged and not committed. */
void hasten_pstats_begin(struct hasten_pstats *table);
/* A function's identifier. Names are UTF-8 in which lone surrogates may stand. */
HASTEN_CHECKED hasten_status hasten_pstats_function(struct hasten_pstats *table, const char *file,
                                                    size_t file_size, int64_t line,
                                                    const char *name, size_t name_size,
                                                    uint32_t *ret_function);
/* Stages a row, and callers of the row that was staged last. UNSUPPORTED: twice
 * the same, a number larger than HASTEN_PSTATS_WHOLE_MAX. */
HASTEN_CHECKED hasten_status hasten_pstats_row(struct hasten_pstats *table, uint32_t function,
                                               const struct hasten_pstats_cost *cost);
HASTEN_CHECKED hasten_status hasten_pstats_caller(struct hasten_pstats *table, uint32_t function,
                                                  const struct hasten_pstats_cost *cost);
/* Adds what was staged to the table. UNSUPPORTED (and nothing changed): the sums
 * would be too large, or callers of both kinds would meet in one table. With
 * `adding` a new row is a sum too, of nothing and itself, which makes 0.0 of -0.0. */
HASTEN_CHECKED hasten_status hasten_pstats_commit(struct hasten_pstats *table, bool adding,
                                                  struct hasten_pstats_sums *ret_sums);

/* Stages a file of statistics. TRUNCATED, CORRUPT, INVALID: damaged, see
 * core/pstats/marshal_tree.h; UNSUPPORTED: whole, but not what a table can hold.
 * `ret_sampled` says whether a sampling profiler marked it as its own. */
HASTEN_CHECKED hasten_status hasten_pstats_stage_marshal(struct hasten_pstats *table,
                                                         const void *data, size_t size,
                                                         bool *ret_sampled,
                                                         struct hasten_error *error);
/* Stages the functions and callers of a profile. Of a sampled one, whose calls nobody
 * counted, the numbers of calls are 0. */
HASTEN_CHECKED hasten_status hasten_pstats_stage_profile(struct hasten_pstats *table,
                                                         const struct hasten_profile *profile,
                                                         struct hasten_error *error);
/* Stages all of another table, which may be the same. */
HASTEN_CHECKED hasten_status hasten_pstats_stage_table(struct hasten_pstats *table,
                                                       const struct hasten_pstats *other);

#endif
