/* SPDX-License-Identifier: MIT
 *
 * The input is what a process wrote of its imports. What it is read as is a tree, whose sums
 * are those of its parts. */
#include <stdlib.h>

#include "core/imports/loads.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int held) {
    if (!held) {
        abort();
    }
}

static void check(const struct hasten_loads *loads) {
    int64_t total_ns = 0;
    size_t unneeded = 0;
    for (size_t i = 0; i < loads->count; i++) {
        const struct hasten_load *load = &loads->loads[i];
        must(load->parent == HASTEN_LOADS_NONE || load->parent < i);
        must(load->name < loads->texts.size && load->importer < loads->texts.size);
        must(load->total_ns >= 0 && load->self_ns >= 0 && load->start_ns >= 0);
        must(load->unneeded_below <= load->below && load->below < loads->count);
        total_ns += load->parent == HASTEN_LOADS_NONE ? load->total_ns : 0;
        unneeded += !load->is_needed;
    }
    must(total_ns == loads->total_ns && unneeded == loads->unneeded_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct hasten_loads *loads = NULL;
    struct hasten_error error = {HASTEN_OK, -1, ""};
    hasten_status status = hasten_loads_parse((const char *)data, size, NULL, &loads, &error);
    must(status == HASTEN_OK || (error.status == status && loads == NULL));
    must(error.position <= (int64_t)size);
    if (status == HASTEN_OK) {
        check(loads);
    }
    hasten_loads_free(loads);
    return 0;
}
