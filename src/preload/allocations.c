/* SPDX-License-Identifier: MIT
 *
 * malloc and its kin, in front of whatever allocator the program has. Each does what it
 * would do, and counts. */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

#include "preload/heap.h"
#include "preload/real.h"

#define CALLER __builtin_return_address(0)

static void *counted(void *block, size_t size, const void *caller) {
    struct hasten_self *self = &hasten_self;
    if (block != NULL && !hasten_self_passes(self, size)) {
        hasten_heap_allocated(self, block, size, HASTEN_ORIGIN_NATIVE, caller);
    }
    return block;
}

static HASTEN_SELDOM void *malloc_sampled(size_t size, const void *caller) {
    void *block = hasten_real.malloc(size);
    if (block != NULL) {
        hasten_heap_allocated(&hasten_self, block, size, HASTEN_ORIGIN_NATIVE, caller);
    }
    return block;
}

HASTEN_EXPORT void *malloc(size_t size) {
    return hasten_self_passes(&hasten_self, size) ? hasten_real.malloc(size)
                                                  : malloc_sampled(size, CALLER);
}

static HASTEN_SELDOM void free_known(void *block) {
    if (hasten_heap_freed(&hasten_self, block)) {
        hasten_real.free(block);
    }
}

HASTEN_EXPORT void free(void *block) {
    if (hasten_self_may_know(block)) {
        free_known(block);
    } else {
        hasten_real.free(block);
    }
}

HASTEN_EXPORT void *calloc(size_t count, size_t size) {
    void *block = hasten_real.calloc(count, size);
    return counted(block, count * size, CALLER); /* it did not overflow if there is a block */
}

static void *realloc_early(const void *block, size_t size) {
    void *moved = hasten_real.malloc(size);
    if (moved != NULL) {
        hasten_real_copy_early(moved, block, size);
    }
    return moved;
}

static void *resize(void *block, size_t size, const void *caller) {
    struct hasten_self *self = &hasten_self;
    struct hasten_heap_sample sample = {0};
    if (hasten_self_may_know(block)) {
        if (hasten_real_is_early(block)) {
            return realloc_early(block, size);
        }
        if (!hasten_heap_take(block, &sample)) {
            sample.address = 0;
        }
    }
    void *moved = hasten_real.realloc(block, size);
    if (sample.address != 0) {
        /* NULL for no bytes: the block was freed. */
        if (moved == NULL && size != 0) {
            hasten_heap_put_back(&sample);
        } else {
            hasten_heap_gone(self, &sample);
        }
    }
    return counted(moved, size, caller);
}

HASTEN_EXPORT void *realloc(void *block, size_t size) {
    return resize(block, size, CALLER);
}

HASTEN_EXPORT void *reallocarray(void *block, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return resize(block, bytes, CALLER);
}

HASTEN_EXPORT int posix_memalign(void **block, size_t alignment, size_t size) {
    hasten_real_find();
    int answer = hasten_real.posix_memalign(block, alignment, size);
    if (answer == 0) {
        counted(*block, size, CALLER);
    }
    return answer;
}

HASTEN_EXPORT void *aligned_alloc(size_t alignment, size_t size) {
    hasten_real_find();
    return counted(hasten_real.aligned_alloc(alignment, size), size, CALLER);
}

HASTEN_EXPORT void *memalign(size_t alignment, size_t size) {
    hasten_real_find();
    return counted(hasten_real.memalign(alignment, size), size, CALLER);
}

HASTEN_EXPORT void *valloc(size_t size) {
    hasten_real_find();
    return counted(hasten_real.valloc(size), size, CALLER);
}

HASTEN_EXPORT void *pvalloc(size_t size) {
    hasten_real_find();
    return counted(hasten_real.pvalloc(size), size, CALLER);
}
