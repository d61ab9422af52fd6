/* SPDX-License-Identifier: MIT
 *
 * Samples in columns, the payload of a sample block of the log and of a chunk
 * in the SQLite file. Each stands alone: nothing is carried over from the one
 * before. All numbers are varints unless it says byte.
 *
 *   count        samples, 1 to HASTEN_CHUNK_SAMPLES
 *   first slot   of the first sample
 *   slots        count times: slot less the previous sample's (first: 0)
 *   threads      count times: 0 where the thread is the one that followed the
 *                previous sample's thread the last time, else thread + 1
 *   nodes        count times, signed: node less the same thread's previous node
 *                in this block (first: less 0)
 *   states       count times a byte: state xor the same thread's previous state
 *   weights      pairs (weight, repeats) until they make up count
 */
#ifndef HASTEN_RECORDING_SAMPLES_H
#define HASTEN_RECORDING_SAMPLES_H

#include "core/base/buffer.h"
#include "hasten/recording.h"

/* What the columns predict from; one entry a thread, reset lazily. */
struct hasten_samples_thread {
    uint32_t block; /* entry is of this block; of an earlier one it counts as zero */
    uint32_t node;
    uint32_t state;
    uint32_t follower; /* thread that came after it, + 1; 0: none yet */
};

struct hasten_samples_codec {
    const struct hasten_allocator *allocator;
    struct hasten_samples_thread *threads;
    size_t thread_capacity;
    uint32_t block;
    struct hasten_sample *samples; /* the last decoded */
    size_t sample_capacity;
};

void hasten_samples_codec_init(struct hasten_samples_codec *codec,
                               const struct hasten_allocator *allocator);
void hasten_samples_codec_done(struct hasten_samples_codec *codec);

/* Appends the samples (slots never decreasing, weights at least 1) to `buffer`;
 * the buffer also remembers where memory ran out. */
HASTEN_CHECKED hasten_status hasten_samples_encode(struct hasten_samples_codec *codec,
                                                   const struct hasten_sample *samples,
                                                   size_t count, struct hasten_buffer *buffer);

/* Limits that decoded samples are held to. */
struct hasten_samples_bounds {
    uint64_t first_slot; /* slots are not before it */
    size_t thread_count;
    size_t node_count;
};

/* Decodes; `*ret_samples` lives in the codec until the next call. CORRUPT sets
 * `*ret_complaint`. */
HASTEN_CHECKED hasten_status hasten_samples_decode(struct hasten_samples_codec *codec,
                                                   const uint8_t *data, size_t size,
                                                   const struct hasten_samples_bounds *bounds,
                                                   const struct hasten_sample **ret_samples,
                                                   size_t *ret_count, const char **ret_complaint);

#endif
