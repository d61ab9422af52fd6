/* SPDX-License-Identifier: MIT
 *
 * What a profile says of memory: what was allocated, freed soon after, live at
 * the peak and live at the end, by the line that asked for it. Formats nothing.
 *
 * Who asked. A node below a native leaf (code without lines, of a library) is
 * memory that native code asked for; it belongs to the line of Python above the
 * leaf. Two lines are kept of it: the innermost, and the *own* line, the nearest
 * of the program's own code (neither standard library nor installed package),
 * since that is where something can be changed; code without a file (`-c`, what exec
 * made) only where there is no other; where there is none at all, the own line is the
 * innermost. A *site* is the finest that is kept: own line, innermost line
 * and native function.
 *
 * Peaks. Each process has its own, at its own time. Sums over several processes
 * add these up; they need not have been at the same time.
 *
 * Precision. Where memory was sampled amounts are unbiased estimates: one sample
 * stands for `interval_bytes` on average, and a sum of M bytes has a relative
 * standard error of at most sqrt(interval_bytes / M), less where single blocks are
 * larger than that. Amounts that are less than nothing (what was freed of a sum of
 * differences that began late) count as nothing.
 *
 * Borrows the aggregate, which must outlive it. */
#ifndef HASTEN_REPORT_MEMORY_SUMS_H
#define HASTEN_REPORT_MEMORY_SUMS_H

#include "core/report/aggregate.h"
#include "core/report/metric_role.h"

/* Series, by process. */
#define HASTEN_SERIES_RSS "rss.bytes"
#define HASTEN_SERIES_HEAP "heap.live.bytes"

struct hasten_memory_amount {
    int64_t bytes;
    int64_t blocks;
};

struct hasten_memory_row {
    struct hasten_memory_amount all[HASTEN_MEMORY_KIND_COUNT];
    struct hasten_memory_amount native[HASTEN_MEMORY_KIND_COUNT]; /* the part of it */
};

struct hasten_memory_site {
    uint32_t own_line; /* line rows of the aggregate; HASTEN_NONE outside Python */
    uint32_t line;
    uint32_t native; /* function of the profile; HASTEN_NONE: Python's own allocator */
    struct hasten_memory_amount amounts[HASTEN_MEMORY_KIND_COUNT];
};

/* All sites with the same own line, the same innermost line or the same native
 * function. */
struct hasten_memory_group {
    uint32_t key;
    struct hasten_memory_row row;
};

struct hasten_memory_groups {
    struct hasten_memory_group *items;
    size_t count, capacity;
};

/* The largest value of a series. */
struct hasten_memory_moment {
    bool is_known;
    uint64_t time_ns;
    int64_t bytes;
};

struct hasten_memory_process {
    struct hasten_memory_row row;
    struct hasten_memory_moment heap; /* the first time that it had most */
    struct hasten_memory_moment rss;
};

struct hasten_memory {
    const struct hasten_aggregate *aggregate;
    bool has_heap;          /* there are amounts of the heap */
    bool has_series;        /* points of one of the two series */
    bool is_sampled;        /* amounts are estimates */
    int64_t interval_bytes; /* 0: everything was counted, or it is not known how */
    const char *mode;       /* the fact; NULL where there is none */
    struct hasten_memory_row sum;
    struct hasten_memory_site *sites;
    size_t site_count, site_capacity;
    struct hasten_memory_groups own_lines;
    struct hasten_memory_groups lines;
    struct hasten_memory_groups natives;     /* without the part that is none */
    struct hasten_memory_row *threads;       /* one for each of the profile's */
    struct hasten_memory_process *processes; /* one for each of the profile's */
    uint32_t largest_process;                /* by its peak; HASTEN_NONE where none has any */
};

HASTEN_CHECKED hasten_status hasten_memory_init(struct hasten_memory *memory,
                                                const struct hasten_aggregate *aggregate);
void hasten_memory_done(struct hasten_memory *memory);

/* The relative standard error of a sum, 0 where it is exact, at most 1. */
double hasten_memory_error(const struct hasten_memory *memory, int64_t bytes);
/* Whether a sum rests on so few samples that it says nothing. */
bool hasten_memory_is_noise(const struct hasten_memory *memory, int64_t bytes);

/* Where most of an own line's bytes went through: the function of the innermost
 * line where that is another line, or the native function. HASTEN_NONE where there
 * is none, or where more went through none. */
uint32_t hasten_memory_through(const struct hasten_memory *memory, uint32_t own_line,
                               enum hasten_memory_kind kind, bool is_native);
/* The own line with most bytes of a native function. */
uint32_t hasten_memory_native_line(const struct hasten_memory *memory, uint32_t native,
                                   enum hasten_memory_kind kind);

/* As a kind: all groups that have any bytes, by the peak, then by what was allocated. */
#define HASTEN_MEMORY_ANY HASTEN_MEMORY_KIND_COUNT

/* The groups with bytes of that kind as indexes, most first, ties by file, line and
 * name; those whose name does not pass the filter are left out (NULL: all pass).
 * `*ret_order` has room for all groups and is the caller's. */
HASTEN_CHECKED hasten_status hasten_memory_order(const struct hasten_memory *memory,
                                                 const struct hasten_memory_groups *groups,
                                                 bool are_functions, enum hasten_memory_kind kind,
                                                 const char *filter, uint32_t **ret_order,
                                                 size_t *ret_count);

#endif
