/* SPDX-License-Identifier: MIT
 *
 * Turns a log into a profile: gives the records of its blocks to a builder, its
 * samples to a tally and to whoever wants them one block at a time. */
#ifndef HASTEN_RECORDING_LOG_MODEL_H
#define HASTEN_RECORDING_LOG_MODEL_H

#include "core/profile/tally.h"
#include "core/recording/log_reader.h"
#include "core/recording/samples.h"

/* Receives a block's samples in order. Nonzero ends the reading early, without
 * failure of its own. */
typedef int hasten_samples_sink(void *context, const struct hasten_sample *samples, size_t count);

struct hasten_log_model {
    const struct hasten_allocator *allocator;
    struct hasten_log_reader reader;
    struct hasten_builder builder;
    struct hasten_tally tally;
    struct hasten_samples_codec codec;
    const struct hasten_sample *samples; /* of the current block, in the codec */
    uint64_t next_slot;                  /* samples are not before it */
    uint64_t sample_count;
    bool complete; /* the end block was seen */
};

HASTEN_CHECKED hasten_status hasten_log_model_init(struct hasten_log_model *model, const char *path,
                                                   int descriptor, uint64_t size,
                                                   const struct hasten_allocator *allocator,
                                                   struct hasten_error *error);
void hasten_log_model_done(struct hasten_log_model *model);

/* Reads to the end. `sink` may be NULL. With `summing`, samples and values go
 * into the tally. */
HASTEN_CHECKED hasten_status hasten_log_model_read(struct hasten_log_model *model, bool summing,
                                                   hasten_samples_sink *sink, void *context,
                                                   struct hasten_error *error);
/* Completes the builder's profile: values and the facts about the recording. */
HASTEN_CHECKED hasten_status hasten_log_model_finish(struct hasten_log_model *model,
                                                     struct hasten_error *error);

#endif
