/* SPDX-License-Identifier: MIT
 *
 * A growing run of bytes. The first failed append is remembered in `failed`
 * and later appends do nothing, so that a writer checks once at its end. */
#ifndef HASTEN_BASE_BUFFER_H
#define HASTEN_BASE_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/allocator.h"

struct hasten_buffer {
    const struct hasten_allocator *allocator;
    char *data;
    size_t size;
    size_t capacity;
    bool failed;
};

void hasten_buffer_init(struct hasten_buffer *buffer, const struct hasten_allocator *allocator);
void hasten_buffer_done(struct hasten_buffer *buffer);
void hasten_buffer_clear(struct hasten_buffer *buffer);
void hasten_buffer_append(struct hasten_buffer *buffer, const void *data, size_t size);
void hasten_buffer_text(struct hasten_buffer *buffer, const char *text);
void hasten_buffer_format(struct hasten_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void hasten_buffer_byte(struct hasten_buffer *buffer, uint8_t byte);
/* LEB128, 1 to 10 bytes; `signed` values are zigzag-coded. */
void hasten_buffer_long_varint(struct hasten_buffer *buffer, uint64_t value);
/* Most are of one byte: inline, because millions are written at a time. */
static inline void hasten_buffer_varint(struct hasten_buffer *buffer, uint64_t value) {
    if (value < 0x80 && buffer->size < buffer->capacity && !buffer->failed) {
        buffer->data[buffer->size++] = (char)value;
    } else {
        hasten_buffer_long_varint(buffer, value);
    }
}
void hasten_buffer_varint_signed(struct hasten_buffer *buffer, int64_t value);
/* Length as a varint, then the bytes. */
void hasten_buffer_blob(struct hasten_buffer *buffer, const void *data, size_t size);
/* NUL-terminates without counting it; returns "" when nothing was written. */
const char *hasten_buffer_cstring(struct hasten_buffer *buffer);

#endif
