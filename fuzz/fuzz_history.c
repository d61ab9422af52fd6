/* SPDX-License-Identifier: MIT
 *
 * The input is a history. What it is read as is in order, and all of it is there. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/history/history.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int held) {
    if (!held) {
        abort();
    }
}

static void check(const struct hasten_history *history) {
    const char *name = "";
    for (size_t i = 0; i < history->run_count; i++) {
        const struct hasten_history_run *run = &history->runs[i];
        must(run->commit < history->texts.size && run->machine < history->texts.size);
        must(i == 0 || run->committed_s >= history->runs[i - 1].committed_s);
    }
    for (size_t i = 0; i < history->benchmark_count; i++) {
        const char *next = hasten_history_text(history, history->benchmarks[i]);
        must(i == 0 || strcmp(name, next) < 0);
        name = next;
    }
    for (size_t i = 0; i < history->point_count; i++) {
        const struct hasten_history_point *point = &history->points[i];
        must(point->run < history->run_count && point->benchmark < history->benchmark_count);
        must(isfinite(point->time_s) && point->time_s > 0);
        must(i == 0 || point->benchmark >= point[-1].benchmark);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct hasten_history *history = NULL;
    struct hasten_error error = {HASTEN_OK, -1, ""};
    hasten_status status = hasten_history_parse((const char *)data, size, NULL, &history, &error);
    must(status == HASTEN_OK || (error.status == status && history == NULL));
    must(error.position <= (int64_t)size);
    if (status == HASTEN_OK) {
        check(history);
    }
    hasten_history_free(history);
    return 0;
}
