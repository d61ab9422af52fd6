/* SPDX-License-Identifier: MIT
 *
 * What the metrics that reports understand stand for; others may come at any time. */
#ifndef HASTEN_REPORT_METRIC_ROLE_H
#define HASTEN_REPORT_METRIC_ROLE_H

#include <stdbool.h>

#include "hasten/profile.h"

/* What tracing counts. */
#define HASTEN_METRIC_CALLS "trace.calls"
#define HASTEN_METRIC_SELF "trace.self"

/* X(name, how metrics of that kind of memory begin). */
#define HASTEN_MEMORY_MAP(X)        \
    X(PEAK, "heap.peak.")           \
    X(ALLOCATED, "heap.allocated.") \
    X(TEMPORARY, "heap.temporary.") \
    X(LIVE, "heap.live.")

enum hasten_memory_kind {
#define HASTEN_MEMORY_ENUM(name, metric) HASTEN_MEMORY_##name,
    HASTEN_MEMORY_MAP(HASTEN_MEMORY_ENUM)
#undef HASTEN_MEMORY_ENUM
        HASTEN_MEMORY_KIND_COUNT
};

enum hasten_role {
    HASTEN_ROLE_NONE,
    HASTEN_ROLE_STATE,  /* time of samples in a state, */
    HASTEN_ROLE_NATIVE, /* the part of it in functions of C, */
    HASTEN_ROLE_GC,     /* and while the collector ran */
    HASTEN_ROLE_CALLS,
    HASTEN_ROLE_TRACED, /* time of calls without the calls they make */
    HASTEN_ROLE_MEMORY, /* bytes or blocks of the heap */
};

struct hasten_metric_role {
    enum hasten_role role;
    enum hasten_state state;        /* HASTEN_ROLE_STATE */
    enum hasten_memory_kind memory; /* HASTEN_ROLE_MEMORY */
    bool is_blocks;
};

struct hasten_metric_role hasten_metric_role_of(const struct hasten_profile *profile,
                                                size_t metric);

#endif
