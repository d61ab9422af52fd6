/* SPDX-License-Identifier: MIT
 *
 * The inside of a recorder, shared by recorder.c (samples, writing) and
 * definitions.c (what samples refer to). */
#ifndef HASTEN_RECORDING_RECORDER_STATE_H
#define HASTEN_RECORDING_RECORDER_STATE_H

#include "core/base/map.h"
#include "core/recording/log_writer.h"
#include "core/recording/samples.h"
#include "hasten/recorder.h"

/* What is kept of processes and threads, to find them again. */
struct hasten_recorded_process {
    uint32_t pid;
    uint64_t start_ns;
};

struct hasten_recorded_thread {
    uint32_t process;
    uint32_t tid;
};

struct hasten_recorder {
    const struct hasten_allocator *allocator;
    struct hasten_log_writer writer;
    struct hasten_buffer definitions; /* records not yet written */
    struct hasten_buffer values;
    uint64_t values_buffered;
    struct hasten_sample *samples;
    size_t samples_buffered;
    struct hasten_samples_codec codec;
    struct hasten_buffer scratch;
    struct hasten_map strings;   /* hash of the text -> string */
    struct hasten_map codes;     /* hash of all that a code object is -> code */
    struct hasten_map nodes;     /* (parent, code, instruction) -> node */
    struct hasten_map metrics;   /* name's string -> metric */
    struct hasten_map facts;     /* names' strings, to count them */
    struct hasten_map series;    /* (process, name's string) -> series */
    struct hasten_buffer points; /* those not yet written */
    uint64_t points_buffered;
    uint64_t points_last_ns;  /* time of the last of them: each is written as a difference */
    uint64_t *series_last_ns; /* by series: time of its last point */
    size_t series_capacity;
    struct hasten_recorded_process *processes;
    size_t process_capacity;
    struct hasten_recorded_thread *threads;
    size_t thread_capacity;
    uint32_t string_count;
    uint32_t process_count;
    uint32_t thread_count;
    uint32_t code_count;
    uint32_t node_count;
    uint32_t metric_count;
    uint32_t series_count;
    uint64_t point_count;
    uint64_t text_bytes; /* of strings and location tables, for the limit */
    uint64_t last_slot;
    uint64_t sample_count;
};

static inline hasten_status hasten_recorder_failure(const struct hasten_recorder *recorder) {
    return recorder->writer.failure;
}

/* A half-written record or a lost identifier would make later blocks wrong:
 * out of memory ends the recording as a full disk does. */
hasten_status hasten_recorder_out_of_memory(struct hasten_recorder *recorder);
/* Ends a record: notices a lack of memory, writes a full buffer. */
HASTEN_CHECKED hasten_status hasten_recorder_end_record(struct hasten_recorder *recorder);

#endif
