/* SPDX-License-Identifier: MIT
 *
 * Reading code objects. That a compact str's `state` word keeps the kind in bits 2 to 4,
 * "compact" in bit 5 and "ascii" in bit 6 holds for every build with the GIL from 3.11 to
 * 3.15 (Include/cpython/unicodeobject.h). */
#include "preload/codes.h"

#include <string.h>

#include "core/base/hash.h"

enum { KIND_SHIFT = 2, KIND_MASK = 7, IS_COMPACT = 1 << 5, IS_ASCII = 1 << 6 };

#define TEXT_MAX 4096u           /* characters of a name that are kept */
#define LINETABLE_MAX (4u << 20) /* bytes of a believable location table */
#define CODES_MAX (1u << 20)     /* then new ones are one */
#define PIECE 256u               /* bytes read at a time: stacks may be small */
#define SEEN_SIZE (HASTEN_CODES_SEEN * sizeof(struct hasten_code_seen))

void hasten_code_table_init(struct hasten_code_table *table,
                            const struct hasten_allocator *allocator) {
    *table = (struct hasten_code_table){.allocator = allocator};
    hasten_map_init(&table->by_content, allocator);
    hasten_buffer_init(&table->texts, allocator);
    table->seen = hasten_allocate_zeroed(allocator, SEEN_SIZE);
}

void hasten_code_table_done(struct hasten_code_table *table) {
    hasten_release(table->allocator, table->seen, SEEN_SIZE);
    hasten_release(table->allocator, table->fresh, table->fresh_capacity * sizeof *table->fresh);
    hasten_map_done(&table->by_content);
    hasten_buffer_done(&table->texts);
}

struct head {
    uint64_t file, name, qualname, linetable, units;
    uint32_t first_line;
};

static bool read_head(const struct hasten_layout *layout, struct hasten_reader *reader,
                      uint64_t address, struct head *ret_head) {
    const enum hasten_reader_what what = HASTEN_READ_OBJECT;
    return hasten_reader_u32(reader, what, address + layout->code_first_line,
                             &ret_head->first_line) &&
           hasten_reader_u64(reader, what, address + layout->code_file, &ret_head->file) &&
           hasten_reader_u64(reader, what, address + layout->code_name, &ret_head->name) &&
           hasten_reader_u64(reader, what, address + layout->code_qualname, &ret_head->qualname) &&
           hasten_reader_u64(reader, what, address + layout->code_linetable,
                             &ret_head->linetable) &&
           hasten_reader_u64(reader, what, address + layout->code_code_units, &ret_head->units);
}

/* Tells apart code objects that were at one address one after the other. */
static uint64_t fingerprint_of(const struct head *head) {
    uint64_t mixed = head->file ^ head->name << 21 ^ head->name >> 43;
    mixed = mixed * 0x9e3779b97f4a7c15u ^ head->qualname ^ head->linetable << 32;
    mixed = mixed * 0x9e3779b97f4a7c15u ^ head->linetable ^ head->units << 40;
    return mixed ^ head->first_line;
}

static void append_character(struct hasten_buffer *into, uint32_t point) {
    if ((point >= 0xd800 && point < 0xe000) || point > 0x10ffff) {
        point = 0xfffd;
    }
    if (point < 0x80) {
        hasten_buffer_byte(into, point == 0 ? ' ' : (uint8_t)point);
        return;
    }
    int tails = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const uint8_t leads[4] = {0, 0xc0, 0xe0, 0xf0};
    hasten_buffer_byte(into, (uint8_t)(leads[tails] | point >> (6 * tails)));
    while (tails-- > 0) {
        hasten_buffer_byte(into, (uint8_t)(0x80 | (point >> (6 * tails) & 0x3f)));
    }
}

/* Appends a str as UTF-8, and a NUL. */
static bool append_text(const struct hasten_layout *layout, struct hasten_reader *reader,
                        uint64_t object, struct hasten_buffer *into) {
    uint64_t length = 0;
    uint32_t state = 0;
    if (!hasten_reader_u64(reader, HASTEN_READ_OBJECT, object + layout->unicode_length, &length) ||
        !hasten_reader_u32(reader, HASTEN_READ_OBJECT, object + layout->unicode_state, &state)) {
        return false;
    }
    uint32_t kind = state >> KIND_SHIFT & KIND_MASK;
    if ((state & IS_COMPACT) == 0 || (kind != 1 && kind != 2 && kind != 4)) {
        return false;
    }
    uint64_t data =
        object + (state & IS_ASCII ? layout->unicode_ascii_data : layout->unicode_compact_data);
    uint64_t size = (length < TEXT_MAX ? length : TEXT_MAX) * kind;
    uint8_t piece[PIECE];
    for (uint64_t done = 0; done < size;) {
        size_t part = size - done < PIECE ? (size_t)(size - done) : PIECE;
        if (!hasten_reader_copy(reader, HASTEN_READ_OBJECT, data + done, piece, part)) {
            return false;
        }
        for (size_t i = 0; i < part; i += kind) {
            uint32_t point = 0;
            memcpy(&point, piece + i, kind);
            append_character(into, point);
        }
        done += part;
    }
    hasten_buffer_byte(into, 0);
    return true;
}

static bool append_bytes(const struct hasten_layout *layout, struct hasten_reader *reader,
                         uint64_t object, struct hasten_buffer *into, size_t *ret_size) {
    uint64_t size = 0;
    uint8_t piece[PIECE];
    if (!hasten_reader_u64(reader, HASTEN_READ_OBJECT, object + layout->bytes_length, &size) ||
        size > LINETABLE_MAX) {
        return false;
    }
    for (uint64_t done = 0; done < size;) {
        size_t part = size - done < PIECE ? (size_t)(size - done) : PIECE;
        if (!hasten_reader_copy(reader, HASTEN_READ_OBJECT, object + layout->bytes_data + done,
                                piece, part)) {
            return false;
        }
        hasten_buffer_append(into, piece, part);
        done += part;
    }
    *ret_size = (size_t)size;
    return true;
}

static bool read_text(struct hasten_code_table *table, const struct hasten_layout *layout,
                      struct hasten_reader *reader, const struct head *head,
                      struct hasten_code_text *ret_text) {
    struct hasten_buffer *texts = &table->texts;
    ret_text->first_line = (int32_t)head->first_line;
    ret_text->file = texts->size;
    bool read = append_text(layout, reader, head->file, texts);
    ret_text->name = texts->size;
    read = read && append_text(layout, reader, head->name, texts);
    ret_text->qualname = texts->size;
    read = read && append_text(layout, reader, head->qualname, texts);
    ret_text->linetable = texts->size;
    return read &&
           append_bytes(layout, reader, head->linetable, texts, &ret_text->linetable_size) &&
           !texts->failed;
}

/* The code with this content; `texts` keeps what is new. */
static bool enter(struct hasten_code_table *table, const struct hasten_code_text *text,
                  uint32_t *ret_code) {
    struct hasten_buffer *texts = &table->texts;
    struct hasten_map_key key = {.low = (uint32_t)text->first_line};
    key = hasten_hash(key, texts->data + text->file, texts->size - text->file);
    const uint32_t *known = hasten_map_find(&table->by_content, key);
    if (known != NULL) {
        *ret_code = *known;
        texts->size = text->file;
        return true;
    }
    void *fresh = table->fresh;
    if (table->count >= CODES_MAX ||
        hasten_grow(table->allocator, &fresh, &table->fresh_capacity,
                    table->count - table->written + 1, sizeof *table->fresh) != 0) {
        return false;
    }
    table->fresh = fresh;
    if (hasten_map_insert(&table->by_content, key, (uint32_t)table->count, NULL) == NULL) {
        return false;
    }
    table->fresh[table->count - table->written] = *text;
    *ret_code = (uint32_t)table->count++;
    return true;
}

static bool load(struct hasten_code_table *table, const struct hasten_python *python,
                 struct hasten_reader *reader, uint64_t address, const struct head *head,
                 struct hasten_code_seen *ret_seen) {
    const struct hasten_layout *layout = &python->layout;
    struct hasten_code_text text = {0};
    size_t start = table->texts.size;
    if (!hasten_reader_u32(reader, HASTEN_READ_OBJECT, address + layout->code_first_traceable,
                           &ret_seen->first_traceable) ||
        !read_text(table, layout, reader, head, &text) || !enter(table, &text, &ret_seen->code)) {
        table->texts.size = start;
        table->texts.failed = false;
        return false;
    }
    return true;
}

const struct hasten_code_seen *hasten_code_table_find(struct hasten_code_table *table,
                                                      const struct hasten_python *python,
                                                      struct hasten_reader *reader,
                                                      uint64_t address) {
    uint64_t type = 0;
    struct head head;
    if (table->seen == NULL ||
        !hasten_reader_u64(reader, HASTEN_READ_OBJECT, address + python->layout.object_type,
                           &type) ||
        type != python->code_type || !read_head(&python->layout, reader, address, &head)) {
        return NULL;
    }
    struct hasten_code_seen *seen =
        &table->seen[(address >> 4 ^ address >> 15) & (HASTEN_CODES_SEEN - 1)];
    uint64_t fingerprint = fingerprint_of(&head);
    if (seen->address == address && seen->fingerprint == fingerprint) {
        return seen;
    }
    struct hasten_code_seen found = {.address = address, .fingerprint = fingerprint};
    if (!load(table, python, reader, address, &head, &found)) {
        return NULL;
    }
    *seen = found;
    return seen;
}

void hasten_code_table_forget(struct hasten_code_table *table) {
    table->written = table->count;
    hasten_buffer_clear(&table->texts);
}
