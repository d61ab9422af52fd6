/* SPDX-License-Identifier: MIT
 *
 * Finds the functions behind ours. Looking for them may itself allocate: such blocks come
 * from a small array and are never given back. Their places in the filter of sampled
 * blocks are taken for good, so that only frees that look there anyway ask about them. */
#include "preload/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "preload/self.h"

#define EARLY_SIZE 65536u
#define EARLY_ALIGNMENT 16u
#define FILTER_STUCK 255

static _Alignas(EARLY_ALIGNMENT) char early[EARLY_SIZE];
static size_t early_used;
static bool is_finding;

static void *allocate_early(size_t size) {
    /* The size stands before the block. */
    size_t wanted = (size + 2 * EARLY_ALIGNMENT - 1) & ~(size_t)(EARLY_ALIGNMENT - 1);
    if (size > EARLY_SIZE || wanted > EARLY_SIZE - early_used) {
        errno = ENOMEM;
        return NULL;
    }
    char *block = early + early_used + EARLY_ALIGNMENT;
    memcpy(early + early_used, &size, sizeof size);
    early_used += wanted;
    hasten_filter[hasten_samples_filter_index((uintptr_t)block)] = FILTER_STUCK;
    return block;
}

bool hasten_real_is_early(const void *block) {
    return (uintptr_t)block - (uintptr_t)early < EARLY_SIZE;
}

void hasten_real_copy_early(void *into, const void *block, size_t size) {
    size_t early_size;
    memcpy(&early_size, (const char *)block - EARLY_ALIGNMENT, sizeof early_size);
    memcpy(into, block, early_size < size ? early_size : size);
}

static void *early_malloc(size_t size) {
    if (is_finding) {
        return allocate_early(size);
    }
    hasten_real_find();
    return hasten_real.malloc(size);
}

static void *early_calloc(size_t count, size_t size) {
    if (is_finding) { /* the array is zero, and no block of it is given out twice */
        return size != 0 && count > EARLY_SIZE / size ? NULL : allocate_early(count * size);
    }
    hasten_real_find();
    return hasten_real.calloc(count, size);
}

static void early_free(void *block) {
    if (is_finding || block == NULL) {
        return;
    }
    hasten_real_find();
    hasten_real.free(block);
}

static void *early_realloc(void *block, size_t size) {
    if (!is_finding) {
        hasten_real_find();
        return hasten_real.realloc(block, size);
    }
    void *moved = allocate_early(size);
    if (moved != NULL && block != NULL) {
        hasten_real_copy_early(moved, block, size);
    }
    return moved;
}

struct hasten_real hasten_real = {
    .malloc = early_malloc,
    .free = early_free,
    .calloc = early_calloc,
    .realloc = early_realloc,
};

void hasten_real_find(void) {
    struct hasten_real found;
    if (is_finding || hasten_real.mmap != NULL) {
        return;
    }
    is_finding = true;
    /* POSIX lets an object pointer hold a function's address; C needs the detour. */
#define HASTEN_REAL_FIND(answer, name, parameters)   \
    {                                                \
        void *symbol = dlsym(RTLD_NEXT, #name);      \
        memcpy(&found.name, &symbol, sizeof symbol); \
    }
    HASTEN_REAL_MAP(HASTEN_REAL_FIND)
#undef HASTEN_REAL_FIND
    hasten_real = found;
    is_finding = false;
}
