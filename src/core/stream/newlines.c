/* SPDX-License-Identifier: MIT */
#include "core/stream/newlines.h"

#include <string.h>

static size_t after_byte(const uint8_t *data, size_t size, size_t from, uint8_t byte) {
    const uint8_t *at = from < size ? memchr(data + from, byte, size - from) : NULL;
    return at == NULL ? size : (size_t)(at - data) + 1;
}

/* Looks for one byte no further than for the other: where only one of them ends lines, each
 * search for the other would go through all that is left. */
static size_t after_any(const uint8_t *data, size_t size, size_t from) {
    size_t reach = 256; /* a line of most files */
    for (size_t begin = from; begin < size; begin += reach, reach *= 2) {
        const size_t looked_at = size - begin < reach ? size - begin : reach;
        const uint8_t *feed = memchr(data + begin, '\n', looked_at);
        /* Not beyond: where there is an end before, it is the one. */
        const size_t before = feed == NULL ? looked_at : (size_t)(feed - (data + begin));
        const uint8_t *carriage = memchr(data + begin, '\r', before);
        if (carriage != NULL) {
            const size_t next = (size_t)(carriage - data) + 1;
            return next < size && data[next] == '\n' ? next + 1 : next;
        }
        if (feed != NULL) {
            return (size_t)(feed - data) + 1;
        }
        if (looked_at < reach) {
            break;
        }
    }
    return size;
}

static size_t before_byte(const uint8_t *data, size_t from, size_t to, uint8_t byte) {
    const uint8_t *at = from < to ? memrchr(data + from, byte, to - from) : NULL;
    return at == NULL ? from : (size_t)(at - data) + 1;
}

size_t hasten_newline_after(enum hasten_newline rule, const uint8_t *data, size_t size,
                            size_t from) {
    if (rule == HASTEN_NEWLINE_LF || rule == HASTEN_NEWLINE_CR) {
        return after_byte(data, size, from, rule == HASTEN_NEWLINE_LF ? '\n' : '\r');
    }
    if (rule == HASTEN_NEWLINE_ANY) {
        return after_any(data, size, from);
    }
    for (size_t begin = from; begin < size;) {
        const size_t carriage = after_byte(data, size, begin, '\r');
        if (carriage < size && data[carriage] == '\n') {
            return carriage + 1;
        }
        begin = carriage;
    }
    return size;
}

size_t hasten_newline_before(enum hasten_newline rule, const uint8_t *data, size_t from,
                             size_t to) {
    if (rule == HASTEN_NEWLINE_LF || rule == HASTEN_NEWLINE_CR) {
        return before_byte(data, from, to, rule == HASTEN_NEWLINE_LF ? '\n' : '\r');
    }
    if (rule == HASTEN_NEWLINE_ANY) {
        const size_t feed = before_byte(data, from, to, '\n');
        return before_byte(data, feed, to, '\r');
    }
    for (size_t end = to; end > from;) {
        const size_t feed = before_byte(data, from, end, '\n');
        if (feed >= from + 2 && data[feed - 2] == '\r') {
            return feed;
        }
        end = feed > from ? feed - 1 : from;
    }
    return from;
}

size_t hasten_newline_complete(enum hasten_newline rule, const uint8_t *data, size_t size) {
    const bool is_open = rule == HASTEN_NEWLINE_ANY && size != 0 && data[size - 1] == '\r';
    return hasten_newline_before(rule, data, 0, is_open ? size - 1 : size);
}

size_t hasten_newline_size(enum hasten_newline rule, const uint8_t *line, size_t size) {
    const uint8_t last = size == 0 ? 0 : line[size - 1];
    const bool is_pair = size >= 2 && last == '\n' && line[size - 2] == '\r';
    switch (rule) {
    case HASTEN_NEWLINE_LF:
        return last == '\n';
    case HASTEN_NEWLINE_CR:
        return last == '\r';
    case HASTEN_NEWLINE_CRLF:
        return is_pair ? 2 : 0;
    case HASTEN_NEWLINE_ANY:
    default:
        return is_pair ? 2 : (size_t)(last == '\n' || last == '\r');
    }
}
