/* SPDX-License-Identifier: MIT
 *
 * A profile's numbers by function, by line, by thread and by kind of waiting.
 * Shared by every report and by the Python extension. Formats nothing.
 *
 * What counts as time. Running time counts on every thread. Waiting time counts
 * on the main thread of the program only: a pool of waiting workers says
 * nothing about why the program takes its time, and would drown what does. The
 * waiting of all other threads is kept beside, as `idle_ns`, and never enters a
 * share. Where the kernel did not say what a thread did, it counts as running,
 * so that no work is hidden.
 *
 * Of a traced program no states are known. The time of its calls counts on every
 * thread, as `traced_ns`, and calls are counted; such a profile has no samples.
 *
 * An aggregate owns its arrays and borrows the profile, which must outlive it. */
#ifndef HASTEN_REPORT_AGGREGATE_H
#define HASTEN_REPORT_AGGREGATE_H

#include <stdbool.h>

#include "hasten/profile.h"
#include "hasten/report.h"

struct hasten_time {
    int64_t running_ns;
    int64_t waiting_ns; /* the main thread's */
    int64_t idle_ns;    /* the other threads' waiting */
    int64_t native_ns;  /* the part of running_ns inside C functions */
    int64_t gc_ns;      /* the part of running_ns during which the collector ran */
    int64_t traced_ns;  /* of traced calls, on every thread, running or waiting */
};

/* Sums stop here (36 years), so that sums of sums cannot overflow. */
#define HASTEN_TIME_LIMIT (INT64_MAX / 8)

static inline void hasten_time_add(int64_t *sum_ns, int64_t amount_ns) {
    *sum_ns += amount_ns < HASTEN_TIME_LIMIT ? amount_ns : HASTEN_TIME_LIMIT;
    *sum_ns = *sum_ns < HASTEN_TIME_LIMIT ? *sum_ns : HASTEN_TIME_LIMIT;
}

/* What shares are made of. */
static inline int64_t hasten_time_counted(const struct hasten_time *time) {
    return time->running_ns + time->waiting_ns + time->traced_ns;
}

/* `total` counts a function or line once a stack, however often it recurs. */
struct hasten_row {
    uint32_t function;       /* index into the profile's functions */
    int32_t line;            /* a line row's line; a function row's first line */
    int64_t calls;           /* a function row's, where calls were counted */
    int64_t primitive_calls; /* made while no other call of it was active */
    struct hasten_time self;
    struct hasten_time total;
};

struct hasten_thread_row {
    bool is_main;     /* its waiting counts */
    bool shares_name; /* with another thread of its process */
    int64_t running_ns;
    int64_t waiting_ns; /* all kinds together, the GIL too */
    int64_t traced_ns;
    int64_t calls;
    int64_t state_ns[HASTEN_STATE_COUNT];
};

/* All threads of a process together. */
struct hasten_process_row {
    bool is_root; /* no process of the recording started it */
    int64_t running_ns;
    int64_t waiting_ns;
    int64_t traced_ns;
};

struct hasten_waiting_row {
    int64_t main_ns;
    int64_t other_ns;
    uint32_t main_line; /* the line row where most of it is, HASTEN_NONE where there is none */
    uint32_t other_line;
};

/* Whose time. */
enum hasten_who { HASTEN_WHO_ALL, HASTEN_WHO_MAIN, HASTEN_WHO_OTHERS };

struct hasten_aggregate {
    const struct hasten_allocator *allocator;
    const struct hasten_profile *profile;
    struct hasten_row *functions; /* one for each of the profile's, same index */
    size_t function_count;
    struct hasten_row *lines;
    size_t line_count, line_capacity;
    uint32_t *node_line;                  /* line row of each node, HASTEN_NONE at the root */
    struct hasten_thread_row *threads;    /* one for each of the profile's, same index */
    struct hasten_process_row *processes; /* one for each of the profile's, same index */
    struct hasten_waiting_row waiting[HASTEN_STATE_COUNT];
    bool is_traced; /* calls were counted */
    int64_t calls;  /* all of them */
    int64_t primitive_calls;
    struct hasten_time sum;
    struct hasten_time outside; /* the part of it outside any Python function: start, shutdown */
    /* Rows that have any time and pass the filter, best first. */
    uint32_t *function_order;
    size_t function_order_count;
    uint32_t *line_order;
    size_t line_order_count;
};

/* CORRUPT where the profile's indexes do not fit together. `options` may be
 * NULL: sorted by self, nothing filtered; its limit is not applied. */
HASTEN_CHECKED hasten_status hasten_aggregate_new(const struct hasten_profile *profile,
                                                  const struct hasten_report_options *options,
                                                  const struct hasten_allocator *allocator,
                                                  struct hasten_aggregate **ret_aggregate,
                                                  struct hasten_error *error);
void hasten_aggregate_free(struct hasten_aggregate *aggregate);

/* Whether a thread in this state is on its way rather than waiting. */
bool hasten_state_is_running(enum hasten_state state);

/* The line of the program's own code (neither standard library nor installed
 * package) from which most of `line`'s self time was reached, over the states in
 * `states` (bit n = state n) and the threads of `who`: the nearest own frame above
 * it in each stack.
 * HASTEN_NONE where `line` is own code itself or nothing own is above it. */
uint32_t hasten_aggregate_caller(const struct hasten_aggregate *aggregate, uint32_t line,
                                 uint32_t states, enum hasten_who who);

#endif
