/* SPDX-License-Identifier: MIT
 *
 * What a profile owns beside its arrays: their capacities, and the text and
 * tables in an arena of chunks. */
#ifndef HASTEN_PROFILE_STORAGE_H
#define HASTEN_PROFILE_STORAGE_H

#include <stddef.h>
#include <stdint.h>

#include "hasten/profile.h"

struct hasten_arena_chunk {
    struct hasten_arena_chunk *next;
    size_t size; /* of the whole chunk, for its release */
    size_t used;
    uint8_t data[];
};

struct hasten_profile_storage {
    size_t string_capacity;
    size_t fact_capacity;
    size_t process_capacity;
    size_t thread_capacity;
    size_t code_capacity;
    size_t function_capacity;
    size_t node_capacity;
    size_t metric_capacity;
    size_t value_capacity;
    size_t series_capacity;
    struct hasten_arena_chunk *chunks; /* the newest first */
};

/* A copy of `size` bytes and a NUL that lives as long as the profile, or NULL. */
const uint8_t *hasten_storage_copy(const struct hasten_allocator *allocator,
                                   struct hasten_profile_storage *storage, const void *data,
                                   size_t size);

#endif
