/* SPDX-License-Identifier: MIT
 *
 * Memory of our own, straight from the kernel: what records the program's allocations
 * must not be one of them. Locked by its user. */
#ifndef HASTEN_PRELOAD_ARENA_H
#define HASTEN_PRELOAD_ARENA_H

#include "core/base/allocator.h"

#define HASTEN_ARENA_CLASSES 12 /* 16 bytes to 32 KiB, powers of two */

struct hasten_arena {
    struct hasten_allocator allocator; /* pass &it.allocator */
    void *free_lists[HASTEN_ARENA_CLASSES];
    char *chunk; /* not given out yet */
    size_t chunk_left;
};

/* Must not move afterwards. */
void hasten_arena_init(struct hasten_arena *arena);

#endif
