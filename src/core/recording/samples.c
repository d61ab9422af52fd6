/* SPDX-License-Identifier: MIT
 *
 * Encoding and decoding the columns of samples. */
#include "core/recording/samples.h"

#include <string.h>

#include "core/base/cursor.h"
#include "core/recording/format.h"

void hasten_samples_codec_init(struct hasten_samples_codec *codec,
                               const struct hasten_allocator *allocator) {
    *codec = (struct hasten_samples_codec){.allocator = allocator};
}

void hasten_samples_codec_done(struct hasten_samples_codec *codec) {
    hasten_release(codec->allocator, codec->threads,
                   codec->thread_capacity * sizeof *codec->threads);
    hasten_release(codec->allocator, codec->samples,
                   codec->sample_capacity * sizeof *codec->samples);
    hasten_samples_codec_init(codec, codec->allocator);
}

/* Forgets the threads of the block before. */
static void next_block(struct hasten_samples_codec *codec) {
    codec->block++;
    if (codec->block == 0) { /* wrapped: old marks would look new */
        memset(codec->threads, 0, codec->thread_capacity * sizeof *codec->threads);
        codec->block = 1;
    }
}

static int reach_thread(struct hasten_samples_codec *codec, uint32_t thread) {
    size_t before = codec->thread_capacity;
    void *threads = codec->threads;
    if (hasten_grow(codec->allocator, &threads, &codec->thread_capacity, (size_t)thread + 1,
                    sizeof *codec->threads) != 0) {
        return -1;
    }
    codec->threads = threads;
    memset(codec->threads + before, 0, (codec->thread_capacity - before) * sizeof *codec->threads);
    return 0;
}

/* The thread's entry for this block, or NULL where memory ran out. */
static inline struct hasten_samples_thread *thread_entry(struct hasten_samples_codec *codec,
                                                         uint32_t thread) {
    if (thread >= codec->thread_capacity && reach_thread(codec, thread) != 0) {
        return NULL;
    }
    struct hasten_samples_thread *entry = &codec->threads[thread];
    if (entry->block != codec->block) {
        *entry = (struct hasten_samples_thread){.block = codec->block};
    }
    return entry;
}

static void encode_threads(struct hasten_samples_codec *codec, const struct hasten_sample *samples,
                           size_t count, struct hasten_buffer *buffer) {
    uint32_t follower = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t code = samples[i].thread + 1;
        hasten_buffer_varint(buffer, code == follower ? 0 : code);
        if (i > 0) {
            codec->threads[samples[i - 1].thread].follower = code;
        }
        follower = codec->threads[samples[i].thread].follower;
    }
}

static void encode_weights(const struct hasten_sample *samples, size_t count,
                           struct hasten_buffer *buffer) {
    for (size_t start = 0; start < count;) {
        size_t end = start + 1;
        while (end < count && samples[end].weight == samples[start].weight) {
            end++;
        }
        hasten_buffer_varint(buffer, samples[start].weight);
        hasten_buffer_varint(buffer, end - start);
        start = end;
    }
}

hasten_status hasten_samples_encode(struct hasten_samples_codec *codec,
                                    const struct hasten_sample *samples, size_t count,
                                    struct hasten_buffer *buffer) {
    next_block(codec);
    for (size_t i = 0; i < count; i++) {
        if (thread_entry(codec, samples[i].thread) == NULL) {
            return HASTEN_NO_MEMORY;
        }
    }
    hasten_buffer_varint(buffer, count);
    hasten_buffer_varint(buffer, samples[0].slot);
    uint64_t slot = samples[0].slot;
    for (size_t i = 0; i < count; i++) {
        hasten_buffer_varint(buffer, samples[i].slot - slot);
        slot = samples[i].slot;
    }
    encode_threads(codec, samples, count, buffer);
    for (size_t i = 0; i < count; i++) {
        struct hasten_samples_thread *entry = &codec->threads[samples[i].thread];
        hasten_buffer_varint_signed(buffer, (int64_t)samples[i].node - entry->node);
        entry->node = samples[i].node;
    }
    for (size_t i = 0; i < count; i++) {
        struct hasten_samples_thread *entry = &codec->threads[samples[i].thread];
        hasten_buffer_byte(buffer, (uint8_t)(samples[i].state ^ entry->state));
        entry->state = samples[i].state;
    }
    encode_weights(samples, count, buffer);
    return buffer->failed ? HASTEN_NO_MEMORY : HASTEN_OK;
}

/* One decoding: what the columns share. */
struct decoding {
    struct hasten_samples_codec *codec;
    struct hasten_cursor cursor;
    const struct hasten_samples_bounds *bounds;
    struct hasten_sample *samples;
    size_t count;
};

/* Each decode_ function fills one column and answers NULL or what is wrong. */

static const char *decode_slots(struct decoding *decoding) {
    uint64_t slot = hasten_cursor_varint(&decoding->cursor);
    if (slot < decoding->bounds->first_slot) {
        return "samples go back in time";
    }
    for (size_t i = 0; i < decoding->count; i++) {
        uint64_t delta = hasten_cursor_varint(&decoding->cursor);
        if (slot >= HASTEN_SLOT_LIMIT || delta >= HASTEN_SLOT_LIMIT - slot) {
            return "a sample's time is out of range";
        }
        slot += delta;
        decoding->samples[i].slot = slot;
    }
    return NULL;
}

static const char *decode_threads(struct decoding *decoding) {
    struct hasten_samples_thread *previous = NULL;
    for (size_t i = 0; i < decoding->count; i++) {
        uint64_t code = hasten_cursor_varint(&decoding->cursor);
        if (code == 0 && previous != NULL) {
            code = previous->follower;
        }
        if (code == 0 || code > decoding->bounds->thread_count) {
            return "a sample refers to a thread that is not there";
        }
        if (previous != NULL) {
            previous->follower = (uint32_t)code;
        }
        decoding->samples[i].thread = (uint32_t)(code - 1);
        previous = &decoding->codec->threads[code - 1];
        if (previous->block != decoding->codec->block) {
            *previous = (struct hasten_samples_thread){.block = decoding->codec->block};
        }
    }
    return NULL;
}

static const char *decode_nodes(struct decoding *decoding) {
    for (size_t i = 0; i < decoding->count; i++) {
        struct hasten_sample *sample = &decoding->samples[i];
        struct hasten_samples_thread *entry = &decoding->codec->threads[sample->thread];
        /* Unsigned: what wraps is out of range as well. */
        uint64_t node = entry->node + (uint64_t)hasten_cursor_varint_signed(&decoding->cursor);
        if (node >= decoding->bounds->node_count) {
            return "a sample refers to a stack node that is not there";
        }
        entry->node = (uint32_t)node;
        sample->node = (uint32_t)node;
    }
    return NULL;
}

static const char *decode_states(struct decoding *decoding) {
    const uint8_t *bytes = hasten_cursor_bytes(&decoding->cursor, decoding->count);
    if (bytes == NULL) {
        return "a block of samples ends early";
    }
    for (size_t i = 0; i < decoding->count; i++) {
        struct hasten_sample *sample = &decoding->samples[i];
        struct hasten_samples_thread *entry = &decoding->codec->threads[sample->thread];
        uint32_t state = entry->state ^ bytes[i];
        if ((state & HASTEN_STATE_MASK) >= HASTEN_STATE_COUNT ||
            (state & ~(uint32_t)(HASTEN_STATE_MASK | HASTEN_FLAG_GC | HASTEN_FLAG_NATIVE)) != 0) {
            return "a sample's state is unknown";
        }
        entry->state = state;
        sample->state = state;
    }
    return NULL;
}

static const char *decode_weights(struct decoding *decoding) {
    for (size_t i = 0; i < decoding->count;) {
        uint64_t weight = hasten_cursor_varint(&decoding->cursor);
        uint64_t repeats = hasten_cursor_varint(&decoding->cursor);
        if (weight == 0 || weight > UINT32_MAX || repeats == 0 || repeats > decoding->count - i) {
            return "a sample's weight is out of range";
        }
        for (uint64_t end = i + repeats; i < end; i++) {
            decoding->samples[i].weight = (uint32_t)weight;
        }
    }
    return NULL;
}

static const char *decode_columns(struct decoding *decoding) {
    static const char *(*const columns[])(struct decoding *) = {
        decode_slots, decode_threads, decode_nodes, decode_states, decode_weights,
    };
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        const char *complaint = columns[i](decoding);
        if (decoding->cursor.failed) {
            return "a block of samples ends early";
        }
        if (complaint != NULL) {
            return complaint;
        }
    }
    return decoding->cursor.position == decoding->cursor.size
               ? NULL
               : "there is something after the last column of samples";
}

/* Makes room for what a block says that it has. */
static hasten_status reach_bounds(struct hasten_samples_codec *codec,
                                  const struct hasten_samples_bounds *bounds, size_t count) {
    if (bounds->thread_count > codec->thread_capacity &&
        reach_thread(codec, (uint32_t)bounds->thread_count - 1) != 0) {
        return HASTEN_NO_MEMORY;
    }
    void *samples = codec->samples;
    if (hasten_grow(codec->allocator, &samples, &codec->sample_capacity, count,
                    sizeof *codec->samples) != 0) {
        return HASTEN_NO_MEMORY;
    }
    codec->samples = samples;
    return HASTEN_OK;
}

hasten_status hasten_samples_decode(struct hasten_samples_codec *codec, const uint8_t *data,
                                    size_t size, const struct hasten_samples_bounds *bounds,
                                    const struct hasten_sample **ret_samples, size_t *ret_count,
                                    const char **ret_complaint) {
    struct decoding decoding = {
        .codec = codec,
        .cursor = {.data = data, .size = size},
        .bounds = bounds,
    };
    uint64_t count = hasten_cursor_varint(&decoding.cursor);
    if (decoding.cursor.failed || count == 0 || count > HASTEN_CHUNK_SAMPLES) {
        *ret_complaint = "the number of samples in a block is out of range";
        return HASTEN_CORRUPT;
    }
    if (reach_bounds(codec, bounds, (size_t)count) != HASTEN_OK) {
        return HASTEN_NO_MEMORY;
    }
    next_block(codec);
    decoding.samples = codec->samples;
    decoding.count = (size_t)count;
    const char *complaint = decode_columns(&decoding);
    if (complaint != NULL) {
        *ret_complaint = complaint;
        return HASTEN_CORRUPT;
    }
    *ret_samples = codec->samples;
    *ret_count = decoding.count;
    return HASTEN_OK;
}
