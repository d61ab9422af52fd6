/* SPDX-License-Identifier: MIT
 *
 * From which line of the program's own code a line of somebody else's was
 * reached: "recv_into (socket.py:706)" alone tells nobody what to change. */
#include "core/base/allocator.h"
#include "core/report/aggregate.h"
#include "core/report/metric_role.h"
#include "core/report/paths.h"

static bool is_own(const struct hasten_aggregate *aggregate, uint32_t line) {
    const struct hasten_profile *profile = aggregate->profile;
    const struct hasten_row *row = &aggregate->lines[line];
    const char *file = profile->strings[profile->functions[row->function].file];
    return hasten_path_origin(file) == HASTEN_ORIGIN_OWN;
}

static uint32_t nearest_own(const struct hasten_aggregate *aggregate, uint32_t node) {
    while (node != 0) {
        uint32_t line = aggregate->node_line[node];
        if (line != HASTEN_NONE && is_own(aggregate, line)) {
            return line;
        }
        node = aggregate->profile->nodes[node].parent;
    }
    return HASTEN_NONE;
}

/* Which metrics hold the states asked for; the first 64 metrics are looked at,
 * states are always among them. */
static uint64_t metrics_of(const struct hasten_profile *profile, uint32_t states) {
    uint64_t metrics = 0;
    for (size_t i = 0; i < profile->metric_count && i < 64; i++) {
        struct hasten_metric_role role = hasten_metric_role_of(profile, i);
        if (role.role == HASTEN_ROLE_STATE && (states >> role.state & 1) != 0) {
            metrics |= (uint64_t)1 << i;
        }
    }
    return metrics;
}

uint32_t hasten_aggregate_caller(const struct hasten_aggregate *aggregate, uint32_t line,
                                 uint32_t states, enum hasten_who who) {
    const struct hasten_profile *profile = aggregate->profile;
    if (line >= aggregate->line_count || is_own(aggregate, line)) {
        return HASTEN_NONE;
    }
    size_t size = aggregate->line_count * sizeof(int64_t);
    int64_t *amounts = hasten_allocate_zeroed(aggregate->allocator, size);
    if (amounts == NULL) {
        return HASTEN_NONE; /* the report is complete without it */
    }
    uint64_t metrics = metrics_of(profile, states);
    uint32_t best = HASTEN_NONE;
    for (size_t i = 0; i < profile->value_count; i++) {
        const struct hasten_value *value = &profile->values[i];
        if (value->amount <= 0 || value->metric >= 64 || (metrics >> value->metric & 1) == 0 ||
            aggregate->node_line[value->node] != line) {
            continue;
        }
        if (who != HASTEN_WHO_ALL &&
            aggregate->threads[value->thread].is_main != (who == HASTEN_WHO_MAIN)) {
            continue;
        }
        uint32_t own = nearest_own(aggregate, value->node);
        if (own == HASTEN_NONE) {
            continue;
        }
        hasten_time_add(&amounts[own], value->amount);
        if (best == HASTEN_NONE || amounts[own] > amounts[best]) {
            best = own;
        }
    }
    hasten_release(aggregate->allocator, amounts, size);
    return best;
}
