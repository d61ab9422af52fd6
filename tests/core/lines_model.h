/* SPDX-License-Identifier: MIT
 *
 * Lines, said in the plainest way: what regions and scanner are compared with. */
#ifndef HASTEN_TESTS_LINES_MODEL_H
#define HASTEN_TESTS_LINES_MODEL_H

#include "core/stream/regions.h"
#include "core/stream/scanner.h"

/* The end of the line that begins at `at`, byte by byte. */
__attribute__((unused)) static size_t model_line_end(enum hasten_newline rule, const uint8_t *data,
                                                     size_t size, size_t at) {
    for (size_t i = at; i < size; i++) {
        const bool is_return = data[i] == '\r';
        const bool is_pair = is_return && i + 1 < size && data[i + 1] == '\n';
        if (rule == HASTEN_NEWLINE_CRLF ? is_pair : rule == HASTEN_NEWLINE_ANY && is_pair) {
            return i + 2;
        }
        if (rule != HASTEN_NEWLINE_CRLF && ((is_return && rule != HASTEN_NEWLINE_LF) ||
                                            (data[i] == '\n' && rule != HASTEN_NEWLINE_CR))) {
            return i + 1;
        }
    }
    return size;
}

__attribute__((unused)) static bool model_contains(const uint8_t *line, size_t size,
                                                   const uint8_t *needle, size_t needle_size) {
    for (size_t i = 0; i + needle_size <= size; i++) {
        if (memcmp(line + i, needle, needle_size) == 0) {
            return true;
        }
    }
    return false;
}

#endif
