/* SPDX-License-Identifier: MIT
 *
 * The location table. An entry begins with a byte that has bit 7 set: bits 3-6
 * are its kind, bits 0-2 the number of code units minus one. Its other bytes
 * have bit 7 clear. Integers are 6 bits a byte, lowest first, bit 6 means that
 * more follow; signed ones keep the sign in the lowest bit. Columns count from
 * 0 in UTF-8 bytes, the end column is the one after the last. */
#include "core/profile/location.h"

#include <stddef.h>

/* Kinds 0 to 9: the line before, start column (kind * 8 + 3 bits), width 4 bits. */
#define KIND_SHORT_LAST 9
/* Kinds 10 to 12: line delta 0 to 2, a byte for each column. */
#define KIND_ONE_LINE 10
#define KIND_ONE_LINE_LAST 12
#define KIND_NO_COLUMNS 13 /* signed line delta */
#define KIND_LONG 14       /* signed line delta, lines spanned, columns + 1 (0: none) */
#define KIND_NONE 15       /* no location at all */

/* Lines and columns beyond this are damage: keeps sums far from overflow. */
#define NUMBER_LIMIT INT32_MAX

static uint8_t next_byte(struct hasten_cursor *cursor) {
    uint8_t byte = hasten_cursor_byte(cursor);
    if ((byte & 0x80) != 0) { /* the next entry already */
        cursor->failed = true;
    }
    return byte;
}

static int64_t next_number(struct hasten_cursor *cursor) {
    int64_t value = 0;
    for (unsigned shift = 0; shift < 36; shift += 6) {
        uint8_t byte = next_byte(cursor);
        value |= (int64_t)(byte & 0x3f) << shift;
        if ((byte & 0x40) == 0) {
            return value;
        }
    }
    cursor->failed = true;
    return 0;
}

static int64_t next_signed(struct hasten_cursor *cursor) {
    int64_t value = next_number(cursor);
    return (value & 1) != 0 ? -(value >> 1) : value >> 1;
}

/* A number from the table as it stands in a location; false where impossible. */
static bool store(int64_t number, int32_t *ret_field) {
    if (number < 0 || number > NUMBER_LIMIT) {
        return false;
    }
    *ret_field = (int32_t)number;
    return true;
}

static bool decode_short(struct hasten_location_walk *walk, unsigned kind) {
    uint8_t byte = next_byte(&walk->cursor);
    int32_t column = (int32_t)(kind * 8 + (byte >> 4)) + 1;
    walk->location.column = column;
    walk->location.end_column = column + (byte & 0x0f);
    return store(walk->line, &walk->location.line) && store(walk->line, &walk->location.end_line);
}

static bool decode_one_line(struct hasten_location_walk *walk, unsigned kind) {
    walk->line += kind - KIND_ONE_LINE;
    walk->location.column = next_byte(&walk->cursor) + 1;
    walk->location.end_column = next_byte(&walk->cursor) + 1;
    return store(walk->line, &walk->location.line) && store(walk->line, &walk->location.end_line);
}

static bool decode_long(struct hasten_location_walk *walk) {
    walk->line += next_signed(&walk->cursor);
    int64_t end_line = walk->line + next_number(&walk->cursor);
    int64_t column = next_number(&walk->cursor);
    int64_t end_column = next_number(&walk->cursor);
    return store(walk->line, &walk->location.line) && store(end_line, &walk->location.end_line) &&
           store(column, &walk->location.column) && store(end_column, &walk->location.end_column);
}

static bool decode_entry(struct hasten_location_walk *walk, unsigned kind) {
    if (kind <= KIND_SHORT_LAST) {
        return decode_short(walk, kind);
    }
    if (kind <= KIND_ONE_LINE_LAST) {
        return decode_one_line(walk, kind);
    }
    if (kind == KIND_NO_COLUMNS) {
        walk->line += next_signed(&walk->cursor);
        return store(walk->line, &walk->location.line) &&
               store(walk->line, &walk->location.end_line);
    }
    return kind == KIND_NONE || decode_long(walk);
}

void hasten_location_walk_init(struct hasten_location_walk *walk, const struct hasten_code *code) {
    *walk = (struct hasten_location_walk){
        .cursor = {.data = code->linetable, .size = code->linetable_size},
        .line = code->first_line,
    };
}

bool hasten_location_walk_next(struct hasten_location_walk *walk) {
    struct hasten_cursor *cursor = &walk->cursor;
    if (cursor->failed || cursor->position >= cursor->size) {
        return false;
    }
    uint8_t head = hasten_cursor_byte(cursor);
    walk->location = (struct hasten_location){0};
    if ((head & 0x80) == 0 || !decode_entry(walk, (head >> 3) & 0x0f) || cursor->failed) {
        cursor->failed = true;
        return false;
    }
    walk->start = walk->end;
    walk->end += (head & 7u) + 1;
    return true;
}

struct hasten_location hasten_code_location(const struct hasten_code *code, uint32_t instruction) {
    struct hasten_location_walk walk;
    hasten_location_walk_init(&walk, code);
    while (hasten_location_walk_next(&walk)) {
        if (instruction < walk.end) {
            return walk.location;
        }
    }
    int32_t line = code->first_line > 0 ? code->first_line : 0;
    return (struct hasten_location){.line = line, .end_line = line};
}
