/* SPDX-License-Identifier: MIT
 *
 * Where lines end: the rules that open() has for its argument `newline`. A rule sees bytes
 * of an encoding in which CR and LF are these bytes and part of nothing else. */
#ifndef HASTEN_STREAM_NEWLINES_H
#define HASTEN_STREAM_NEWLINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hasten_newline {
    HASTEN_NEWLINE_LF,
    HASTEN_NEWLINE_CR,
    HASTEN_NEWLINE_CRLF,
    HASTEN_NEWLINE_ANY /* each of the three ends a line */
};

/* Behind the first end of a line at or after `from`; `size` where there is none. */
size_t hasten_newline_after(enum hasten_newline rule, const uint8_t *data, size_t size,
                            size_t from);
/* Behind the last end of a line between `from` and `to`; `from` where there is none. */
size_t hasten_newline_before(enum hasten_newline rule, const uint8_t *data, size_t from, size_t to);
/* Behind the last line that is over whatever comes next; 0 where there is none. A CR at the
 * very end may be half of an end. */
size_t hasten_newline_complete(enum hasten_newline rule, const uint8_t *data, size_t size);
/* How many bytes at the end of a line are its end: 0, 1 or 2. */
size_t hasten_newline_size(enum hasten_newline rule, const uint8_t *line, size_t size);

#endif
