/* SPDX-License-Identifier: MIT
 *
 * Blocks that many threads put and forget at once, each block's address belonging to
 * whoever has it, as an allocator would have it; the independent count is the threads'
 * own. HASTEN_TEST_STEPS says how many steps each thread makes. */
#include "core/heap/stripes.h"

#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "failing_allocator.h"

#define THREADS 8
#define ADDRESSES 2048 /* shared by all: one forgets what another put */
#define STEPS 20000

static struct hasten_stripes stripes;
static struct {
    bool is_owned; /* by the thread that is at it, as free memory belongs to an allocator */
    uint64_t size_bytes;
    uint32_t path; /* 0: no block */
} addresses[ADDRESSES];
static uint64_t steps = STEPS;
static uint64_t wrong;

static struct hasten_block block_at(size_t at) {
    return (struct hasten_block){.address = 0x7f1200000000u + at * 16 * UINT64_C(1000003),
                                 .size_bytes = addresses[at].size_bytes,
                                 .path = addresses[at].path,
                                 .domain = at % 7 == 0 ? 389047 : 0};
}

static bool step(size_t at, uint32_t random) {
    const struct hasten_block known = block_at(at);
    struct hasten_block found = {0};
    const bool is_there = hasten_stripes_forget(&stripes, known.domain, known.address, &found);
    bool is_right =
        is_there == (known.path != 0) &&
        (!is_there || (found.path == known.path && found.size_bytes == known.size_bytes));
    addresses[at].path = 0;
    if (random % 3 != 0) {
        addresses[at].path = random % 1000 + 1;
        addresses[at].size_bytes = random % 4096;
        const struct hasten_block block = block_at(at);
        is_right = hasten_stripes_put(&stripes, &block) && is_right;
        is_right = hasten_stripes_find(&stripes, block.domain, block.address, &found) && is_right;
    }
    return is_right;
}

static void *work(void *argument) {
    uint32_t random = (uint32_t)(uintptr_t)argument;
    for (uint64_t i = 0; i < steps; i++) {
        random ^= random << 13; /* xorshift32 (Marsaglia 2003) */
        random ^= random >> 17;
        random ^= random << 5;
        const size_t at = random % ADDRESSES;
        bool expected = false;
        if (!__atomic_compare_exchange_n(&addresses[at].is_owned, &expected, true, false,
                                         __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            continue;
        }
        if (!step(at, random >> 11)) {
            (void)__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
        }
        __atomic_store_n(&addresses[at].is_owned, false, __ATOMIC_RELEASE);
    }
    return NULL;
}

static void run_threads(void *(*function)(void *)) {
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++) {
        CHECK_EQ_INT(pthread_create(&threads[i], NULL, function, (void *)((i + 1) * 2654435761u)),
                     0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

/* No block is lost and none is there that nobody put. */
static void check_alive(void) {
    size_t bytes = 0;
    size_t blocks = 0;
    for (size_t at = 0; at < ADDRESSES; at++) {
        bytes += addresses[at].path == 0 ? 0 : addresses[at].size_bytes;
        blocks += addresses[at].path != 0;
    }
    size_t found = 0;
    for (size_t i = 0; i < HASTEN_STRIPES; i++) {
        found += stripes.items[i].blocks.count;
    }
    CHECK_EQ_INT(found, blocks);
    CHECK_EQ_INT(stripes.size_bytes, bytes);
    CHECK_EQ_INT(stripes.lost, 0);
    CHECK(hasten_stripes_peak(&stripes) >= hasten_stripes_all_bytes(&stripes));
}

static void test_threads(void) {
    const char *wanted = getenv("HASTEN_TEST_STEPS");
    steps = wanted == NULL ? STEPS : strtoull(wanted, NULL, 10);
    hasten_stripes_open(&stripes);
    run_threads(work);
    CHECK_EQ_INT(wrong, 0);
    check_alive();
    hasten_stripes_clear(&stripes);
    CHECK_EQ_INT(stripes.size_bytes, 0);
    for (size_t at = 0; at < ADDRESSES; at++) {
        addresses[at].path = 0;
    }
    check_alive();
}

static void *put_only(void *argument) {
    const uint64_t base = (uint64_t)(uintptr_t)argument << 16;
    for (uint64_t i = 0; i < 20000; i++) {
        const struct hasten_block block = {
            .address = base + i % 512 * 16, .size_bytes = 10, .path = 1};
        (void)hasten_stripes_put(&stripes, &block);
        (void)hasten_stripes_forget(&stripes, 0, block.address, NULL);
    }
    return NULL;
}

static void *open_and_close(void *argument) {
    if ((uintptr_t)argument != 2654435761u) {
        return put_only(argument);
    }
    for (int i = 0; i < 300; i++) {
        hasten_stripes_close(&stripes);
        hasten_stripes_clear(&stripes);
        hasten_stripes_open(&stripes);
        hasten_stripes_lock_all(&stripes);
        hasten_stripes_unlock_all(&stripes);
    }
    return NULL;
}

/* What is emptied while others put is empty in the end, and its numbers say so. */
static void test_clear_meanwhile(void) {
    run_threads(open_and_close);
    hasten_stripes_close(&stripes);
    const struct hasten_block block = {.address = 16, .size_bytes = 10, .path = 1};
    CHECK(!hasten_stripes_put(&stripes, &block));
    hasten_stripes_clear(&stripes);
    CHECK_EQ_INT(stripes.size_bytes, 0);
    CHECK_EQ_INT(hasten_stripes_own_bytes(&stripes), 0);
}

static void test_peak_and_memory(void) {
    static struct hasten_stripes small;
    size_t others = 1000;
    struct failing_allocator memory;
    failing_allocator_init(&memory, 3, false);
    hasten_stripes_init(&small, &others, &memory.allocator);
    hasten_stripes_open(&small);
    size_t put = 0;
    for (uint64_t i = 0; i < 100; i++) {
        const struct hasten_block block = {.address = 1600 + i * 16, .size_bytes = 10, .path = 1};
        put += hasten_stripes_put(&small, &block);
    }
    CHECK(small.lost > 0);
    CHECK_EQ_INT(put + small.lost, 100);
    CHECK_EQ_INT(small.size_bytes, put * 10);
    CHECK_EQ_INT(hasten_stripes_peak(&small), 1000 + put * 10);
    others = 0;
    hasten_stripes_reset_peak(&small);
    CHECK_EQ_INT(hasten_stripes_peak(&small), put * 10);
    hasten_stripes_clear(&small);
    CHECK_EQ_INT(memory.live_blocks, 0);
}

int main(void) {
    hasten_stripes_init(&stripes, NULL, NULL);
    test_threads();
    test_clear_meanwhile();
    test_peak_and_memory();
    return check_done();
}
