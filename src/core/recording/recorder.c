/* SPDX-License-Identifier: MIT
 *
 * The recorder: buffers samples and hands them, with the definitions before them,
 * to the log, so that nothing refers to what comes later. */
#include "hasten/recorder.h"

#include "core/profile/builder.h"
#include "core/recording/recorder_state.h"

/* A full buffer becomes a block although nobody flushed. */
#define SAMPLES_BUFFERED 8192u
#define BYTES_BUFFERED 131072u

static void free_recorder(struct hasten_recorder *recorder) {
    const struct hasten_allocator *allocator = recorder->allocator;
    hasten_log_writer_done(&recorder->writer);
    hasten_buffer_done(&recorder->definitions);
    hasten_buffer_done(&recorder->values);
    hasten_buffer_done(&recorder->points);
    hasten_buffer_done(&recorder->scratch);
    hasten_release(allocator, recorder->samples, SAMPLES_BUFFERED * sizeof *recorder->samples);
    hasten_samples_codec_done(&recorder->codec);
    hasten_map_done(&recorder->strings);
    hasten_map_done(&recorder->codes);
    hasten_map_done(&recorder->nodes);
    hasten_map_done(&recorder->metrics);
    hasten_map_done(&recorder->facts);
    hasten_map_done(&recorder->series);
    hasten_release(allocator, recorder->series_last_ns,
                   recorder->series_capacity * sizeof *recorder->series_last_ns);
    hasten_release(allocator, recorder->processes,
                   recorder->process_capacity * sizeof *recorder->processes);
    hasten_release(allocator, recorder->threads,
                   recorder->thread_capacity * sizeof *recorder->threads);
    hasten_release(allocator, recorder, sizeof *recorder);
}

hasten_status hasten_recorder_open(const char *path, uint64_t interval_ns,
                                   const struct hasten_allocator *allocator,
                                   struct hasten_recorder **ret_recorder,
                                   struct hasten_error *error) {
    if (interval_ns == 0) {
        return hasten_error_set(error, HASTEN_INVALID, -1, "the interval must not be zero");
    }
    struct hasten_recorder *recorder = hasten_allocate_zeroed(allocator, sizeof *recorder);
    if (recorder == NULL) {
        return hasten_error_set(error, HASTEN_NO_MEMORY, -1, "out of memory");
    }
    recorder->allocator = allocator;
    recorder->writer.descriptor = -1;
    recorder->string_count = 1;
    recorder->node_count = 1;
    hasten_buffer_init(&recorder->definitions, allocator);
    hasten_buffer_init(&recorder->values, allocator);
    hasten_buffer_init(&recorder->points, allocator);
    hasten_buffer_init(&recorder->scratch, allocator);
    hasten_samples_codec_init(&recorder->codec, allocator);
    hasten_map_init(&recorder->strings, allocator);
    hasten_map_init(&recorder->codes, allocator);
    hasten_map_init(&recorder->nodes, allocator);
    hasten_map_init(&recorder->metrics, allocator);
    hasten_map_init(&recorder->facts, allocator);
    hasten_map_init(&recorder->series, allocator);
    hasten_status status = HASTEN_OK;
    recorder->samples = hasten_allocate(allocator, SAMPLES_BUFFERED * sizeof *recorder->samples);
    if (recorder->samples == NULL) {
        status = hasten_error_set(error, HASTEN_NO_MEMORY, -1, "out of memory");
    } else {
        status = hasten_log_writer_open(&recorder->writer, path, interval_ns, allocator, error);
    }
    if (status != HASTEN_OK) {
        free_recorder(recorder);
        return status;
    }
    *ret_recorder = recorder;
    return HASTEN_OK;
}

void hasten_recorder_free(struct hasten_recorder *recorder) {
    if (recorder != NULL) {
        free_recorder(recorder);
    }
}

hasten_status hasten_recorder_out_of_memory(struct hasten_recorder *recorder) {
    return hasten_log_writer_fail(&recorder->writer, HASTEN_NO_MEMORY);
}

static hasten_status write_definitions(struct hasten_recorder *recorder) {
    if (recorder->definitions.failed) {
        return hasten_recorder_out_of_memory(recorder);
    }
    if (recorder->definitions.size == 0) {
        return hasten_recorder_failure(recorder);
    }
    hasten_status status =
        hasten_log_writer_block(&recorder->writer, HASTEN_BLOCK_DEFINITIONS,
                                recorder->definitions.data, recorder->definitions.size);
    hasten_buffer_clear(&recorder->definitions);
    return status;
}

static hasten_status write_samples(struct hasten_recorder *recorder) {
    hasten_status status = write_definitions(recorder);
    if (status != HASTEN_OK || recorder->samples_buffered == 0) {
        return status;
    }
    hasten_buffer_clear(&recorder->scratch);
    status = hasten_samples_encode(&recorder->codec, recorder->samples, recorder->samples_buffered,
                                   &recorder->scratch);
    if (status != HASTEN_OK) {
        return hasten_recorder_out_of_memory(recorder);
    }
    recorder->sample_count += recorder->samples_buffered;
    recorder->samples_buffered = 0;
    return hasten_log_writer_block(&recorder->writer, HASTEN_BLOCK_SAMPLES, recorder->scratch.data,
                                   recorder->scratch.size);
}

/* A block of a count and as many items, which are cleared. */
static hasten_status write_items(struct hasten_recorder *recorder, uint8_t type,
                                 struct hasten_buffer *items, uint64_t *count) {
    hasten_status status = write_definitions(recorder);
    if (status != HASTEN_OK || *count == 0) {
        return status;
    }
    hasten_buffer_clear(&recorder->scratch);
    hasten_buffer_varint(&recorder->scratch, *count);
    hasten_buffer_append(&recorder->scratch, items->data, items->size);
    if (recorder->scratch.failed || items->failed) {
        return hasten_recorder_out_of_memory(recorder);
    }
    hasten_buffer_clear(items);
    *count = 0;
    return hasten_log_writer_block(&recorder->writer, type, recorder->scratch.data,
                                   recorder->scratch.size);
}

static hasten_status write_values(struct hasten_recorder *recorder) {
    return write_items(recorder, HASTEN_BLOCK_VALUES, &recorder->values,
                       &recorder->values_buffered);
}

static hasten_status write_points(struct hasten_recorder *recorder) {
    recorder->points_last_ns = 0;
    return write_items(recorder, HASTEN_BLOCK_POINTS, &recorder->points,
                       &recorder->points_buffered);
}

hasten_status hasten_recorder_end_record(struct hasten_recorder *recorder) {
    if (recorder->definitions.failed) {
        return hasten_recorder_out_of_memory(recorder);
    }
    return recorder->definitions.size < BYTES_BUFFERED ? HASTEN_OK : write_definitions(recorder);
}

static bool is_state(uint32_t state) {
    uint32_t flags = state & ~(uint32_t)HASTEN_STATE_MASK;
    return (state & HASTEN_STATE_MASK) < HASTEN_STATE_COUNT &&
           (flags & ~(uint32_t)(HASTEN_FLAG_GC | HASTEN_FLAG_NATIVE)) == 0;
}

hasten_status hasten_recorder_sample(struct hasten_recorder *recorder, uint64_t slot,
                                     uint32_t thread, uint32_t node, uint32_t state,
                                     uint32_t weight) {
    if (hasten_recorder_failure(recorder) != HASTEN_OK) {
        return hasten_recorder_failure(recorder);
    }
    if (thread >= recorder->thread_count || node >= recorder->node_count || !is_state(state) ||
        weight == 0 || slot < recorder->last_slot || slot >= HASTEN_SLOT_LIMIT) {
        return HASTEN_INVALID;
    }
    recorder->last_slot = slot;
    recorder->samples[recorder->samples_buffered++] =
        (struct hasten_sample){slot, thread, node, state, weight};
    return recorder->samples_buffered < SAMPLES_BUFFERED ? HASTEN_OK : write_samples(recorder);
}

hasten_status hasten_recorder_value(struct hasten_recorder *recorder, uint32_t node,
                                    uint32_t thread, uint32_t metric, int64_t amount) {
    if (hasten_recorder_failure(recorder) != HASTEN_OK) {
        return hasten_recorder_failure(recorder);
    }
    if (node >= recorder->node_count || thread >= recorder->thread_count ||
        metric >= recorder->metric_count) {
        return HASTEN_INVALID;
    }
    hasten_buffer_varint(&recorder->values, node);
    hasten_buffer_varint(&recorder->values, thread);
    hasten_buffer_varint(&recorder->values, metric);
    hasten_buffer_varint_signed(&recorder->values, amount);
    recorder->values_buffered++;
    if (recorder->values.failed) {
        return hasten_recorder_out_of_memory(recorder);
    }
    return recorder->values.size < BYTES_BUFFERED ? HASTEN_OK : write_values(recorder);
}

hasten_status hasten_recorder_point(struct hasten_recorder *recorder, uint32_t series,
                                    uint64_t time_ns, int64_t value) {
    if (hasten_recorder_failure(recorder) != HASTEN_OK) {
        return hasten_recorder_failure(recorder);
    }
    if (series >= recorder->series_count || time_ns >= HASTEN_SLOT_LIMIT ||
        time_ns < recorder->series_last_ns[series]) {
        return HASTEN_INVALID;
    }
    if (recorder->point_count >= HASTEN_LIMIT_POINTS) {
        return HASTEN_LIMIT;
    }
    hasten_buffer_varint(&recorder->points, series);
    hasten_buffer_varint_signed(&recorder->points, (int64_t)(time_ns - recorder->points_last_ns));
    hasten_buffer_varint_signed(&recorder->points, value);
    if (recorder->points.failed) {
        return hasten_recorder_out_of_memory(recorder);
    }
    recorder->points_last_ns = time_ns;
    recorder->series_last_ns[series] = time_ns;
    recorder->points_buffered++;
    recorder->point_count++;
    return recorder->points.size < BYTES_BUFFERED ? HASTEN_OK : write_points(recorder);
}

hasten_status hasten_recorder_flush(struct hasten_recorder *recorder) {
    hasten_status status = write_samples(recorder);
    if (status == HASTEN_OK) {
        status = write_values(recorder);
    }
    if (status == HASTEN_OK) {
        status = write_points(recorder);
    }
    return status == HASTEN_OK ? hasten_log_writer_check(&recorder->writer) : status;
}

hasten_status hasten_recorder_pause(struct hasten_recorder *recorder) {
    hasten_status status = hasten_recorder_flush(recorder);
    hasten_log_writer_pause(&recorder->writer);
    return status;
}

hasten_status hasten_recorder_resume(struct hasten_recorder *recorder) {
    return hasten_log_writer_resume(&recorder->writer);
}

hasten_status hasten_recorder_close(struct hasten_recorder *recorder, struct hasten_error *error) {
    hasten_status status = hasten_recorder_flush(recorder);
    if (status == HASTEN_OK) {
        hasten_buffer_clear(&recorder->scratch);
        hasten_buffer_varint(&recorder->scratch, recorder->sample_count);
        status = recorder->scratch.failed
                     ? hasten_recorder_out_of_memory(recorder)
                     : hasten_log_writer_block(&recorder->writer, HASTEN_BLOCK_END,
                                               recorder->scratch.data, recorder->scratch.size);
    }
    if (status != HASTEN_OK) {
        status = hasten_log_writer_explain(&recorder->writer, error);
    }
    free_recorder(recorder);
    return status;
}
