/* SPDX-License-Identifier: MIT
 *
 * Eight threads that Python knows nothing of allocate, resize and free at random, also
 * what another of them allocated, and keep their own count. Made into a library by the test
 * and called by ctypes. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#define THREADS 8
#define SLOTS 4096 /* shared by all: one frees what another allocated */

static struct {
    void *block;
    size_t size;
} slots[SLOTS];
static pthread_mutex_t locks[SLOTS];
static uint64_t allocated_bytes, allocated_blocks, operations;

static void count(size_t size) {
    __atomic_fetch_add(&allocated_bytes, size, __ATOMIC_RELAXED);
    __atomic_fetch_add(&allocated_blocks, 1, __ATOMIC_RELAXED);
}

static void *allocate(uint32_t how, size_t size) {
    void *block = NULL;
    switch (how % 4) {
    case 0:
        block = malloc(size);
        break;
    case 1:
        block = calloc(size, 1);
        break;
    case 2:
        if (posix_memalign(&block, 64, size) != 0) {
            block = NULL;
        }
        break;
    default:
        block = aligned_alloc(16, size);
    }
    if (block == NULL) {
        abort();
    }
    *(volatile char *)block = 1;
    count(size);
    return block;
}

static void step(uint32_t random) {
    size_t at = random % SLOTS;
    size_t size = 16 + (random >> 12) % (random % 64 == 0 ? 200000 : 600);
    pthread_mutex_lock(&locks[at]);
    if (slots[at].block == NULL) {
        slots[at].block = allocate(random >> 5, size);
        slots[at].size = size;
    } else if (random >> 31 != 0) {
        void *moved = realloc(slots[at].block, size);
        if (moved == NULL) {
            abort();
        }
        slots[at].block = moved;
        slots[at].size = size;
        count(size);
    } else {
        free(slots[at].block);
        slots[at].block = NULL;
    }
    pthread_mutex_unlock(&locks[at]);
}

static void *work(void *argument) {
    uint32_t random = (uint32_t)(uintptr_t)argument;
    for (uint64_t i = 0; i < operations; i++) {
        random ^= random << 13; /* xorshift32 (Marsaglia 2003) */
        random ^= random >> 17;
        random ^= random << 5;
        step(random);
    }
    return NULL;
}

/* Bytes and blocks allocated, bytes and blocks alive at the end. */
void stress(uint64_t turns, int free_all, uint64_t ret_counts[4]) {
    pthread_t threads[THREADS];
    operations = turns;
    for (size_t i = 0; i < SLOTS; i++) {
        pthread_mutex_init(&locks[i], NULL);
    }
    for (uintptr_t i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, work, (void *)(i * 2654435761u + 1)) != 0) {
            abort();
        }
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    ret_counts[0] = allocated_bytes;
    ret_counts[1] = allocated_blocks;
    ret_counts[2] = ret_counts[3] = 0;
    for (size_t i = 0; i < SLOTS; i++) {
        if (free_all) {
            free(slots[i].block);
        } else if (slots[i].block != NULL) {
            ret_counts[2] += slots[i].size;
            ret_counts[3]++;
        }
    }
}
