/* SPDX-License-Identifier: MIT
 *
 * The columns of samples: there and back, and damage of every byte. */
#include <stdlib.h>

#include "check.h"
#include "core/recording/format.h"
#include "core/recording/samples.h"
#include "failing_allocator.h"

#define THREADS 7
#define NODES 5000

static uint32_t random_state = 1;

static uint32_t below(uint32_t limit) {
    random_state = random_state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)random_state * limit >> 32);
}

static void make_samples(struct hasten_sample *samples, size_t count) {
    uint64_t slot = 1000000;
    for (size_t i = 0; i < count; i++) {
        slot += below(4) == 0 ? below(3) : 0;
        slot += below(5000) == 0 ? (uint64_t)1 << 40 : 0;
        samples[i] = (struct hasten_sample){
            .slot = slot,
            .thread = below(3) == 0 ? below(THREADS) : (uint32_t)(i % THREADS),
            .node = below(2) == 0 ? 17 : below(NODES),
            .state = below(HASTEN_STATE_COUNT) | (below(9) == 0 ? HASTEN_FLAG_GC : 0) |
                     (below(3) == 0 ? HASTEN_FLAG_NATIVE : 0),
            .weight = below(50) == 0 ? 1 + below(UINT32_MAX) : 1,
        };
    }
}

static bool same(const struct hasten_sample *left, const struct hasten_sample *right) {
    return left->slot == right->slot && left->thread == right->thread &&
           left->node == right->node && left->state == right->state &&
           left->weight == right->weight;
}

static const struct hasten_samples_bounds wide = {
    .first_slot = 0, .thread_count = THREADS, .node_count = NODES};

static void test_round_trip(void) {
    static const size_t counts[] = {1, 2, 3, 1000, HASTEN_CHUNK_SAMPLES};
    struct hasten_sample *samples = malloc(HASTEN_CHUNK_SAMPLES * sizeof *samples);
    const struct hasten_sample *decoded = NULL;
    struct hasten_samples_codec encoder;
    struct hasten_samples_codec decoder;
    struct hasten_buffer buffer;
    hasten_samples_codec_init(&encoder, NULL);
    hasten_samples_codec_init(&decoder, NULL);
    hasten_buffer_init(&buffer, NULL);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        size_t count = 0;
        const char *complaint = "";
        unsigned wrong = 0;
        make_samples(samples, counts[i]);
        hasten_buffer_clear(&buffer);
        CHECK_STATUS(hasten_samples_encode(&encoder, samples, counts[i], &buffer), HASTEN_OK);
        CHECK_STATUS(hasten_samples_decode(&decoder, (const uint8_t *)buffer.data, buffer.size,
                                           &wide, &decoded, &count, &complaint),
                     HASTEN_OK);
        CHECK_EQ_INT(count, counts[i]);
        for (size_t k = 0; k < count; k++) {
            wrong += !same(&samples[k], &decoded[k]);
        }
        CHECK_EQ_INT(wrong, 0);
    }
    hasten_buffer_done(&buffer);
    hasten_samples_codec_done(&encoder);
    hasten_samples_codec_done(&decoder);
    free(samples);
}

/* Decodes with bounds and answers the complaint; "" where there is none. */
static const char *complaint_of(const void *data, size_t size,
                                const struct hasten_samples_bounds *bounds) {
    const struct hasten_sample *decoded = NULL;
    struct hasten_samples_codec codec;
    size_t count = 0;
    const char *complaint = "";
    hasten_samples_codec_init(&codec, NULL);
    uint8_t *exact = malloc(size == 0 ? 1 : size); /* so that reading past it is noticed */
    memcpy(exact, data, size);
    hasten_status status =
        hasten_samples_decode(&codec, exact, size, bounds, &decoded, &count, &complaint);
    free(exact);
    if (status == HASTEN_OK) {
        for (size_t i = 0; i < count; i++) {
            if (decoded[i].thread >= bounds->thread_count ||
                decoded[i].node >= bounds->node_count || decoded[i].slot < bounds->first_slot ||
                decoded[i].weight == 0) {
                complaint = "out of bounds";
            }
        }
    }
    hasten_samples_codec_done(&codec);
    return complaint;
}

static void test_bounds(void) {
    struct hasten_sample samples[2] = {{100, 1, 7, 3, 1}, {101, 0, 9, 0, 2}};
    struct hasten_samples_codec codec;
    struct hasten_buffer buffer;
    hasten_samples_codec_init(&codec, NULL);
    hasten_buffer_init(&buffer, NULL);
    CHECK_STATUS(hasten_samples_encode(&codec, samples, 2, &buffer), HASTEN_OK);
    struct hasten_samples_bounds bounds = {100, 2, 10};
    CHECK_EQ_STR(complaint_of(buffer.data, buffer.size, &bounds), "");
    bounds.first_slot = 101;
    CHECK_EQ_STR(complaint_of(buffer.data, buffer.size, &bounds), "samples go back in time");
    bounds = (struct hasten_samples_bounds){100, 1, 10};
    CHECK_EQ_STR(complaint_of(buffer.data, buffer.size, &bounds),
                 "a sample refers to a thread that is not there");
    bounds = (struct hasten_samples_bounds){100, 2, 9};
    CHECK_EQ_STR(complaint_of(buffer.data, buffer.size, &bounds),
                 "a sample refers to a stack node that is not there");
    bounds.node_count = 10;
    hasten_buffer_byte(&buffer, 0);
    CHECK_EQ_STR(complaint_of(buffer.data, buffer.size, &bounds),
                 "there is something after the last column of samples");
    for (size_t size = 0; size < buffer.size - 1; size++) {
        CHECK(complaint_of(buffer.data, size, &bounds)[0] != '\0');
    }
    hasten_buffer_done(&buffer);
    hasten_samples_codec_done(&codec);
}

/* No change of a byte may crash or give a sample out of bounds. */
static void test_damage(void) {
    struct hasten_sample samples[60];
    struct hasten_samples_codec codec;
    struct hasten_buffer buffer;
    unsigned wrong = 0;
    hasten_samples_codec_init(&codec, NULL);
    hasten_buffer_init(&buffer, NULL);
    make_samples(samples, 60);
    CHECK_STATUS(hasten_samples_encode(&codec, samples, 60, &buffer), HASTEN_OK);
    for (size_t i = 0; i < buffer.size; i++) {
        char byte = buffer.data[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            buffer.data[i] = (char)(byte ^ (1 << bit));
            wrong += strcmp(complaint_of(buffer.data, buffer.size, &wide), "out of bounds") == 0;
        }
        buffer.data[i] = byte;
    }
    CHECK_EQ_INT(wrong, 0);
    hasten_buffer_done(&buffer);
    hasten_samples_codec_done(&codec);
}

static void test_out_of_memory(void) {
    struct hasten_sample samples[100];
    make_samples(samples, 100);
    for (size_t fail_at = 1; fail_at <= 3; fail_at++) {
        struct failing_allocator memory;
        failing_allocator_init(&memory, fail_at, true);
        struct hasten_samples_codec codec;
        struct hasten_buffer buffer;
        hasten_samples_codec_init(&codec, &memory.allocator);
        hasten_buffer_init(&buffer, &memory.allocator);
        CHECK_STATUS(hasten_samples_encode(&codec, samples, 100, &buffer), HASTEN_NO_MEMORY);
        hasten_buffer_done(&buffer);
        hasten_samples_codec_done(&codec);
        CHECK_EQ_INT(memory.live_blocks, 0);
    }
}

int main(void) {
    test_round_trip();
    test_bounds();
    test_damage();
    test_out_of_memory();
    return check_done();
}
