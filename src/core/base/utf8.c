/* SPDX-License-Identifier: MIT
 *
 * The well-formed byte sequences are table 3-7 of the Unicode standard: no
 * overlong forms, no surrogates, nothing above U+10FFFF. */
#include "core/base/utf8.h"

#include <string.h>

static bool is_tail(uint8_t byte) {
    return (byte & 0xc0) == 0x80;
}

/* The length of the character that begins at `bytes`, 0 where it is not one. */
static size_t character_size(const uint8_t *bytes, size_t size) {
    uint8_t lead = bytes[0];
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xc2 && lead <= 0xdf) {
        return size >= 2 && is_tail(bytes[1]) ? 2 : 0;
    }
    if (lead >= 0xe0 && lead <= 0xef) {
        uint8_t lowest = lead == 0xe0 ? 0xa0 : 0x80;
        uint8_t highest = lead == 0xed ? 0x9f : 0xbf;
        bool good = size >= 3 && bytes[1] >= lowest && bytes[1] <= highest && is_tail(bytes[2]);
        return good ? 3 : 0;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        uint8_t lowest = lead == 0xf0 ? 0x90 : 0x80;
        uint8_t highest = lead == 0xf4 ? 0x8f : 0xbf;
        bool good = size >= 4 && bytes[1] >= lowest && bytes[1] <= highest && is_tail(bytes[2]) &&
                    is_tail(bytes[3]);
        return good ? 4 : 0;
    }
    return 0;
}

size_t hasten_utf8_valid(const char *text, size_t size) {
    const uint8_t *bytes = (const uint8_t *)text;
    size_t position = 0;
    while (position < size) {
        uint64_t word = UINT64_MAX;
        if (size - position >= sizeof word) {
            memcpy(&word, bytes + position, sizeof word);
        }
        if ((word & UINT64_C(0x8080808080808080)) == 0) {
            position += sizeof word;
            continue;
        }
        size_t step = character_size(bytes + position, size - position);
        if (step == 0) {
            break;
        }
        position += step;
    }
    return position;
}

void hasten_utf8_clean(struct hasten_buffer *buffer, const char *text, size_t size) {
    while (size > 0) {
        size_t good = hasten_utf8_valid(text, size);
        hasten_buffer_append(buffer, text, good);
        text += good;
        size -= good;
        if (size > 0) {
            hasten_buffer_append(buffer, "\xef\xbf\xbd", 3);
            text++;
            size--;
        }
    }
}
