/* SPDX-License-Identifier: MIT
 *
 * Reads what hasten_buffer_* wrote, never past the end. The first fault is
 * remembered in `failed`; later reads answer zero. */
#ifndef HASTEN_BASE_CURSOR_H
#define HASTEN_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hasten_cursor {
    const uint8_t *data;
    size_t size;
    size_t position;
    bool failed;
};

uint8_t hasten_cursor_byte(struct hasten_cursor *cursor);
uint64_t hasten_cursor_long_varint(struct hasten_cursor *cursor);
/* Most are of one byte: inline, because millions are read at a time. */
static inline uint64_t hasten_cursor_varint(struct hasten_cursor *cursor) {
    if (!cursor->failed && cursor->position < cursor->size &&
        cursor->data[cursor->position] < 0x80) {
        return cursor->data[cursor->position++];
    }
    return hasten_cursor_long_varint(cursor);
}
int64_t hasten_cursor_varint_signed(struct hasten_cursor *cursor);
/* Borrowed from the cursor's data; NULL (and failed) where it does not fit. */
const uint8_t *hasten_cursor_bytes(struct hasten_cursor *cursor, size_t size);
const uint8_t *hasten_cursor_blob(struct hasten_cursor *cursor, size_t *ret_size);

#endif
