/* SPDX-License-Identifier: MIT
 *
 * UTF-8 with lone surrogates. */
#include "core/pstats/surrogates.h"

#include <stdbool.h>
#include <string.h>

#define HIGH_BITS 0x8080808080808080u

size_t hasten_surrogates_ascii(const uint8_t *bytes, size_t size) {
    size_t i = 0;
    uint64_t word = 0;
    for (; size - i >= sizeof word; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        if ((word & HIGH_BITS) != 0) {
            break;
        }
    }
    while (i < size && bytes[i] < 0x80) {
        i++;
    }
    return i;
}

/* Bytes of the character that begins here; 0 where none does. */
static size_t character(const uint8_t *bytes, size_t size) {
    const uint8_t first = bytes[0];
    size_t length = 0;
    uint32_t point = 0;
    uint32_t least = 0; /* shorter forms exist for what is less */
    if (first >= 0xc2 && first <= 0xdf) {
        length = 2, point = first & 0x1f, least = 0x80;
    } else if (first >= 0xe0 && first <= 0xef) {
        length = 3, point = first & 0x0f, least = 0x800;
    } else if (first >= 0xf0 && first <= 0xf4) {
        length = 4, point = first & 0x07, least = 0x10000;
    }
    if (length == 0 || length > size) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
        point = point << 6 | (bytes[i] & 0x3f);
    }
    return point >= least && point <= 0x10ffff ? length : 0;
}

size_t hasten_surrogates_valid(const uint8_t *bytes, size_t size) {
    size_t i = 0;
    while (i < size) {
        i += hasten_surrogates_ascii(bytes + i, size - i);
        if (i == size) {
            break;
        }
        const size_t length = character(bytes + i, size - i);
        if (length == 0) {
            break;
        }
        i += length;
    }
    return i;
}

size_t hasten_surrogates_length(const uint8_t *bytes, size_t size) {
    size_t length = 0;
    for (size_t i = 0; i < size; i++) {
        length += (bytes[i] & 0xc0) != 0x80;
    }
    return length;
}
