/* SPDX-License-Identifier: MIT
 *
 * Recordings as files: NAME.hasten is a log while the program runs and one
 * SQLite file afterwards (docs/formats/). Readers take both. */
#ifndef HASTEN_RECORDING_H
#define HASTEN_RECORDING_H

#include "hasten/profile.h"

/* Turns the log at `path` into the final SQLite file, in place (written beside
 * it, then renamed over it). On failure the log is untouched and still readable. */
HASTEN_CHECKED hasten_status hasten_recording_finalize(const char *path,
                                                       const struct hasten_allocator *allocator,
                                                       struct hasten_error *error);

/* Reads either form. A log without its end (the program or hasten was killed)
 * reads up to its last whole block and sets the fact "recording.incomplete". */
HASTEN_CHECKED hasten_status hasten_recording_load(const char *path,
                                                   const struct hasten_allocator *allocator,
                                                   struct hasten_profile **ret_profile,
                                                   struct hasten_error *error);

/* One sample of the time series. */
struct hasten_sample {
    uint64_t slot;
    uint32_t thread;
    uint32_t node;
    uint32_t state;
    uint32_t weight;
};

/* Calls `visit` for every sample in order; stops when it answers nonzero. */
HASTEN_CHECKED hasten_status
hasten_recording_samples(const char *path, const struct hasten_allocator *allocator,
                         int (*visit)(void *context, const struct hasten_sample *sample),
                         void *context, struct hasten_error *error);

#endif
