/* SPDX-License-Identifier: MIT
 *
 * Eight threads allocate, resize and free at random through the hooks of the preloaded
 * library, also what another of them allocated, and keep the count of what is alive; every
 * block is looked at. The hooks stand in front of nothing here: `make stress` compiles
 * them by other names, so that a sanitizer's allocator can be below them.
 *
 * Usage: book OPERATIONS. Ends with 1 where the book and the count differ. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "preload/heap.h"
#include "preload/real.h"

#define THREADS 8
#define SLOTS 8192 /* shared by all */

void *hooked_malloc(size_t size);
void *hooked_calloc(size_t count, size_t size);
void *hooked_realloc(void *block, size_t size);
int hooked_posix_memalign(void **ret_block, size_t alignment, size_t size);
void hooked_free(void *block);

static uint64_t operations; /* of each thread */
static struct {
    bool is_taken; /* by the thread that is at it */
    void *block;
    size_t size;
} slots[SLOTS];
static uint64_t allocated_bytes, allocated_blocks;

static void *allocate(uint32_t how, size_t size) {
    void *block = NULL;
    switch (how % 4) {
    case 0:
        return hooked_calloc(1, size);
    case 1:
        return hooked_posix_memalign(&block, 64, size) == 0 ? block : NULL;
    default:
        return hooked_malloc(size);
    }
}

static void step(size_t at, uint32_t random) {
    const size_t size = random % 64 == 0 ? random % 200000 : random % 700;
    if (slots[at].block == NULL) {
        slots[at].block = allocate(random >> 28, size);
    } else if (random >> 31 != 0 && size != 0) {
        slots[at].block = hooked_realloc(slots[at].block, size);
    } else {
        hooked_free(slots[at].block);
        slots[at].block = NULL;
        return;
    }
    if (slots[at].block == NULL) {
        abort();
    }
    slots[at].size = size;
    (void)__atomic_fetch_add(&allocated_bytes, size, __ATOMIC_RELAXED);
    (void)__atomic_fetch_add(&allocated_blocks, 1, __ATOMIC_RELAXED);
}

static void *work(void *argument) {
    uint64_t random = (uintptr_t)argument;
    for (uint64_t done = 0; done < operations;) {
        random ^= random << 13; /* xorshift64 (Marsaglia 2003) */
        random ^= random >> 7;
        random ^= random << 17;
        const size_t at = random % SLOTS;
        bool expected = false;
        if (__atomic_compare_exchange_n(&slots[at].is_taken, &expected, true, false,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            step(at, (uint32_t)(random >> 32));
            __atomic_store_n(&slots[at].is_taken, false, __ATOMIC_RELEASE);
            done++;
        }
    }
    return NULL;
}

static bool is_same(const char *what, double found, uint64_t expected) {
    if (found != (double)expected) {
        printf("%s: %.0f, should be %" PRIu64 "\n", what, found, expected);
        return false;
    }
    return true;
}

static bool is_right(void) {
    const struct hasten_heap *heap = &hasten_heap;
    uint64_t bytes = 0;
    uint64_t blocks = 0;
    for (size_t i = 0; i < SLOTS; i++) {
        bytes += slots[i].block == NULL ? 0 : slots[i].size;
        blocks += slots[i].block != NULL;
    }
    const struct hasten_sites *sites = &heap->book.sites;
    return is_same("live bytes", sites->live.bytes, bytes) &
           is_same("live blocks", sites->live.blocks, blocks) &
           is_same("blocks in the table", (double)heap->samples.count, blocks);
}

static void begin(void) {
    struct hasten_heap *heap = &hasten_heap;
    hasten_real_find();
    heap->mean_bytes = 1; /* every block */
    hasten_heap_begin(heap);
    heap->write_ns = UINT64_MAX; /* nothing is written */
    heap->is_active = true;
    hasten_self = (struct hasten_self){0};
}

int main(int count, char **arguments) {
    operations = count < 2 ? 10000 : strtoull(arguments[1], NULL, 10) / THREADS;
    pthread_t threads[THREADS];
    begin();
    for (uint64_t i = 0; i < THREADS; i++) {
        const uint64_t random = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        if (pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)random) != 0) {
            abort();
        }
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    bool right = is_right();
    for (size_t i = 0; i < SLOTS; i++) {
        hooked_free(slots[i].block);
        slots[i].block = NULL;
    }
    right = is_right() && right;
    printf("{\"blocks\": %" PRIu64 ", \"bytes\": %" PRIu64 "}\n", allocated_blocks,
           allocated_bytes);
    hasten_heap.is_active = false;
    return right ? 0 : 1;
}
