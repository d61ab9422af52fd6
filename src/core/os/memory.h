/* SPDX-License-Identifier: MIT
 *
 * Another process's memory.
 *
 * An address there is a struct, so that it cannot be dereferenced here. */
#ifndef HASTEN_OS_MEMORY_H
#define HASTEN_OS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hasten/status.h"

typedef struct hasten_raddr {
    uint64_t value;
} hasten_raddr;

static inline hasten_raddr hasten_raddr_at(uint64_t value) {
    return (hasten_raddr){value};
}

static inline hasten_raddr hasten_raddr_add(hasten_raddr address, uint64_t offset) {
    return (hasten_raddr){address.value + offset};
}

static inline bool hasten_raddr_is_null(hasten_raddr address) {
    return address.value == 0;
}

/* One piece of a batched read. */
struct hasten_read {
    hasten_raddr address;
    void *into;
    size_t size;
};

/* More pieces than this are read in several calls (the kernel's IOV_MAX). */
#define HASTEN_READ_BATCH 1024

/* Reads all of `size` bytes. GONE: not (or no longer) mapped; NO_PROCESS;
 * NO_PERMISSION. */
HASTEN_CHECKED hasten_status hasten_memory_read(uint32_t pid, hasten_raddr address, void *into,
                                                size_t size);

/* Reads the pieces in order in one system call. `*ret_bytes` gets the number of
 * bytes that arrived: fewer than asked (GONE) where a piece is not mapped. */
HASTEN_CHECKED hasten_status hasten_memory_read_batch(uint32_t pid, const struct hasten_read *reads,
                                                      size_t count, size_t *ret_bytes);

#endif
