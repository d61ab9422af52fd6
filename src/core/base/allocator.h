/* SPDX-License-Identifier: MIT
 *
 * Where the core gets memory. Every structure that owns memory keeps the
 * allocator it was made with; NULL means the C library's. Tests pass one that
 * fails at the N-th call. */
#ifndef HASTEN_BASE_ALLOCATOR_H
#define HASTEN_BASE_ALLOCATOR_H

#include <stddef.h>

struct hasten_allocator {
    void *context;
    /* resize(context, NULL, 0, n) allocates, resize(context, p, old, 0) frees
     * and returns NULL; contents are kept up to the smaller size. */
    void *(*resize)(void *context, void *block, size_t old_size, size_t new_size);
};

void *hasten_allocate(const struct hasten_allocator *allocator, size_t size);
void *hasten_allocate_zeroed(const struct hasten_allocator *allocator, size_t size);
void *hasten_resize(const struct hasten_allocator *allocator, void *block, size_t old_size,
                    size_t new_size);
void hasten_release(const struct hasten_allocator *allocator, void *block, size_t size);

/* Grows the array `*array` of `*capacity` items of `item_size` bytes so that it
 * holds at least `needed` items. Returns 0, or -1 with nothing changed. */
int hasten_grow(const struct hasten_allocator *allocator, void **array, size_t *capacity,
                size_t needed, size_t item_size);

#endif
