/* SPDX-License-Identifier: MIT
 *
 * One set of kernels in vectors, whatever their width. No header in the usual sense: a
 * source includes it once for each set, with these defined (and undefined again here):
 *
 *   KERNEL(name)     the function's name in this set
 *   KERNEL_TARGET    the attribute that lets the compiler use the instructions, or nothing
 *   VECTOR           the type, VECTOR_BYTES its size
 *   LOAD(address) SPLAT(byte) EQUAL(a, b) BOTH(a, b) EITHER(a, b)
 *   MASK(vector)     64 bits in which each byte that is not 0 has its top bit's LANE_BITS
 *   LANE_BITS        bits of the mask for a byte, of which one may be set
 *
 * Loads need no alignment and never read beyond the data: it may end where memory does. */

KERNEL_TARGET static unsigned KERNEL(classify)(const uint8_t *data, size_t size) {
    const VECTOR wanted = SPLAT('\r');
    VECTOR high = SPLAT(0);
    VECTOR returns = SPLAT(0);
    size_t at = 0;
    for (; at + 4 * (size_t)VECTOR_BYTES <= size; at += 4 * (size_t)VECTOR_BYTES) {
        const VECTOR a = LOAD(data + at);
        const VECTOR b = LOAD(data + at + VECTOR_BYTES);
        const VECTOR c = LOAD(data + at + 2 * (size_t)VECTOR_BYTES);
        const VECTOR d = LOAD(data + at + 3 * (size_t)VECTOR_BYTES);
        high = EITHER(high, EITHER(EITHER(a, b), EITHER(c, d)));
        returns = EITHER(returns, EITHER(EITHER(EQUAL(a, wanted), EQUAL(b, wanted)),
                                         EITHER(EQUAL(c, wanted), EQUAL(d, wanted))));
    }
    return (MASK(high) != 0 ? HASTEN_BYTES_HIGH : 0u) |
           (MASK(returns) != 0 ? HASTEN_BYTES_RETURN : 0u) |
           hasten_kernels_portable.classify(data + at, size - at);
}

KERNEL_TARGET static size_t KERNEL(count)(const uint8_t *data, size_t size, uint8_t byte) {
    const VECTOR wanted = SPLAT(byte);
    size_t count = 0;
    size_t at = 0;
    for (; at + VECTOR_BYTES <= size; at += VECTOR_BYTES) {
        count += (size_t)__builtin_popcountll(MASK(EQUAL(LOAD(data + at), wanted)));
    }
    return count + hasten_kernels_portable.count(data + at, size - at, byte);
}

KERNEL_TARGET static size_t KERNEL(split)(const uint8_t *data, size_t size, uint8_t byte,
                                          size_t start, struct hasten_span *ret_spans,
                                          size_t capacity) {
    const VECTOR wanted = SPLAT(byte);
    size_t count = 0;
    for (size_t at = start; at + VECTOR_BYTES <= size; at += VECTOR_BYTES) {
        uint64_t mask = MASK(EQUAL(LOAD(data + at), wanted));
        for (; mask != 0; mask &= mask - 1) {
            if (count == capacity) {
                return count;
            }
            const size_t next = at + (size_t)__builtin_ctzll(mask) / LANE_BITS + 1;
            ret_spans[count++] = (struct hasten_span){start, next, false};
            start = next;
        }
    }
    return count + hasten_kernels_portable.split(data, size, byte, start, ret_spans + count,
                                                 capacity - count);
}

/* Compares two bytes of the needle at once with those at VECTOR_BYTES places, and the whole
 * needle where both are right. Text in which that often goes wrong is left to the search
 * that no text can make slow. */
KERNEL_TARGET static size_t KERNEL(find)(const uint8_t *data, size_t size,
                                         const struct hasten_needle *needle) {
    const VECTOR one = SPLAT(needle->bytes[needle->first]);
    const VECTOR other = SPLAT(needle->bytes[needle->second]);
    const size_t reach =
        (needle->first > needle->second ? needle->first : needle->second) + 2 * VECTOR_BYTES;
    const uint8_t *ones = data + needle->first;
    const uint8_t *others = data + needle->second;
    size_t wasted = 0;
    size_t at = 0;
    for (; at + reach <= size; at += 2 * (size_t)VECTOR_BYTES) {
        const VECTOR low = BOTH(EQUAL(LOAD(ones + at), one), EQUAL(LOAD(others + at), other));
        const VECTOR high = BOTH(EQUAL(LOAD(ones + at + VECTOR_BYTES), one),
                                 EQUAL(LOAD(others + at + VECTOR_BYTES), other));
        if (MASK(EITHER(low, high)) == 0) {
            continue;
        }
        uint64_t mask = MASK(low);
        for (size_t half = at; half <= at + VECTOR_BYTES; half += VECTOR_BYTES) {
            for (; mask != 0; mask &= mask - 1) {
                const size_t place = half + (size_t)__builtin_ctzll(mask) / LANE_BITS;
                if (place + needle->size <= size &&
                    memcmp(data + place, needle->bytes, needle->size) == 0) {
                    return place;
                }
                wasted += needle->size;
            }
            mask = MASK(high);
        }
        if (wasted > 4096 + 2 * at) {
            return hasten_find_slowly(data, size, at, needle);
        }
    }
    return hasten_find_slowly(data, size, at, needle);
}

static const struct hasten_kernels KERNEL(kernels) = {
    KERNEL_NAME, KERNEL(classify), KERNEL(count), KERNEL(split), KERNEL(find),
};

#undef KERNEL
#undef KERNEL_NAME
#undef KERNEL_TARGET
#undef VECTOR
#undef VECTOR_BYTES
#undef LOAD
#undef SPLAT
#undef EQUAL
#undef BOTH
#undef EITHER
#undef MASK
#undef LANE_BITS
