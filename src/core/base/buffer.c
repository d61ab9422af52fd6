/* SPDX-License-Identifier: MIT
 *
 * Appending bytes, text and varints to a growing buffer. */
#include "core/base/buffer.h"

#include <stdio.h>
#include <string.h>

void hasten_buffer_init(struct hasten_buffer *buffer, const struct hasten_allocator *allocator) {
    *buffer = (struct hasten_buffer){.allocator = allocator};
}

void hasten_buffer_done(struct hasten_buffer *buffer) {
    hasten_release(buffer->allocator, buffer->data, buffer->capacity);
    hasten_buffer_init(buffer, buffer->allocator);
}

void hasten_buffer_clear(struct hasten_buffer *buffer) {
    buffer->size = 0;
    buffer->failed = false;
}

/* Makes room for `size` more bytes; false (and failed) where there is none. */
static bool reserve(struct hasten_buffer *buffer, size_t size) {
    if (buffer->failed) {
        return false;
    }
    if (size <= buffer->capacity - buffer->size) {
        return true;
    }
    void *data = buffer->data;
    if (size > SIZE_MAX - buffer->size ||
        hasten_grow(buffer->allocator, &data, &buffer->capacity, buffer->size + size, 1) != 0) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    return true;
}

void hasten_buffer_append(struct hasten_buffer *buffer, const void *data, size_t size) {
    if (size == 0 || !reserve(buffer, size)) {
        return;
    }
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

void hasten_buffer_text(struct hasten_buffer *buffer, const char *text) {
    hasten_buffer_append(buffer, text, strlen(text));
}

void hasten_buffer_format(struct hasten_buffer *buffer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        buffer->failed = true;
        return;
    }
    /* One more byte: vsnprintf terminates. */
    if (!reserve(buffer, (size_t)length + 1)) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(buffer->data + buffer->size, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->size += (size_t)length;
}

void hasten_buffer_byte(struct hasten_buffer *buffer, uint8_t byte) {
    if (reserve(buffer, 1)) {
        buffer->data[buffer->size++] = (char)byte;
    }
}

void hasten_buffer_long_varint(struct hasten_buffer *buffer, uint64_t value) {
    if (!reserve(buffer, 10)) {
        return;
    }
    while (value >= 0x80) {
        buffer->data[buffer->size++] = (char)(value | 0x80);
        value >>= 7;
    }
    buffer->data[buffer->size++] = (char)value;
}

void hasten_buffer_varint_signed(struct hasten_buffer *buffer, int64_t value) {
    hasten_buffer_varint(buffer, ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0));
}

void hasten_buffer_blob(struct hasten_buffer *buffer, const void *data, size_t size) {
    hasten_buffer_varint(buffer, size);
    hasten_buffer_append(buffer, data, size);
}

const char *hasten_buffer_cstring(struct hasten_buffer *buffer) {
    if (buffer->failed || !reserve(buffer, 1)) {
        return "";
    }
    buffer->data[buffer->size] = '\0';
    return buffer->data;
}
