/* SPDX-License-Identifier: MIT
 *
 * Allocation through the caller's allocator or the C library's. */
#include "core/base/allocator.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* First capacity of an array that grows, in items. */
#define FIRST_CAPACITY 16

void *hasten_resize(const struct hasten_allocator *allocator, void *block, size_t old_size,
                    size_t new_size) {
    if (allocator != NULL) {
        return allocator->resize(allocator->context, block, old_size, new_size);
    }
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, new_size);
}

void *hasten_allocate(const struct hasten_allocator *allocator, size_t size) {
    return hasten_resize(allocator, NULL, 0, size == 0 ? 1 : size);
}

void *hasten_allocate_zeroed(const struct hasten_allocator *allocator, size_t size) {
    /* calloc gives large blocks as untouched zero pages. */
    void *block =
        allocator == NULL ? calloc(1, size == 0 ? 1 : size) : hasten_allocate(allocator, size);
    if (block != NULL && allocator != NULL) {
        memset(block, 0, size);
    }
    return block;
}

void hasten_release(const struct hasten_allocator *allocator, void *block, size_t size) {
    if (block != NULL) {
        hasten_resize(allocator, block, size == 0 ? 1 : size, 0);
    }
}

int hasten_grow(const struct hasten_allocator *allocator, void **array, size_t *capacity,
                size_t needed, size_t item_size) {
    if (needed <= *capacity) {
        return 0;
    }
    size_t wanted = *capacity < FIRST_CAPACITY ? FIRST_CAPACITY : *capacity;
    while (wanted < needed) {
        if (wanted > SIZE_MAX / 2) {
            return -1;
        }
        wanted *= 2;
    }
    if (wanted > SIZE_MAX / item_size) {
        return -1;
    }
    void *grown = hasten_resize(allocator, *array, *capacity * item_size, wanted * item_size);
    if (grown == NULL) {
        return -1;
    }
    *array = grown;
    *capacity = wanted;
    return 0;
}
