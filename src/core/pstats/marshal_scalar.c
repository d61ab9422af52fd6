/* SPDX-License-Identifier: MIT
 *
 * Numbers, texts and constants of marshal data; everything is little-endian. */
#include "core/pstats/marshal_scalar.h"

#include "core/pstats/marshal_codes.h"
#include "core/pstats/surrogates.h"

#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A large integer's digits have 15 bits each, two bytes wide. */
#define DIGIT_BITS 15
#define DIGIT_MAX ((1u << DIGIT_BITS) - 1)
/* So many digits always fit in an int64_t. */
#define DIGITS_KEPT 4

hasten_status hasten_marshal_fault(struct hasten_marshal_input *input, hasten_status status,
                                   const char *what) {
    return hasten_error_set(input->error, status, (int64_t)input->position,
                            "bad marshal data (%s) at byte %zu", what, input->position);
}

hasten_status hasten_marshal_too_short(struct hasten_marshal_input *input) {
    return hasten_error_set(input->error, HASTEN_TRUNCATED, (int64_t)input->size,
                            "marshal data too short: it ends at byte %zu", input->size);
}

/* Borrows `count` bytes of the input; NULL where there are fewer. */
static const uint8_t *take(struct hasten_marshal_input *input, size_t count) {
    if (count > input->size - input->position) {
        return NULL;
    }
    const uint8_t *bytes = input->data + input->position;
    input->position += count;
    return bytes;
}

hasten_status hasten_marshal_code(struct hasten_marshal_input *input, uint8_t *ret_code) {
    if (input->position >= input->size) {
        return hasten_error_set(input->error, HASTEN_TRUNCATED, (int64_t)input->size,
                                "EOF read where object expected: the data ends at byte %zu",
                                input->size);
    }
    *ret_code = input->data[input->position++];
    return HASTEN_OK;
}

hasten_status hasten_marshal_u8(struct hasten_marshal_input *input, uint8_t *ret_value) {
    const uint8_t *bytes = take(input, 1);
    if (bytes == NULL) {
        return hasten_marshal_too_short(input);
    }
    *ret_value = bytes[0];
    return HASTEN_OK;
}

hasten_status hasten_marshal_u32(struct hasten_marshal_input *input, uint32_t *ret_value) {
    const uint8_t *bytes = take(input, 4);
    if (bytes == NULL) {
        return hasten_marshal_too_short(input);
    }
    *ret_value = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                 (uint32_t)bytes[3] << 24;
    return HASTEN_OK;
}

static hasten_status read_u64(struct hasten_marshal_input *input, uint64_t *ret_value) {
    uint32_t low = 0;
    uint32_t high = 0;
    hasten_status status = hasten_marshal_u32(input, &low);
    if (status == HASTEN_OK) {
        status = hasten_marshal_u32(input, &high);
    }
    if (status == HASTEN_OK) {
        *ret_value = (uint64_t)high << 32 | low;
    }
    return status;
}

static hasten_status read_integer(struct hasten_marshal_input *input, uint8_t code,
                                  struct hasten_marshal_node *node) {
    uint32_t narrow = 0;
    uint64_t value = 0;
    hasten_status status = HASTEN_OK;
    if (code == MARSHAL_INT) {
        status = hasten_marshal_u32(input, &narrow);
        value = (uint64_t)(int64_t)(int32_t)narrow;
    } else {
        status = read_u64(input, &value);
    }
    node->kind = HASTEN_MARSHAL_INT;
    node->integer = (int64_t)value;
    return status;
}

/* The number of digits, negative for a negative number, then the digits. */
static hasten_status read_long(struct hasten_marshal_input *input,
                               struct hasten_marshal_node *node) {
    uint32_t size = 0;
    hasten_status status = hasten_marshal_u32(input, &size);
    if (status != HASTEN_OK) {
        return status;
    }
    const bool is_negative = (size >> 31) != 0;
    const size_t count = is_negative ? -(size_t)(int32_t)size : size;
    if (count > INT32_MAX) {
        return hasten_marshal_fault(input, HASTEN_CORRUPT, "long size out of range");
    }
    const uint8_t *digits = take(input, count * 2);
    if (digits == NULL) {
        return hasten_marshal_too_short(input);
    }
    int64_t value = 0;
    for (size_t i = count; i > 0; i--) {
        const uint32_t digit = (uint32_t)(digits[2 * i - 2] | digits[2 * i - 1] << 8);
        if (digit > DIGIT_MAX) {
            return hasten_marshal_fault(input, HASTEN_CORRUPT, "digit out of range in long");
        }
        if (i == count && digit == 0) {
            return hasten_marshal_fault(input, HASTEN_CORRUPT, "unnormalized long data");
        }
        if (count <= DIGITS_KEPT) {
            value = value << DIGIT_BITS | digit;
        }
    }
    node->kind = count <= DIGITS_KEPT ? HASTEN_MARSHAL_INT : HASTEN_MARSHAL_OTHER;
    node->integer = is_negative ? -value : value;
    return HASTEN_OK;
}

/* A length and the number as the C locale writes it, whatever the program's. */
static hasten_status read_text_float(struct hasten_marshal_input *input, double *ret_value) {
    uint8_t size = 0;
    hasten_status status = hasten_marshal_u8(input, &size);
    if (status != HASTEN_OK) {
        return status;
    }
    const uint8_t *bytes = take(input, size);
    if (bytes == NULL) {
        return hasten_marshal_too_short(input);
    }
    char text[UINT8_MAX + 1];
    memcpy(text, bytes, size);
    text[size] = '\0';
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0) {
        return hasten_error_set(input->error, HASTEN_NO_MEMORY, -1, "out of memory");
    }
    char *end = text;
    const double value = strtod_l(text, &end, plain);
    freelocale(plain);
    /* strtod also knows blanks, hexadecimal numbers and nan(...). */
    if (size == 0 || end != text + size || strspn(text, "+-.0123456789eEinfatyINFATY") != size) {
        return hasten_marshal_fault(input, HASTEN_CORRUPT, "not a number");
    }
    *ret_value = value;
    return HASTEN_OK;
}

static hasten_status read_float(struct hasten_marshal_input *input, uint8_t code,
                                struct hasten_marshal_node *node) {
    node->kind = HASTEN_MARSHAL_FLOAT;
    if (code == MARSHAL_FLOAT) {
        return read_text_float(input, &node->number);
    }
    uint64_t bits = 0;
    hasten_status status = read_u64(input, &bits);
    memcpy(&node->number, &bits, sizeof bits);
    return status;
}

static hasten_status read_complex(struct hasten_marshal_input *input, uint8_t code) {
    double part = 0;
    uint64_t bits = 0;
    hasten_status status = HASTEN_OK;
    for (int i = 0; status == HASTEN_OK && i < 2; i++) {
        status = code == MARSHAL_COMPLEX ? read_text_float(input, &part) : read_u64(input, &bits);
    }
    return status;
}

/* A text or bytes of `size` bytes; only what a 'u' or 't' holds can be wrong UTF-8,
 * and only what an ASCII code holds can be something else than ASCII. */
static hasten_status read_bytes(struct hasten_marshal_input *input, uint8_t code, uint32_t size,
                                struct hasten_marshal_node *node) {
    if (size > INT32_MAX) {
        return hasten_marshal_fault(input, HASTEN_CORRUPT, "string size out of range");
    }
    const size_t start = input->position;
    const uint8_t *bytes = take(input, size);
    if (bytes == NULL) {
        return hasten_marshal_too_short(input);
    }
    if (code == MARSHAL_BYTES) {
        return HASTEN_OK;
    }
    const bool is_wide = code == MARSHAL_UNICODE || code == MARSHAL_INTERNED;
    const size_t valid =
        is_wide ? hasten_surrogates_valid(bytes, size) : hasten_surrogates_ascii(bytes, size);
    if (valid != size && is_wide) {
        input->position = start + valid;
        return hasten_marshal_fault(input, HASTEN_CORRUPT, "text that is not UTF-8");
    }
    /* Bytes over 127 in an "ASCII" text are Latin-1 to CPython: nobody writes them. */
    node->kind = valid == size ? HASTEN_MARSHAL_TEXT : HASTEN_MARSHAL_OTHER;
    node->count = size;
    node->offset = (uint32_t)start;
    return HASTEN_OK;
}

static hasten_status read_text(struct hasten_marshal_input *input, uint8_t code,
                               struct hasten_marshal_node *node) {
    uint32_t size = 0;
    uint8_t small = 0;
    hasten_status status = HASTEN_OK;
    if (code == MARSHAL_SHORT_ASCII || code == MARSHAL_SHORT_ASCII_INTERNED) {
        status = hasten_marshal_u8(input, &small);
        size = small;
    } else {
        status = hasten_marshal_u32(input, &size);
    }
    return status == HASTEN_OK ? read_bytes(input, code, size, node) : status;
}

hasten_status hasten_marshal_scalar(struct hasten_marshal_input *input, uint8_t code,
                                    struct hasten_marshal_node *ret_node) {
    switch (code) {
    case MARSHAL_NONE:
    case MARSHAL_FALSE:
    case MARSHAL_TRUE:
    case MARSHAL_STOP_ITERATION:
    case MARSHAL_ELLIPSIS:
        return HASTEN_OK;
    case MARSHAL_INT:
    case MARSHAL_INT64:
        return read_integer(input, code, ret_node);
    case MARSHAL_LONG:
        return read_long(input, ret_node);
    case MARSHAL_FLOAT:
    case MARSHAL_BINARY_FLOAT:
        return read_float(input, code, ret_node);
    case MARSHAL_COMPLEX:
    case MARSHAL_BINARY_COMPLEX:
        return read_complex(input, code);
    case MARSHAL_BYTES:
    case MARSHAL_UNICODE:
    case MARSHAL_INTERNED:
    case MARSHAL_ASCII:
    case MARSHAL_ASCII_INTERNED:
    case MARSHAL_SHORT_ASCII:
    case MARSHAL_SHORT_ASCII_INTERNED:
        return read_text(input, code, ret_node);
    case MARSHAL_CODE:
        input->position--;
        return hasten_marshal_fault(input, HASTEN_CORRUPT, "a code object");
    default:
        input->position--;
        return hasten_marshal_fault(input, HASTEN_CORRUPT, "unknown type code");
    }
}
