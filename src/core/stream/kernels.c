/* SPDX-License-Identifier: MIT
 *
 * The choice of instructions, what is chosen of a needle, and the portable set. */
#include "core/stream/kernels.h"

#include <string.h>

/* Bytes of logs and tables from the most common on; those that are not named are rarer
 * than all. An order of letters in English text, with the digits and signs of logs put
 * in by hand: it need not be exact, for it only decides which bytes are compared first. */
static const char COMMON[] =
    " etaoinsr0hl1d2cu3-m./:f5p4g67w98yb,v\n_k=\"[]Iix()TSAECRNOj'DLPMBqzFUGHWVYKX";

static size_t rarity_of(uint8_t byte) {
    const void *at = memchr(COMMON, byte, sizeof COMMON - 1);
    return at == NULL ? sizeof COMMON : (size_t)((const char *)at - COMMON);
}

struct hasten_needle hasten_needle_make(const uint8_t *bytes, size_t size) {
    /* So far into the needle, that the two are in one or two cache lines. */
    const size_t looked_at = size < 64 ? size : 64;
    size_t first = 0;
    for (size_t i = 1; i < looked_at; i++) {
        first = rarity_of(bytes[i]) > rarity_of(bytes[first]) ? i : first;
    }
    size_t second = first == 0 && looked_at > 1 ? 1 : 0;
    for (size_t i = 0; i < looked_at; i++) {
        if (i != first && bytes[i] != bytes[first] &&
            (second == first || bytes[second] == bytes[first] ||
             rarity_of(bytes[i]) > rarity_of(bytes[second]))) {
            second = i;
        }
    }
    return (struct hasten_needle){bytes, size, first, second};
}

size_t hasten_find_slowly(const uint8_t *data, size_t size, size_t from,
                          const struct hasten_needle *needle) {
    if (from > size) {
        return size;
    }
    const uint8_t *at = memmem(data + from, size - from, needle->bytes, needle->size);
    return at == NULL ? size : (size_t)(at - data);
}

static unsigned portable_classify(const uint8_t *data, size_t size) {
    uint64_t all = 0;
    size_t at = 0;
    for (; at + sizeof(uint64_t) <= size; at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, data + at, sizeof word);
        all |= word;
    }
    for (; at < size; at++) {
        all |= data[at];
    }
    return ((all & UINT64_C(0x8080808080808080)) != 0 ? HASTEN_BYTES_HIGH : 0u) |
           (size != 0 && memchr(data, '\r', size) != NULL ? HASTEN_BYTES_RETURN : 0u);
}

static size_t portable_count(const uint8_t *data, size_t size, uint8_t byte) {
    size_t count = 0;
    for (size_t i = 0; i < size; i++) {
        count += data[i] == byte;
    }
    return count;
}

static size_t portable_split(const uint8_t *data, size_t size, uint8_t byte, size_t start,
                             struct hasten_span *ret_spans, size_t capacity) {
    size_t count = 0;
    while (count < capacity && start < size) {
        const uint8_t *end = memchr(data + start, byte, size - start);
        if (end == NULL) {
            break;
        }
        const size_t next = (size_t)(end - data) + 1;
        ret_spans[count++] = (struct hasten_span){start, next, false};
        start = next;
    }
    return count;
}

static size_t portable_find(const uint8_t *data, size_t size, const struct hasten_needle *needle) {
    return hasten_find_slowly(data, size, 0, needle);
}

const struct hasten_kernels hasten_kernels_portable = {
    "portable", portable_classify, portable_count, portable_split, portable_find,
};

size_t hasten_kernels_list(const struct hasten_kernels *ret_kernels[HASTEN_KERNELS_MAX]) {
    const struct hasten_kernels *const all[] = {
        hasten_kernels_widest(),
        hasten_kernels_wide(),
        &hasten_kernels_portable,
    };
    size_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i] != NULL) {
            ret_kernels[count++] = all[i];
        }
    }
    return count;
}

const struct hasten_kernels *hasten_kernels_best(void) {
    const struct hasten_kernels *all[HASTEN_KERNELS_MAX];
    (void)hasten_kernels_list(all);
    return all[0];
}
