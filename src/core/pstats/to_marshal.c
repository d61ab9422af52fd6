/* SPDX-License-Identifier: MIT
 *
 * A table as marshal data of version 4, which every supported Python reads. Texts
 * and functions are written once and referred to afterwards. */
#include "core/pstats/marshal_codes.h"
#include "core/pstats/surrogates.h"
#include "core/pstats/table.h"

#include <string.h>

#define DIGIT_BITS 15
#define DIGIT_MASK ((1u << DIGIT_BITS) - 1)

struct writing {
    const struct hasten_pstats *table;
    struct hasten_buffer *buffer;
    /* By text and by function: the number to refer to it by, + 1; 0: not written. */
    uint32_t *texts;
    uint32_t *functions;
    uint32_t shared_count;
};

static void write_u16(struct hasten_buffer *buffer, uint32_t value) {
    const uint8_t bytes[] = {(uint8_t)value, (uint8_t)(value >> 8)};
    hasten_buffer_append(buffer, bytes, sizeof bytes);
}

static void write_u32(struct hasten_buffer *buffer, uint32_t value) {
    write_u16(buffer, value & 0xffff);
    write_u16(buffer, value >> 16);
}

static void write_integer(struct hasten_buffer *buffer, int64_t value) {
    if (value >= INT32_MIN && value <= INT32_MAX) {
        hasten_buffer_byte(buffer, MARSHAL_INT);
        write_u32(buffer, (uint32_t)value);
        return;
    }
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    uint32_t digits[64 / DIGIT_BITS + 1];
    uint32_t count = 0;
    for (; left != 0; left >>= DIGIT_BITS) {
        digits[count++] = left & DIGIT_MASK;
    }
    hasten_buffer_byte(buffer, MARSHAL_LONG);
    write_u32(buffer, value < 0 ? -count : count);
    for (uint32_t i = 0; i < count; i++) {
        write_u16(buffer, digits[i]);
    }
}

static void write_time(struct hasten_buffer *buffer, double value, bool is_whole) {
    if (is_whole) {
        write_integer(buffer, (int64_t)value);
        return;
    }
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    hasten_buffer_byte(buffer, MARSHAL_BINARY_FLOAT);
    write_u32(buffer, (uint32_t)bits);
    write_u32(buffer, (uint32_t)(bits >> 32));
}

/* Whether it was written before; then the reference is. */
static bool write_known(struct writing *it, uint32_t *number) {
    if (*number == 0) {
        *number = ++it->shared_count;
        return false;
    }
    hasten_buffer_byte(it->buffer, MARSHAL_REFERENCE);
    write_u32(it->buffer, *number - 1);
    return true;
}

static void write_text(struct writing *it, uint32_t text) {
    if (write_known(it, &it->texts[text])) {
        return;
    }
    const struct hasten_pstats_names *names = &it->table->names;
    const char *bytes = hasten_pstats_names_bytes(names, text);
    const size_t size = names->texts[text].size;
    const bool is_ascii = names->texts[text].length == size;
    if (is_ascii && size <= UINT8_MAX) {
        hasten_buffer_byte(it->buffer, MARSHAL_SHORT_ASCII | MARSHAL_SHARED);
        hasten_buffer_byte(it->buffer, (uint8_t)size);
    } else {
        hasten_buffer_byte(it->buffer,
                           (is_ascii ? MARSHAL_ASCII : MARSHAL_UNICODE) | MARSHAL_SHARED);
        write_u32(it->buffer, (uint32_t)size);
    }
    hasten_buffer_append(it->buffer, bytes, size);
}

static void write_tuple(struct writing *it, uint8_t count, uint8_t mark) {
    hasten_buffer_byte(it->buffer, MARSHAL_SMALL_TUPLE | mark);
    hasten_buffer_byte(it->buffer, count);
}

static void write_function(struct writing *it, uint32_t function) {
    if (write_known(it, &it->functions[function])) {
        return;
    }
    const struct hasten_pstats_function *named = &it->table->names.functions[function];
    write_tuple(it, 3, MARSHAL_SHARED);
    write_text(it, named->file);
    write_integer(it->buffer, named->line);
    write_text(it, named->name);
}

static void write_times(struct writing *it, const struct hasten_pstats_cost *cost) {
    write_time(it->buffer, cost->own_s, (cost->kinds & HASTEN_PSTATS_OWN_WHOLE) != 0);
    write_time(it->buffer, cost->total_s, (cost->kinds & HASTEN_PSTATS_TOTAL_WHOLE) != 0);
}

static void write_edge(struct writing *it, const struct hasten_pstats_edge *edge) {
    write_function(it, edge->caller);
    if ((edge->cost.kinds & HASTEN_PSTATS_CALLS_ONLY) != 0) {
        write_integer(it->buffer, edge->cost.calls);
        return;
    }
    write_tuple(it, 4, 0);
    write_integer(it->buffer, edge->cost.calls);
    write_integer(it->buffer, edge->cost.primitive_calls);
    write_times(it, &edge->cost);
}

static void write_row(struct writing *it, const struct hasten_pstats_row *row) {
    write_function(it, row->function);
    write_tuple(it, 5, 0);
    write_integer(it->buffer, row->cost.primitive_calls);
    write_integer(it->buffer, row->cost.calls);
    write_times(it, &row->cost);
    hasten_buffer_byte(it->buffer, MARSHAL_DICT);
    const struct hasten_pstats_edge *edges = it->table->rows.edges;
    for (uint32_t edge = row->first_edge; edge != HASTEN_PSTATS_NONE; edge = edges[edge].next) {
        write_edge(it, &edges[edge]);
    }
    hasten_buffer_byte(it->buffer, MARSHAL_NULL);
}

hasten_status hasten_pstats_dump(const struct hasten_pstats *table, struct hasten_buffer *buffer) {
    const struct hasten_allocator *allocator = table->allocator;
    struct writing it = {.table = table, .buffer = buffer};
    const size_t texts_size = table->names.text_count * sizeof *it.texts;
    const size_t functions_size = table->names.function_count * sizeof *it.functions;
    it.texts = hasten_allocate_zeroed(allocator, texts_size);
    it.functions = hasten_allocate_zeroed(allocator, functions_size);
    hasten_status status = HASTEN_NO_MEMORY;
    if (it.texts != NULL && it.functions != NULL) {
        hasten_buffer_byte(buffer, MARSHAL_DICT);
        for (size_t i = 0; i < table->rows.count; i++) {
            write_row(&it, &table->rows.rows[i]);
        }
        hasten_buffer_byte(buffer, MARSHAL_NULL);
        status = buffer->failed ? HASTEN_NO_MEMORY : HASTEN_OK;
    }
    hasten_release(allocator, it.texts, texts_size);
    hasten_release(allocator, it.functions, functions_size);
    return status;
}
