/* SPDX-License-Identifier: MIT
 *
 * Ledgers of live blocks against a plain array of what they should hold, and with
 * memory that runs out at every place. */
#include <stdlib.h>

#include "check.h"
#include "core/heap/ledger.h"
#include "failing_allocator.h"

#define BLOCKS 4000
#define STEPS 60000

/* What is where; size 0 is a size. */
struct expected {
    bool is_there;
    uint32_t domain;
    uint32_t path;
    size_t size_bytes;
};

static uint32_t seed = 12345;

static uint32_t random_number(void) {
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* Addresses in several regions, as far from each other as small blocks are large, some
 * of which no granule can hold. */
static uint64_t address_of(uint32_t number) {
    uint64_t address =
        0x7f0000000000u + (uint64_t)(number / 1000) * 0x300000u + number % 1000 * 528;
    return number % 50 == 0 ? address + 8 : address;
}

static uint32_t path_of(struct hasten_ledger *ledger, uint32_t number) {
    uint32_t parent = hasten_paths_add(&ledger->paths, HASTEN_PATHS_ROOT | (number % 3), 100, 1);
    return parent == 0 ? 0 : hasten_paths_add(&ledger->paths, parent, 200 + number % 7, 2);
}

static void put(struct hasten_ledger *ledger, uint32_t domain, uint64_t address, size_t size_bytes,
                uint32_t path) {
    if (domain == 0 && hasten_ledger_is_small(address, size_bytes)) {
        uint32_t kind = hasten_kinds_add(&ledger->kinds, path, (uint32_t)size_bytes);
        if (kind != 0) {
            /* A block of another size may have been there. */
            hasten_ledger_forget(ledger, address);
            hasten_ledger_put_small(ledger, address, kind);
        } else {
            ledger->lost++;
        }
        return;
    }
    if (domain == 0) {
        hasten_ledger_forget(ledger, address);
    }
    hasten_ledger_put_block(
        ledger, &(struct hasten_block){
                    .address = address, .size_bytes = size_bytes, .path = path, .domain = domain});
}

static bool forget(struct hasten_ledger *ledger, uint32_t domain, uint64_t address) {
    return domain == 0 ? hasten_ledger_forget(ledger, address)
                       : hasten_ledger_forget_block(ledger, domain, address);
}

static unsigned compare(struct hasten_ledger *ledger, const struct expected *expected) {
    unsigned wrong = 0;
    for (uint32_t number = 0; number < BLOCKS; number++) {
        struct hasten_block block = {0};
        bool found =
            hasten_ledger_find(ledger, expected[number].domain, address_of(number), &block);
        wrong += found != expected[number].is_there;
        if (found) {
            wrong += block.size_bytes != expected[number].size_bytes;
            wrong += block.path != expected[number].path;
        }
    }
    return wrong;
}

static void test_against_array(void) {
    static struct expected expected[BLOCKS];
    static struct hasten_ledger ledger;
    struct failing_allocator memory;
    failing_allocator_init(&memory, 0, false);
    hasten_ledger_init(&ledger, &memory.allocator);
    size_t alive = 0;
    size_t peak = 0;
    unsigned wrong = 0;
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t number = random_number() % BLOCKS;
        struct expected *one = &expected[number];
        if (random_number() % 3 == 0) {
            wrong += forget(&ledger, one->domain, address_of(number)) != one->is_there;
            alive -= one->is_there ? one->size_bytes : 0;
            one->is_there = false;
        } else {
            alive -= one->is_there ? one->size_bytes : 0;
            if (!one->is_there) {
                one->domain = random_number() % 20 == 0 ? 389047 : 0;
            }
            one->is_there = true;
            one->size_bytes = random_number() % 4 == 0 ? random_number() : random_number() % 513;
            one->path = path_of(&ledger, number);
            put(&ledger, one->domain, address_of(number), one->size_bytes, one->path);
            alive += one->size_bytes;
        }
        peak = alive > peak ? alive : peak;
        wrong += ledger.size_bytes != alive;
    }
    CHECK_EQ_INT(wrong, 0);
    CHECK_EQ_INT(compare(&ledger, expected), 0);
    CHECK_EQ_INT(ledger.lost, 0);
    CHECK(ledger.peak_bytes >= peak);
    CHECK_EQ_INT(hasten_ledger_bytes(&ledger), memory.live_bytes);
    hasten_ledger_done(&ledger);
    CHECK_EQ_INT(memory.live_blocks, 0);
    CHECK(!memory.wrong_size);
}

/* The peak is of what is counted elsewhere too. */
static void test_peak_with_others(void) {
    static struct hasten_ledger one;
    size_t others = 2000;
    hasten_ledger_init(&one, NULL);
    one.other_bytes = &others;
    put(&one, 0, address_of(1), 1000, path_of(&one, 1));
    CHECK_EQ_INT(one.peak_bytes, 3000);
    CHECK(hasten_ledger_forget(&one, address_of(1)));
    others = 2100;
    put(&one, 0, address_of(2), 500, path_of(&one, 2));
    CHECK_EQ_INT(one.peak_bytes, 3000);
    CHECK_EQ_INT(hasten_ledger_all_bytes(&one), 2600);
    hasten_ledger_done(&one);
}

/* What there is no memory for is counted as lost, and nothing else is wrong. */
static void test_out_of_memory(void) {
    for (size_t fail_at = 1; fail_at <= 40; fail_at++) {
        static struct hasten_ledger ledger;
        struct failing_allocator memory;
        failing_allocator_init(&memory, fail_at, fail_at % 2 == 0);
        hasten_ledger_init(&ledger, &memory.allocator);
        size_t lost = 0;
        for (uint32_t number = 0; number < 2000; number++) {
            uint32_t path = path_of(&ledger, number);
            if (path == 0) {
                lost++;
                continue;
            }
            put(&ledger, 0, address_of(number), number % 2 == 0 ? 32 : 3000, path);
        }
        size_t there = 0;
        for (uint32_t number = 0; number < 2000; number++) {
            there += hasten_ledger_forget(&ledger, address_of(number));
        }
        CHECK_EQ_INT(there + lost + ledger.lost, 2000);
        CHECK_EQ_INT(ledger.size_bytes, 0);
        CHECK_EQ_INT(ledger.blocks.count, 0);
        hasten_ledger_done(&ledger);
        CHECK_EQ_INT(memory.live_blocks, 0);
        CHECK(!memory.wrong_size);
    }
}

static void test_paths(void) {
    struct hasten_paths paths;
    hasten_paths_init(&paths, NULL);
    CHECK_EQ_INT(hasten_paths_find(&paths, HASTEN_PATHS_ROOT, 5), 0);
    uint32_t first = hasten_paths_add(&paths, HASTEN_PATHS_ROOT, 5, 1);
    CHECK_EQ_INT(hasten_paths_add(&paths, HASTEN_PATHS_ROOT, 5, 1), first);
    uint32_t shifted = hasten_paths_add(&paths, HASTEN_PATHS_ROOT | 3, 5, 1);
    CHECK(shifted != first);
    CHECK_EQ_INT(hasten_paths_left_out(paths.items[shifted].parent), 3);
    uint32_t last = first;
    for (uint64_t place = 0; place < 5000; place++) {
        last = hasten_paths_add(&paths, last, place, 2);
    }
    uint32_t depth = 0;
    for (uint32_t path = last; path < HASTEN_PATHS_ROOT; path = paths.items[path].parent) {
        CHECK(paths.items[path].parent < path || paths.items[path].parent >= HASTEN_PATHS_ROOT);
        depth++;
    }
    CHECK_EQ_INT(depth, 5001);
    hasten_paths_done(&paths);
}

static void test_cache_of_kinds(void) {
    static struct hasten_kinds kinds;
    hasten_kinds_init(&kinds, NULL);
    uint32_t kind = hasten_kinds_add(&kinds, 9, 48);
    CHECK_EQ_INT(hasten_kinds_cached(&kinds, 3, 0x1000, 48), 0);
    *hasten_kinds_line_of(&kinds, 3, 0x1000, 48) =
        (struct hasten_kinds_line){.place = 0x1000, .parent = 3, .size_bytes = 48, .kind = kind};
    CHECK_EQ_INT(hasten_kinds_cached(&kinds, 3, 0x1000, 48), kind);
    CHECK_EQ_INT(hasten_kinds_cached(&kinds, 4, 0x1000, 48), 0);
    CHECK_EQ_INT(hasten_kinds_cached(&kinds, 3, 0x1002, 48), 0);
    CHECK_EQ_INT(hasten_kinds_cached(&kinds, 3, 0x1000, 49), 0);
    /* Nothing is remembered of a place that is zero in an empty line. */
    CHECK_EQ_INT(hasten_kinds_cached(&kinds, 0, 0, 0), 0);
    hasten_kinds_done(&kinds);
    CHECK_EQ_INT(hasten_kinds_cached(&kinds, 3, 0x1000, 48), 0);
}

int main(void) {
    test_against_array();
    test_peak_with_others();
    test_out_of_memory();
    test_paths();
    test_cache_of_kinds();
    return check_done();
}
