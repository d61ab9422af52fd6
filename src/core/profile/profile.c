/* SPDX-License-Identifier: MIT
 *
 * A profile's memory and its look-ups by name. It is put together elsewhere. */
#include "hasten/profile.h"

#include <string.h>

#include "core/base/allocator.h"
#include "core/profile/storage.h"

#define CHUNK_BYTES 65536

const uint8_t *hasten_storage_copy(const struct hasten_allocator *allocator,
                                   struct hasten_profile_storage *storage, const void *data,
                                   size_t size) {
    struct hasten_arena_chunk *chunk = storage->chunks;
    size_t room = chunk == NULL ? 0 : chunk->size - sizeof *chunk - chunk->used;
    if (chunk == NULL || room < size + 1) {
        size_t chunk_size = sizeof *chunk + size + 1;
        chunk_size = chunk_size < CHUNK_BYTES ? CHUNK_BYTES : chunk_size;
        chunk = hasten_allocate(allocator, chunk_size);
        if (chunk == NULL) {
            return NULL;
        }
        *chunk = (struct hasten_arena_chunk){.next = storage->chunks, .size = chunk_size};
        storage->chunks = chunk;
    }
    uint8_t *copy = chunk->data + chunk->used;
    if (size > 0) {
        memcpy(copy, data, size);
    }
    copy[size] = '\0';
    chunk->used += size + 1;
    return copy;
}

void hasten_profile_free(struct hasten_profile *profile) {
    if (profile == NULL) {
        return;
    }
    const struct hasten_allocator *allocator = profile->allocator;
    struct hasten_profile_storage *storage = profile->storage;
#define RELEASE(array, capacity) \
    hasten_release(allocator, profile->array, storage->capacity * sizeof *profile->array)
    RELEASE(strings, string_capacity);
    RELEASE(facts, fact_capacity);
    RELEASE(processes, process_capacity);
    RELEASE(threads, thread_capacity);
    RELEASE(codes, code_capacity);
    RELEASE(functions, function_capacity);
    RELEASE(nodes, node_capacity);
    RELEASE(metrics, metric_capacity);
    RELEASE(values, value_capacity);
    for (size_t i = 0; i < profile->series_count; i++) {
        struct hasten_series *series = &profile->series[i];
        hasten_release(allocator, series->points, series->point_capacity * sizeof *series->points);
    }
    RELEASE(series, series_capacity);
#undef RELEASE
    while (storage->chunks != NULL) {
        struct hasten_arena_chunk *chunk = storage->chunks;
        storage->chunks = chunk->next;
        hasten_release(allocator, chunk, chunk->size);
    }
    hasten_release(allocator, storage, sizeof *storage);
    hasten_release(allocator, profile, sizeof *profile);
}

uint32_t hasten_profile_metric(const struct hasten_profile *profile, const char *name) {
    for (size_t i = 0; i < profile->metric_count; i++) {
        if (strcmp(profile->strings[profile->metrics[i].name], name) == 0) {
            return (uint32_t)i;
        }
    }
    return HASTEN_NONE;
}

const char *hasten_profile_fact(const struct hasten_profile *profile, const char *name) {
    for (size_t i = 0; i < profile->fact_count; i++) {
        if (strcmp(profile->strings[profile->facts[i].name], name) == 0) {
            return profile->strings[profile->facts[i].value];
        }
    }
    return NULL;
}
