/* SPDX-License-Identifier: MIT
 *
 * Large blocks are mappings, small ones come from free lists by size. System calls
 * directly: mmap by name would be our own hook. */
#include "preload/arena.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SMALLEST 16u
#define LARGEST (SMALLEST << (HASTEN_ARENA_CLASSES - 1))
#define CHUNK_SIZE (UINT32_C(1) << 18)

static void *map(size_t size) {
    long address = syscall(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, (off_t)0);
    return address == -1 ? NULL : (void *)(uintptr_t)address;
}

static size_t class_of(size_t size) {
    size_t class = 0;
    while ((size_t)SMALLEST << class < size) {
        class ++;
    }
    return class;
}

static void *take_small(struct hasten_arena *arena, size_t class) {
    void *block = arena->free_lists[class];
    size_t size = (size_t)SMALLEST << class;
    if (block != NULL) {
        memcpy(&arena->free_lists[class], block, sizeof(void *));
        return block;
    }
    if (arena->chunk_left < size) {
        char *chunk = map(CHUNK_SIZE);
        if (chunk == NULL) {
            return NULL;
        }
        arena->chunk = chunk;
        arena->chunk_left = CHUNK_SIZE;
    }
    block = arena->chunk;
    arena->chunk += size;
    arena->chunk_left -= size;
    return block;
}

static void give_back(struct hasten_arena *arena, void *block, size_t size) {
    if (size > LARGEST) {
        (void)syscall(SYS_munmap, block, size);
        return;
    }
    size_t class = class_of(size);
    memcpy(block, &arena->free_lists[class], sizeof(void *));
    arena->free_lists[class] = block;
}

static void *resize(void *context, void *block, size_t old_size, size_t new_size) {
    struct hasten_arena *arena = context;
    if (new_size == 0) {
        if (block != NULL) {
            give_back(arena, block, old_size);
        }
        return NULL;
    }
    if (block != NULL && old_size > LARGEST && new_size > LARGEST) {
        long moved = syscall(SYS_mremap, block, old_size, new_size, MREMAP_MAYMOVE);
        return moved == -1 ? NULL : (void *)(uintptr_t)moved;
    }
    if (block != NULL && old_size <= LARGEST && new_size <= LARGEST &&
        class_of(old_size) == class_of(new_size)) {
        return block;
    }
    void *fresh = new_size > LARGEST ? map(new_size) : take_small(arena, class_of(new_size));
    if (fresh != NULL && block != NULL) {
        memcpy(fresh, block, old_size < new_size ? old_size : new_size);
        give_back(arena, block, old_size);
    }
    return fresh;
}

void hasten_arena_init(struct hasten_arena *arena) {
    *arena = (struct hasten_arena){.allocator = {.context = arena, .resize = resize}};
}
