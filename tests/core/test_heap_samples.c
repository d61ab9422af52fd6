/* SPDX-License-Identifier: MIT
 *
 * The table of sampled blocks against a plain array of what it should hold. */
#include "check.h"
#include "core/heap/samples.h"
#include "failing_allocator.h"

#define BLOCKS 5000u

static uint8_t filter[HASTEN_SAMPLES_FILTER_SIZE];

static uint64_t address_of(uint32_t number) {
    /* Small blocks beside each other, and large ones far apart. */
    return number % 2 == 0 ? 0x7f0000001000u + number * 16u : (uint64_t)number << 20 | 0x10;
}

static struct hasten_heap_sample sample_of(uint32_t number, uint32_t step) {
    return (struct hasten_heap_sample){address_of(number), step, step * 2, step * 3, number};
}

static bool filter_is_empty(void) {
    for (size_t i = 0; i < sizeof filter; i++) {
        if (filter[i] != 0) {
            return false;
        }
    }
    return true;
}

static void test_against_array(void) {
    static uint32_t expected[BLOCKS]; /* step + 1; 0: absent */
    struct failing_allocator memory;
    failing_allocator_init(&memory, 0, false);
    struct hasten_samples samples;
    hasten_samples_init(&samples, filter, &memory.allocator);
    struct hasten_heap_sample got = {0};
    CHECK(!hasten_samples_take(&samples, address_of(3), &got));
    uint32_t random = 99;
    size_t count = 0;
    unsigned wrong = 0;
    for (uint32_t step = 1; step < 200000; step++) {
        random = random * 1664525u + 1013904223u;
        uint32_t number = (random >> 8) % BLOCKS;
        if (expected[number] != 0) {
            wrong += !hasten_samples_may_hold(filter, address_of(number));
            wrong += !hasten_samples_take(&samples, address_of(number), &got);
            wrong += got.size != expected[number] - 1 || got.thread != number ||
                     got.site != (expected[number] - 1) * 3;
            expected[number] = 0;
            count--;
        } else {
            struct hasten_heap_sample sample = sample_of(number, step);
            wrong += hasten_samples_take(&samples, address_of(number), &got);
            wrong += !hasten_samples_put(&samples, &sample);
            expected[number] = step + 1;
            count++;
        }
        wrong += samples.count != count;
    }
    for (uint32_t number = 0; number < BLOCKS; number++) {
        bool there = hasten_samples_take(&samples, address_of(number), &got);
        wrong += there != (expected[number] != 0);
    }
    CHECK_EQ_INT(wrong, 0);
    CHECK_EQ_INT(samples.count, 0);
    CHECK(filter_is_empty());
    hasten_samples_done(&samples);
    CHECK_EQ_INT(memory.live_blocks, 0);
    CHECK(!memory.wrong_size);
}

/* What is dropped as a whole leaves nothing in the filter. */
static void test_done(void) {
    struct hasten_samples samples;
    hasten_samples_init(&samples, filter, NULL);
    for (uint32_t number = 0; number < 1000; number++) {
        struct hasten_heap_sample sample = sample_of(number, number);
        CHECK(hasten_samples_put(&samples, &sample));
    }
    CHECK(!filter_is_empty());
    hasten_samples_done(&samples);
    CHECK(filter_is_empty());
    CHECK_EQ_INT(samples.count, 0);
}

/* More addresses on one place than a byte can count: the place is taken for good, and no
 * block is ever lost. */
static void test_full_place(void) {
    struct hasten_samples samples;
    hasten_samples_init(&samples, filter, NULL);
    uint64_t addresses[300];
    size_t count = 0;
    for (uint64_t high = 1; count < 300; high++) {
        addresses[count++] = high << 40 | 0x10; /* bits that the place does not depend on */
    }
    unsigned wrong = 0;
    struct hasten_heap_sample got = {0};
    for (size_t i = 0; i < count; i++) {
        struct hasten_heap_sample sample = {.address = addresses[i], .size = i};
        wrong += hasten_samples_filter_index(addresses[i]) != hasten_samples_filter_index(0x10);
        wrong += !hasten_samples_put(&samples, &sample);
    }
    CHECK_EQ_INT(filter[hasten_samples_filter_index(0x10)], 255);
    for (size_t i = 0; i < count; i++) {
        wrong += !hasten_samples_may_hold(filter, addresses[i]);
        wrong += !hasten_samples_take(&samples, addresses[i], &got) || got.size != i;
    }
    CHECK_EQ_INT(wrong, 0);
    CHECK_EQ_INT(filter[hasten_samples_filter_index(0x10)], 255);
    hasten_samples_done(&samples);
    filter[hasten_samples_filter_index(0x10)] = 0;
}

static void test_no_memory(void) {
    for (size_t fail_at = 1; fail_at < 5; fail_at++) {
        struct failing_allocator memory;
        failing_allocator_init(&memory, fail_at, true);
        struct hasten_samples samples;
        hasten_samples_init(&samples, filter, &memory.allocator);
        size_t kept = 0;
        for (uint32_t number = 0; number < 3000; number++) {
            struct hasten_heap_sample sample = sample_of(number, number);
            kept += hasten_samples_put(&samples, &sample);
        }
        CHECK(memory.failed);
        CHECK_EQ_INT(samples.count, kept);
        unsigned wrong = 0;
        struct hasten_heap_sample got;
        for (uint32_t number = 0; number < kept; number++) {
            wrong += !hasten_samples_take(&samples, address_of(number), &got);
        }
        CHECK_EQ_INT(wrong, 0);
        hasten_samples_done(&samples);
        CHECK(filter_is_empty());
        CHECK_EQ_INT(memory.live_blocks, 0);
    }
}

int main(void) {
    test_against_array();
    test_done();
    test_full_place();
    test_no_memory();
    return check_done();
}
