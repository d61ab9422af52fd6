/* SPDX-License-Identifier: MIT
 *
 * The hash map against a plain array of what it should hold. */
#include "check.h"
#include "core/base/map.h"
#include "failing_allocator.h"

#define KEYS 3000

static struct hasten_map_key key_of(uint32_t number) {
    /* Half of them differ in the high word only. */
    return (struct hasten_map_key){.low = number / 2, .high = number % 2};
}

static void test_against_array(void) {
    static uint32_t expected[KEYS]; /* value + 1; 0: absent */
    struct failing_allocator memory;
    failing_allocator_init(&memory, 0, false);
    struct hasten_map map;
    hasten_map_init(&map, &memory.allocator);
    CHECK(hasten_map_find(&map, key_of(0)) == NULL);
    CHECK(!hasten_map_remove(&map, key_of(0)));
    uint32_t random = 12345;
    size_t count = 0;
    unsigned wrong = 0;
    for (uint32_t step = 0; step < 60000; step++) {
        random = random * 1664525u + 1013904223u;
        uint32_t number = (random >> 8) % KEYS;
        if ((random >> 4) % 3 == 0) {
            bool removed = hasten_map_remove(&map, key_of(number));
            wrong += removed != (expected[number] != 0);
            count -= removed;
            expected[number] = 0;
        } else {
            bool inserted = false;
            uint32_t *value = hasten_map_insert(&map, key_of(number), step, &inserted);
            wrong += value == NULL || inserted != (expected[number] == 0);
            if (inserted) {
                expected[number] = step + 1;
                count++;
            }
            wrong += value != NULL && *value + 1 != expected[number];
        }
        wrong += map.count != count;
    }
    for (uint32_t number = 0; number < KEYS; number++) {
        uint32_t *value = hasten_map_find(&map, key_of(number));
        wrong += (value == NULL ? 0 : *value + 1) != expected[number];
    }
    CHECK_EQ_INT(wrong, 0);
    CHECK(map.count * 4 <= map.capacity * 3);
    hasten_map_clear(&map);
    CHECK_EQ_INT(map.count, 0);
    CHECK(hasten_map_find(&map, key_of(1)) == NULL);
    CHECK(hasten_map_insert(&map, key_of(1), 7, NULL) != NULL);
    CHECK_EQ_INT(*hasten_map_find(&map, key_of(1)), 7);
    hasten_map_done(&map);
    CHECK_EQ_INT(memory.live_blocks, 0);
    CHECK(!memory.wrong_size);
}

static void test_out_of_memory(void) {
    for (size_t fail_at = 1; fail_at <= 3; fail_at++) {
        struct failing_allocator memory;
        failing_allocator_init(&memory, fail_at, true);
        struct hasten_map map;
        hasten_map_init(&map, &memory.allocator);
        uint32_t held = 0;
        while (hasten_map_insert(&map, key_of(held), held, NULL) != NULL) {
            held++;
        }
        CHECK_EQ_INT(map.count, held);
        for (uint32_t number = 0; number < held; number++) {
            uint32_t *value = hasten_map_find(&map, key_of(number));
            CHECK(value != NULL && *value == number);
        }
        CHECK(hasten_map_find(&map, key_of(held)) == NULL);
        hasten_map_done(&map);
        CHECK_EQ_INT(memory.live_blocks, 0);
    }
}

int main(void) {
    test_against_array();
    test_out_of_memory();
    return check_done();
}
