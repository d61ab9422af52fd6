/* SPDX-License-Identifier: MIT
 *
 * Live blocks one by one: what fits into a slot, what does not, and the way through
 * them all, against a plain array; and with memory that runs out at every place. */
#include <stdlib.h>

#include "check.h"
#include "core/heap/blocks.h"
#include "failing_allocator.h"

#define BLOCKS 3000
#define STEPS 40000

static uint32_t seed = 4711;

static uint32_t random_number(void) {
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* Of every sort: aligned or not, low, high, beyond 48 bits, in more domains than slots
 * have numbers for. */
static struct hasten_block block_of(uint32_t number) {
    struct hasten_block block = {.address = 0x7f0000000000u + number * UINT64_C(528),
                                 .path = number + 1};
    switch (number % 10) {
    case 0:
        block.address += 8;
        break;
    case 1:
        block.address |= UINT64_C(1) << (number % 64);
        break;
    case 2:
    case 3:
        block.domain = 389047 + number % 97;
        break;
    case 4:
        block.address = number;
        break;
    default:
        break;
    }
    return block;
}

/* Sizes of up to 64 bits, on both sides of each limit. */
static uint64_t size_of(void) {
    static const uint64_t odd[] = {
        0,         UINT32_MAX, (uint64_t)UINT32_MAX + 1, (UINT64_C(1) << 48) - 1, UINT64_C(1) << 48,
        UINT64_MAX};
    uint32_t number = random_number();
    return number % 4 == 0 ? odd[number / 4 % 6] : number;
}

static unsigned compare(const struct hasten_blocks *blocks, const struct hasten_block *expected) {
    unsigned wrong = 0;
    size_t alive = 0;
    for (uint32_t i = 0; i < BLOCKS; i++) {
        struct hasten_block found = {0};
        const bool is_there =
            hasten_blocks_find(blocks, expected[i].domain, expected[i].address, &found);
        wrong += is_there != (expected[i].path != 0);
        wrong += is_there &&
                 (found.size_bytes != expected[i].size_bytes || found.path != expected[i].path ||
                  found.address != expected[i].address || found.domain != expected[i].domain);
        alive += is_there;
    }
    static bool was_seen[BLOCKS + 1];
    struct hasten_block block;
    memset(was_seen, 0, sizeof was_seen);
    for (struct hasten_blocks_cursor cursor = {0}; hasten_blocks_next(blocks, &cursor, &block);) {
        wrong += was_seen[block.path] || expected[block.path - 1].address != block.address ||
                 expected[block.path - 1].size_bytes != block.size_bytes;
        was_seen[block.path] = true;
        alive--;
    }
    return wrong + (alive != 0);
}

static void check_against_array(unsigned shard_bits) {
    static struct hasten_block expected[BLOCKS];
    struct failing_allocator memory;
    failing_allocator_init(&memory, 0, false);
    static struct hasten_blocks blocks;
    hasten_blocks_init(&blocks, shard_bits, &memory.allocator);
    size_t alive = 0;
    unsigned wrong = 0;
    for (uint32_t i = 0; i < BLOCKS; i++) {
        expected[i] = block_of(i);
        expected[i].path = 0;
    }
    for (uint32_t step = 0; step < STEPS; step++) {
        const uint32_t number = random_number() % BLOCKS;
        struct hasten_block *one = &expected[number];
        struct hasten_block old = {0};
        if (random_number() % 3 == 0) {
            wrong +=
                hasten_blocks_remove(&blocks, one->domain, one->address, &old) != (one->path != 0);
            wrong += old.path != one->path || old.size_bytes != (one->path ? one->size_bytes : 0);
            alive -= one->path != 0;
            one->path = 0;
        } else {
            const struct hasten_block before = *one;
            *one = block_of(number);
            one->size_bytes = size_of();
            wrong += hasten_blocks_put(&blocks, one, &old) != 0;
            wrong += old.path != before.path;
            wrong += old.path != 0 && old.size_bytes != before.size_bytes;
            alive += before.path == 0;
        }
        wrong += blocks.count != alive;
    }
    CHECK_EQ_INT(wrong, 0);
    CHECK_EQ_INT(compare(&blocks, expected), 0);
    CHECK(blocks.odd_count > 100);
    CHECK_EQ_INT(hasten_blocks_bytes(&blocks), memory.live_bytes);
    hasten_blocks_done(&blocks);
    CHECK_EQ_INT(memory.live_blocks, 0);
    CHECK(!memory.wrong_size);
}

/* What there is no memory for is not there, and all else is. */
static void test_out_of_memory(void) {
    for (unsigned fail_at = 1; fail_at <= 60; fail_at++) {
        static struct hasten_blocks blocks;
        struct failing_allocator memory;
        failing_allocator_init(&memory, fail_at, fail_at % 2 == 0);
        hasten_blocks_init(&blocks, fail_at % 7, &memory.allocator);
        size_t put = 0;
        struct hasten_block block;
        for (uint32_t number = 0; number < 1000; number++) {
            const struct hasten_block one = block_of(number);
            put += hasten_blocks_put(&blocks, &one, &block) == 0;
        }
        CHECK_EQ_INT(blocks.count, put);
        size_t there = 0;
        for (uint32_t number = 0; number < 1000; number++) {
            const struct hasten_block one = block_of(number);
            there += hasten_blocks_remove(&blocks, one.domain, one.address, &block);
        }
        CHECK_EQ_INT(there, put);
        CHECK_EQ_INT(blocks.count, 0);
        hasten_blocks_done(&blocks);
        CHECK_EQ_INT(memory.live_blocks, 0);
        CHECK(!memory.wrong_size);
    }
}

/* A block costs less than two slots, at every size of the table. */
static void test_bytes(void) {
    static struct hasten_blocks blocks;
    hasten_blocks_init(&blocks, HASTEN_BLOCK_MOST_SHARD_BITS, NULL);
    struct hasten_block old;
    for (uint32_t number = 0; number < 200000; number++) {
        const struct hasten_block block = {
            .address = 0x550000000000u + number * UINT64_C(1040), .size_bytes = 1024, .path = 9};
        CHECK_EQ_INT(hasten_blocks_put(&blocks, &block, &old), 0);
        if (number > 5000 && number % 5000 == 0) {
            CHECK(hasten_blocks_bytes(&blocks) < (number + 1) * UINT64_C(28));
        }
    }
    hasten_blocks_done(&blocks);
}

int main(void) {
    check_against_array(0);
    check_against_array(HASTEN_BLOCK_MOST_SHARD_BITS);
    test_out_of_memory();
    test_bytes();
    return check_done();
}
