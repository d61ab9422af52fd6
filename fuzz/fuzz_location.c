/* SPDX-License-Identifier: MIT
 *
 * The input is a first line (4 bytes) and a location table of CPython: locations
 * are lines and columns that can be, and a look-up agrees with a walk. */
#include <stdlib.h>
#include <string.h>

#include "core/profile/location.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_possible(const struct hasten_location *location) {
    return location->line >= 0 && location->end_line >= 0 && location->column >= 0 &&
           location->end_column >= 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct hasten_code code = {0};
    if (size < sizeof code.first_line) {
        return 0;
    }
    memcpy(&code.first_line, data, sizeof code.first_line);
    code.linetable = data + sizeof code.first_line;
    code.linetable_size = (uint32_t)(size - sizeof code.first_line);
    struct hasten_location_walk walk;
    hasten_location_walk_init(&walk, &code);
    unsigned entries = 0;
    while (hasten_location_walk_next(&walk)) {
        if (walk.end <= walk.start || !is_possible(&walk.location)) {
            abort();
        }
        /* Quadratic: only of the first entries. */
        if (entries++ < 50) {
            struct hasten_location found = hasten_code_location(&code, (uint32_t)walk.start);
            if (memcmp(&found, &walk.location, sizeof found) != 0) {
                abort();
            }
        }
    }
    struct hasten_location beyond = hasten_code_location(&code, UINT32_MAX);
    if (!is_possible(&beyond) || beyond.column != 0) {
        abort();
    }
    return 0;
}
