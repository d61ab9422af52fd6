/* SPDX-License-Identifier: MIT
 *
 * Bounded reading of bytes and varints. */
#include "core/base/cursor.h"

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "sizes in files are 64 bits wide");

uint8_t hasten_cursor_byte(struct hasten_cursor *cursor) {
    if (cursor->failed || cursor->position >= cursor->size) {
        cursor->failed = true;
        return 0;
    }
    return cursor->data[cursor->position++];
}

uint64_t hasten_cursor_long_varint(struct hasten_cursor *cursor) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = hasten_cursor_byte(cursor);
        /* The tenth byte has room for one bit only. */
        if (shift == 63 && byte > 1) {
            break;
        }
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            return cursor->failed ? 0 : value;
        }
    }
    cursor->failed = true;
    return 0;
}

int64_t hasten_cursor_varint_signed(struct hasten_cursor *cursor) {
    uint64_t value = hasten_cursor_varint(cursor);
    return (int64_t)((value >> 1) ^ ((value & 1) != 0 ? UINT64_MAX : 0));
}

const uint8_t *hasten_cursor_bytes(struct hasten_cursor *cursor, size_t size) {
    if (cursor->failed || size > cursor->size - cursor->position) {
        cursor->failed = true;
        return NULL;
    }
    const uint8_t *bytes = cursor->data + cursor->position;
    cursor->position += size;
    return bytes;
}

const uint8_t *hasten_cursor_blob(struct hasten_cursor *cursor, size_t *ret_size) {
    size_t size = hasten_cursor_varint(cursor);
    const uint8_t *bytes = hasten_cursor_bytes(cursor, size);
    if (bytes != NULL) {
        *ret_size = size;
    }
    return bytes;
}
