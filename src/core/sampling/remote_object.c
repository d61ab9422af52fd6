/* SPDX-License-Identifier: MIT
 *
 * Strings and bytes of another interpreter. Which fields a str has is the
 * layout's business; that a compact str's `state` word keeps the kind in bits 2
 * to 4, "compact" in bit 5 and "ascii" in bit 6 holds for every build with the
 * GIL from 3.11 to 3.15 (Include/cpython/unicodeobject.h). */
#include "core/sampling/remote_object.h"

#include "core/sampling/load.h"

enum { STATE_KIND_SHIFT = 2, STATE_KIND_MASK = 7, STATE_COMPACT = 1 << 5, STATE_ASCII = 1 << 6 };

#define HEADER_MAX 128 /* a str's or bytes' fixed part; far above every version's */

static void append_code_point(struct hasten_buffer *into, uint32_t point) {
    if (point == 0)
        point = ' ';
    if ((point >= 0xd800 && point < 0xe000) || point > 0x10ffff)
        point = 0xfffd;
    if (point < 0x80) {
        hasten_buffer_byte(into, (uint8_t)point);
    } else if (point < 0x800) {
        hasten_buffer_byte(into, (uint8_t)(0xc0 | point >> 6));
        hasten_buffer_byte(into, (uint8_t)(0x80 | (point & 0x3f)));
    } else if (point < 0x10000) {
        hasten_buffer_byte(into, (uint8_t)(0xe0 | point >> 12));
        hasten_buffer_byte(into, (uint8_t)(0x80 | (point >> 6 & 0x3f)));
        hasten_buffer_byte(into, (uint8_t)(0x80 | (point & 0x3f)));
    } else {
        hasten_buffer_byte(into, (uint8_t)(0xf0 | point >> 18));
        hasten_buffer_byte(into, (uint8_t)(0x80 | (point >> 12 & 0x3f)));
        hasten_buffer_byte(into, (uint8_t)(0x80 | (point >> 6 & 0x3f)));
        hasten_buffer_byte(into, (uint8_t)(0x80 | (point & 0x3f)));
    }
}

static void append_text(struct hasten_buffer *into, const uint8_t *data, uint64_t length,
                        uint32_t kind) {
    for (uint64_t i = 0; i < length; i++) {
        uint32_t point = 0;
        memcpy(&point, data + i * kind, kind);
        append_code_point(into, point);
    }
}

hasten_status hasten_remote_text(const struct hasten_interpreter *interpreter, hasten_raddr object,
                                 struct hasten_buffer *into) {
    const struct hasten_layout *layout = &interpreter->layout;
    uint8_t header[HEADER_MAX];
    uint8_t data[HASTEN_REMOTE_TEXT_MAX * 4];
    if (hasten_raddr_is_null(object) || layout->unicode_compact_data > sizeof header)
        return HASTEN_GONE;
    hasten_status status =
        hasten_memory_read(interpreter->pid, object, header, layout->unicode_compact_data);
    if (status != HASTEN_OK)
        return status;
    uint64_t length = hasten_load_u64(header, layout->unicode_length);
    uint32_t state = hasten_load_u32(header, layout->unicode_state);
    uint32_t kind = state >> STATE_KIND_SHIFT & STATE_KIND_MASK;
    if (!(state & STATE_COMPACT) || (kind != 1 && kind != 2 && kind != 4) || length >> 40)
        return HASTEN_GONE;
    if (length > HASTEN_REMOTE_TEXT_MAX)
        length = HASTEN_REMOTE_TEXT_MAX;
    uint32_t offset =
        state & STATE_ASCII ? layout->unicode_ascii_data : layout->unicode_compact_data;
    if (length > 0) {
        status = hasten_memory_read(interpreter->pid, hasten_raddr_add(object, offset), data,
                                    (size_t)length * kind);
        if (status != HASTEN_OK)
            return status;
    }
    append_text(into, data, length, kind);
    return into->failed ? HASTEN_NO_MEMORY : HASTEN_OK;
}

hasten_status hasten_remote_bytes(const struct hasten_interpreter *interpreter, hasten_raddr object,
                                  struct hasten_buffer *into) {
    const struct hasten_layout *layout = &interpreter->layout;
    uint64_t length = 0;
    if (hasten_raddr_is_null(object))
        return HASTEN_GONE;
    hasten_status status = hasten_memory_read(
        interpreter->pid, hasten_raddr_add(object, layout->bytes_length), &length, sizeof length);
    if (status != HASTEN_OK)
        return status;
    if (length > HASTEN_REMOTE_BYTES_MAX)
        return HASTEN_GONE;
    uint8_t chunk[4096];
    for (uint64_t done = 0; done < length;) {
        size_t part = length - done < sizeof chunk ? (size_t)(length - done) : sizeof chunk;
        status = hasten_memory_read(
            interpreter->pid, hasten_raddr_add(object, layout->bytes_data + done), chunk, part);
        if (status != HASTEN_OK)
            return status;
        hasten_buffer_append(into, chunk, part);
        done += part;
    }
    return into->failed ? HASTEN_NO_MEMORY : HASTEN_OK;
}
