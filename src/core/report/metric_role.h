/* SPDX-License-Identifier: MIT
 *
 * What the metrics that reports understand stand for; others may come at any time. */
#ifndef HASTEN_REPORT_METRIC_ROLE_H
#define HASTEN_REPORT_METRIC_ROLE_H

#include "hasten/profile.h"

/* What tracing counts. */
#define HASTEN_METRIC_CALLS "trace.calls"
#define HASTEN_METRIC_SELF "trace.self"

enum hasten_role {
    HASTEN_ROLE_NONE,
    HASTEN_ROLE_STATE,  /* time of samples in a state, */
    HASTEN_ROLE_NATIVE, /* the part of it in functions of C, */
    HASTEN_ROLE_GC,     /* and while the collector ran */
    HASTEN_ROLE_CALLS,
    HASTEN_ROLE_TRACED, /* time of calls without the calls they make */
};

struct hasten_metric_role {
    enum hasten_role role;
    enum hasten_state state; /* HASTEN_ROLE_STATE */
};

struct hasten_metric_role hasten_metric_role_of(const struct hasten_profile *profile,
                                                size_t metric);

#endif
