/* SPDX-License-Identifier: MIT
 *
 * Loads numbers from copied memory, whatever its alignment. */
#ifndef HASTEN_SAMPLING_LOAD_H
#define HASTEN_SAMPLING_LOAD_H

#include <stdint.h>
#include <string.h>

static inline uint64_t hasten_load_u64(const uint8_t *base, uint32_t offset) {
    uint64_t value;
    memcpy(&value, base + offset, sizeof value);
    return value;
}

static inline uint32_t hasten_load_u32(const uint8_t *base, uint32_t offset) {
    uint32_t value;
    memcpy(&value, base + offset, sizeof value);
    return value;
}

static inline uint8_t hasten_load_u8(const uint8_t *base, uint32_t offset) {
    return base[offset];
}

#endif
