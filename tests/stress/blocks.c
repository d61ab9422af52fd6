/* SPDX-License-Identifier: MIT
 *
 * Eight threads that Python knows nothing of allocate, resize and free blocks of one of its
 * domains at random, also what another of them allocated, and keep the count of what is
 * alive. Made into a library by tests/ext/test_tracemalloc_stress.py and called by ctypes. */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define THREADS 8
#define SLOTS 8192 /* shared by all */
#define SIZES 4096

struct functions {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void (*free)(void *);
};

static struct functions functions;
static uint64_t operations; /* of each thread */
static struct {
    bool is_taken; /* by the thread that is at it */
    void *block;
    uint32_t size;
} slots[SLOTS];

/* Most are small, a few as large as an arena. */
static size_t size_of(uint32_t number) {
    return number < SIZES - 8 ? number : (size_t)(number - (SIZES - 9)) * 40009;
}

static void step(size_t at, uint32_t random) {
    const uint32_t size = random % 64 == 0 ? random % SIZES : random % 700;
    if (slots[at].block == NULL) {
        slots[at].block = random >> 30 == 0 ? functions.calloc(1, size_of(size))
                                            : functions.malloc(size_of(size));
        slots[at].size = size;
    } else if (random >> 31 != 0) {
        slots[at].block = functions.realloc(slots[at].block, size_of(size));
        slots[at].size = size;
    } else {
        functions.free(slots[at].block);
        slots[at].block = NULL;
        return;
    }
    if (slots[at].block == NULL) {
        abort();
    }
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

/* Does `turns` operations in each thread. `ret_sizes` and `ret_counts` have room for SIZES
 * numbers: blocks of which size there are, and how many. */
void stress(const struct functions *of, uint64_t turns, uint64_t seed, uint64_t *ret_sizes,
            uint64_t *ret_counts) {
    pthread_t threads[THREADS];
    functions = *of;
    operations = turns;
    for (uint64_t i = 0; i < THREADS; i++) {
        const uint64_t random = (seed * THREADS + i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        if (pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)random) != 0) {
            abort();
        }
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (uint32_t i = 0; i < SIZES; i++) {
        ret_sizes[i] = size_of(i);
        ret_counts[i] = 0;
    }
    for (size_t i = 0; i < SLOTS; i++) {
        ret_counts[slots[i].size] += slots[i].block != NULL;
    }
}

void free_all(void) {
    for (size_t i = 0; i < SLOTS; i++) {
        functions.free(slots[i].block);
        slots[i].block = NULL;
    }
}
