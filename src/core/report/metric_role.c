/* SPDX-License-Identifier: MIT
 *
 * Knows metrics by their names. */
#include "core/report/metric_role.h"

#include <string.h>

static const struct {
    const char *name;
    struct hasten_metric_role role;
} known[] = {{"time.native", {.role = HASTEN_ROLE_NATIVE}},
             {"time.gc", {.role = HASTEN_ROLE_GC}},
             {HASTEN_METRIC_CALLS, {.role = HASTEN_ROLE_CALLS}},
             {HASTEN_METRIC_SELF, {.role = HASTEN_ROLE_TRACED}},
#define STATE_ROLE(name, metric, sentence) {metric, {HASTEN_ROLE_STATE, HASTEN_STATE_##name}},
             HASTEN_STATE_MAP(STATE_ROLE)
#undef STATE_ROLE
};

struct hasten_metric_role hasten_metric_role_of(const struct hasten_profile *profile,
                                                size_t metric) {
    uint32_t string = profile->metrics[metric].name;
    const char *name = string < profile->string_count ? profile->strings[string] : "";
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(name, known[i].name) == 0) {
            return known[i].role;
        }
    }
    return (struct hasten_metric_role){.role = HASTEN_ROLE_NONE};
}
