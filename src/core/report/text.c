/* SPDX-License-Identifier: MIT
 *
 * UTF-8 decoding, escaping, widths, cutting and wrapping. */
#include "core/report/text.h"

#include <string.h>

size_t hasten_utf8_decode(const char *text, size_t size, uint32_t *ret_character) {
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (size == 0) {
        return 0;
    }
    uint8_t first = (uint8_t)text[0];
    size_t length = first < 0x80   ? 1
                    : first < 0xc0 ? 0
                    : first < 0xe0 ? 2
                    : first < 0xf0 ? 3
                    : first < 0xf8 ? 4
                                   : 0;
    if (length == 0 || length > size) {
        return 0;
    }
    uint32_t character = length == 1 ? first : first & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        uint8_t next = (uint8_t)text[i];
        if ((next & 0xc0) != 0x80) {
            return 0;
        }
        character = character << 6 | (next & 0x3fu);
    }
    if (character < smallest[length] || character > 0x10ffff ||
        (character >= 0xd800 && character <= 0xdfff)) {
        return 0;
    }
    *ret_character = character;
    return length;
}

struct range {
    uint32_t first, last;
};

static bool in_ranges(uint32_t character, const struct range *ranges, size_t count) {
    for (size_t i = 0; i < count && ranges[i].first <= character; i++) {
        if (character <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

/* Control characters, and characters that are invisible or reorder what stands
 * around them (Unicode categories Cc, Zl, Zp, Cf, private use, noncharacters). */
static bool is_dangerous(uint32_t character) {
    static const struct range ranges[] = {
        {0x00, 0x1f},       {0x7f, 0x9f},        {0xad, 0xad},     {0x61c, 0x61c},
        {0x180e, 0x180e},   {0x200b, 0x200f},    {0x2028, 0x202e}, {0x2060, 0x206f},
        {0xe000, 0xf8ff},   {0xfeff, 0xfeff},    {0xfff0, 0xfffb}, {0xfffe, 0xffff},
        {0xe0000, 0xe0fff}, {0xf0000, 0x10ffff},
    };
    return in_ranges(character, ranges, sizeof ranges / sizeof *ranges);
}

/* Combining marks take no column of their own. */
static bool is_combining(uint32_t character) {
    static const struct range ranges[] = {
        {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61a},   {0x64b, 0x65f},
        {0x6d6, 0x6dc},   {0x93a, 0x93a},   {0x93c, 0x93c},   {0x941, 0x948},   {0x94d, 0x94d},
        {0xe31, 0xe31},   {0xe34, 0xe3a},   {0xe47, 0xe4e},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
        {0x20d0, 0x20ff}, {0x302a, 0x302d}, {0x3099, 0x309a}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
    };
    return in_ranges(character, ranges, sizeof ranges / sizeof *ranges);
}

/* East Asian wide characters and emoji take two. */
static bool is_wide(uint32_t character) {
    static const struct range ranges[] = {
        {0x1100, 0x115f},   {0x231a, 0x231b},   {0x23e9, 0x23ec},   {0x2e80, 0x303e},
        {0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xa000, 0xa4cf},
        {0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
        {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x16fe0, 0x1b2ff}, {0x1f300, 0x1f64f},
        {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
    };
    return in_ranges(character, ranges, sizeof ranges / sizeof *ranges);
}

void hasten_text_safe(struct hasten_buffer *out, const char *text, size_t size, bool unicode) {
    size_t position = 0;
    while (position < size) {
        uint32_t character = 0;
        size_t length = hasten_utf8_decode(text + position, size - position, &character);
        if (length == 0) {
            hasten_buffer_format(out, "\\x%02x", (unsigned)(uint8_t)text[position]);
            position++;
            continue;
        }
        if (!is_dangerous(character) && (unicode || character < 0x80)) {
            hasten_buffer_append(out, text + position, length);
        } else if (character < 0x100) {
            hasten_buffer_format(out, "\\x%02x", (unsigned)character);
        } else if (character < 0x10000) {
            hasten_buffer_format(out, "\\u%04x", (unsigned)character);
        } else {
            hasten_buffer_format(out, "\\U%08x", (unsigned)character);
        }
        position += length;
    }
}

static size_t character_width(uint32_t character) {
    return is_combining(character) ? 0 : is_wide(character) ? 2 : 1;
}

size_t hasten_text_width(const char *text, size_t size) {
    size_t width = 0;
    size_t position = 0;
    while (position < size) {
        uint32_t character = 0;
        size_t length = hasten_utf8_decode(text + position, size - position, &character);
        width += length == 0 ? 1 : character_width(character);
        position += length == 0 ? 1 : length;
    }
    return width;
}

static const char *ellipsis(bool unicode) {
    return unicode ? "…" : "~";
}

size_t hasten_text_cut_end(struct hasten_buffer *out, const char *text, size_t columns,
                           bool unicode) {
    size_t size = strlen(text);
    size_t width = hasten_text_width(text, size);
    if (width <= columns) {
        hasten_buffer_append(out, text, size);
        return width;
    }
    if (columns == 0) {
        return 0;
    }
    size_t used = 0;
    size_t position = 0;
    while (position < size) {
        uint32_t character = 0;
        size_t length = hasten_utf8_decode(text + position, size - position, &character);
        size_t step = length == 0 ? 1 : character_width(character);
        if (used + step > columns - 1) {
            break;
        }
        used += step;
        position += length == 0 ? 1 : length;
    }
    hasten_buffer_append(out, text, position);
    hasten_buffer_text(out, ellipsis(unicode));
    return used + 1;
}

size_t hasten_text_cut_start(struct hasten_buffer *out, const char *text, size_t columns,
                             bool unicode) {
    size_t size = strlen(text);
    size_t width = hasten_text_width(text, size);
    if (width <= columns) {
        hasten_buffer_append(out, text, size);
        return width;
    }
    if (columns == 0) {
        return 0;
    }
    size_t position = 0;
    while (position < size && width > columns - 1) {
        uint32_t character = 0;
        size_t length = hasten_utf8_decode(text + position, size - position, &character);
        width -= length == 0 ? 1 : character_width(character);
        position += length == 0 ? 1 : length;
    }
    /* "…/views.py" reads better than "…op/views.py". */
    const char *slash = memchr(text + position, '/', size - position);
    if (slash != NULL && slash[1] != '\0') {
        position = (size_t)(slash - text);
        width = hasten_text_width(slash, size - position);
    }
    hasten_buffer_text(out, ellipsis(unicode));
    hasten_buffer_append(out, text + position, size - position);
    return width + 1;
}

/* "%", "KiB", "MiB)". */
static bool is_unit(const char *word) {
    return word[0] == '%' || (word[0] != '\0' && word[1] == 'i' && word[2] == 'B');
}

void hasten_text_wrap(struct hasten_buffer *out, const char *text, const char *indent,
                      size_t columns) {
    size_t indent_width = hasten_text_width(indent, strlen(indent));
    size_t used = 0;
    while (*text != '\0') {
        size_t size = strcspn(text, " ");
        while (text[size] == ' ' && is_unit(text + size + 1)) { /* a number keeps its unit */
            size += 1 + strcspn(text + size + 1, " ");
        }
        size_t width = hasten_text_width(text, size);
        if (used > 0 && indent_width + used + 1 + width > columns) {
            hasten_buffer_byte(out, '\n');
            used = 0;
        }
        hasten_buffer_text(out, used == 0 ? indent : " ");
        hasten_buffer_append(out, text, size);
        used += width + (used == 0 ? 0 : 1);
        text += size;
        text += strspn(text, " ");
    }
    if (used > 0) {
        hasten_buffer_byte(out, '\n');
    }
}

hasten_status hasten_text_take(const struct hasten_buffer *buffer, char **ret_text,
                               struct hasten_error *error) {
    char *text = buffer->failed ? NULL : hasten_allocate(buffer->allocator, buffer->size + 1);
    if (text == NULL) {
        return hasten_error_set(error, HASTEN_NO_MEMORY, -1, "no memory for the report");
    }
    memcpy(text, buffer->data, buffer->size);
    text[buffer->size] = '\0';
    *ret_text = text;
    return HASTEN_OK;
}
