/* SPDX-License-Identifier: MIT
 *
 * The recorder: interns definitions, buffers samples, and hands both to the log
 * in an order in which nothing refers to what comes later. It keeps hashes of
 * what it interned, not the things: they are in the file. */
#include "hasten/recorder.h"

#include <string.h>

#include "core/base/hash.h"
#include "core/base/utf8.h"
#include "core/profile/builder.h"
#include "core/recording/log_writer.h"
#include "core/recording/samples.h"

/* A full buffer becomes a block although nobody flushed. */
#define SAMPLES_BUFFERED 8192u
#define BYTES_BUFFERED 131072u

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
    struct hasten_map strings; /* hash of the text -> string */
    struct hasten_map codes;   /* hash of all that a code object is -> code */
    struct hasten_map nodes;   /* (parent, code, instruction) -> node */
    struct hasten_map metrics; /* name's string -> metric */
    uint32_t string_count;
    uint32_t process_count;
    uint32_t thread_count;
    uint32_t code_count;
    uint32_t node_count;
    uint32_t metric_count;
    uint64_t last_slot;
    uint64_t sample_count;
};

static void free_recorder(struct hasten_recorder *recorder) {
    const struct hasten_allocator *allocator = recorder->allocator;
    hasten_log_writer_done(&recorder->writer);
    hasten_buffer_done(&recorder->definitions);
    hasten_buffer_done(&recorder->values);
    hasten_buffer_done(&recorder->scratch);
    hasten_release(allocator, recorder->samples, SAMPLES_BUFFERED * sizeof *recorder->samples);
    hasten_samples_codec_done(&recorder->codec);
    hasten_map_done(&recorder->strings);
    hasten_map_done(&recorder->codes);
    hasten_map_done(&recorder->nodes);
    hasten_map_done(&recorder->metrics);
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
    hasten_buffer_init(&recorder->scratch, allocator);
    hasten_samples_codec_init(&recorder->codec, allocator);
    hasten_map_init(&recorder->strings, allocator);
    hasten_map_init(&recorder->codes, allocator);
    hasten_map_init(&recorder->nodes, allocator);
    hasten_map_init(&recorder->metrics, allocator);
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

static hasten_status failure_of(const struct hasten_recorder *recorder) {
    return recorder->writer.failure;
}

/* A half-written record or a lost identifier would make later blocks wrong:
 * out of memory ends the recording as a full disk does. */
static hasten_status out_of_memory(struct hasten_recorder *recorder) {
    return hasten_log_writer_fail(&recorder->writer, HASTEN_NO_MEMORY);
}

static hasten_status write_definitions(struct hasten_recorder *recorder) {
    if (recorder->definitions.failed) {
        return out_of_memory(recorder);
    }
    if (recorder->definitions.size == 0) {
        return failure_of(recorder);
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
        return out_of_memory(recorder);
    }
    recorder->sample_count += recorder->samples_buffered;
    recorder->samples_buffered = 0;
    return hasten_log_writer_block(&recorder->writer, HASTEN_BLOCK_SAMPLES, recorder->scratch.data,
                                   recorder->scratch.size);
}

static hasten_status write_values(struct hasten_recorder *recorder) {
    hasten_status status = write_definitions(recorder);
    if (status != HASTEN_OK || recorder->values_buffered == 0) {
        return status;
    }
    hasten_buffer_clear(&recorder->scratch);
    hasten_buffer_varint(&recorder->scratch, recorder->values_buffered);
    hasten_buffer_append(&recorder->scratch, recorder->values.data, recorder->values.size);
    if (recorder->scratch.failed || recorder->values.failed) {
        return out_of_memory(recorder);
    }
    hasten_buffer_clear(&recorder->values);
    recorder->values_buffered = 0;
    return hasten_log_writer_block(&recorder->writer, HASTEN_BLOCK_VALUES, recorder->scratch.data,
                                   recorder->scratch.size);
}

/* Ends a record: notices a lack of memory, writes a full buffer. */
static hasten_status end_record(struct hasten_recorder *recorder) {
    if (recorder->definitions.failed) {
        return out_of_memory(recorder);
    }
    return recorder->definitions.size < BYTES_BUFFERED ? HASTEN_OK : write_definitions(recorder);
}

/* What is kept of a text: cut to the limit between two characters. */
static size_t kept_size(const char *text) {
    size_t size = strlen(text);
    if (size <= HASTEN_LIMIT_STRING_BYTES / 3) { /* cleaning can triple it */
        return size;
    }
    size = HASTEN_LIMIT_STRING_BYTES / 3;
    while (size > 0 && ((uint8_t)text[size] & 0xc0) == 0x80) {
        size--;
    }
    return size;
}

static void append_text(struct hasten_recorder *recorder, const char *text, size_t size) {
    struct hasten_buffer *definitions = &recorder->definitions;
    if (hasten_utf8_valid(text, size) == size) {
        hasten_buffer_blob(definitions, text, size);
        return;
    }
    hasten_buffer_clear(&recorder->scratch);
    hasten_utf8_clean(&recorder->scratch, text, size);
    definitions->failed = definitions->failed || recorder->scratch.failed;
    hasten_buffer_blob(definitions, recorder->scratch.data, recorder->scratch.size);
}

static hasten_status intern(struct hasten_recorder *recorder, const char *text,
                            uint32_t *ret_string) {
    if (text == NULL || text[0] == '\0') {
        *ret_string = 0;
        return HASTEN_OK;
    }
    size_t size = kept_size(text);
    struct hasten_map_key key = hasten_hash((struct hasten_map_key){0}, text, size);
    const uint32_t *known = hasten_map_find(&recorder->strings, key);
    if (known != NULL) {
        *ret_string = *known;
        return HASTEN_OK;
    }
    if (recorder->string_count >= HASTEN_LIMIT_STRINGS) {
        return HASTEN_LIMIT;
    }
    if (hasten_map_insert(&recorder->strings, key, recorder->string_count, NULL) == NULL) {
        return out_of_memory(recorder);
    }
    hasten_buffer_byte(&recorder->definitions, HASTEN_RECORD_STRING);
    append_text(recorder, text, size);
    *ret_string = recorder->string_count++;
    return end_record(recorder);
}

hasten_status hasten_recorder_fact(struct hasten_recorder *recorder, const char *name,
                                   const char *value) {
    uint32_t name_string = 0;
    uint32_t value_string = 0;
    hasten_status status = failure_of(recorder);
    if (status == HASTEN_OK) {
        status = intern(recorder, name, &name_string);
    }
    if (status == HASTEN_OK) {
        status = intern(recorder, value, &value_string);
    }
    if (status != HASTEN_OK) {
        return status;
    }
    hasten_buffer_byte(&recorder->definitions, HASTEN_RECORD_FACT);
    hasten_buffer_varint(&recorder->definitions, name_string);
    hasten_buffer_varint(&recorder->definitions, value_string);
    return end_record(recorder);
}

hasten_status hasten_recorder_process(struct hasten_recorder *recorder,
                                      const struct hasten_process_info *info,
                                      uint32_t *ret_process) {
    uint32_t command = 0;
    uint32_t executable = 0;
    uint32_t label = 0;
    hasten_status status = failure_of(recorder);
    if (status == HASTEN_OK && recorder->process_count >= HASTEN_LIMIT_PROCESSES) {
        status = HASTEN_LIMIT;
    }
    if (status == HASTEN_OK) {
        status = intern(recorder, info->command, &command);
    }
    if (status == HASTEN_OK) {
        status = intern(recorder, info->executable, &executable);
    }
    if (status == HASTEN_OK) {
        status = intern(recorder, info->label, &label);
    }
    if (status != HASTEN_OK) {
        return status;
    }
    struct hasten_buffer *definitions = &recorder->definitions;
    hasten_buffer_byte(definitions, HASTEN_RECORD_PROCESS);
    hasten_buffer_varint(definitions, info->pid);
    hasten_buffer_varint(definitions, info->parent_pid);
    hasten_buffer_varint(definitions, info->python_version);
    hasten_buffer_varint(definitions, command);
    hasten_buffer_varint(definitions, executable);
    hasten_buffer_varint(definitions, label);
    hasten_buffer_varint(definitions, info->start_ns);
    status = end_record(recorder);
    if (status == HASTEN_OK) {
        *ret_process = recorder->process_count++;
    }
    return status;
}

hasten_status hasten_recorder_process_end(struct hasten_recorder *recorder, uint32_t process,
                                          uint64_t end_ns) {
    if (failure_of(recorder) != HASTEN_OK) {
        return failure_of(recorder);
    }
    if (process >= recorder->process_count) {
        return HASTEN_INVALID;
    }
    hasten_buffer_byte(&recorder->definitions, HASTEN_RECORD_PROCESS_END);
    hasten_buffer_varint(&recorder->definitions, process);
    hasten_buffer_varint(&recorder->definitions, end_ns);
    return end_record(recorder);
}

hasten_status hasten_recorder_thread(struct hasten_recorder *recorder, uint32_t process,
                                     uint32_t tid, const char *name, int is_main,
                                     uint32_t *ret_thread) {
    uint32_t string = 0;
    hasten_status status = failure_of(recorder);
    if (status == HASTEN_OK && process >= recorder->process_count) {
        status = HASTEN_INVALID;
    }
    if (status == HASTEN_OK && recorder->thread_count >= HASTEN_LIMIT_THREADS) {
        status = HASTEN_LIMIT;
    }
    if (status == HASTEN_OK) {
        status = intern(recorder, name, &string);
    }
    if (status != HASTEN_OK) {
        return status;
    }
    hasten_buffer_byte(&recorder->definitions, HASTEN_RECORD_THREAD);
    hasten_buffer_varint(&recorder->definitions, process);
    hasten_buffer_varint(&recorder->definitions, tid);
    hasten_buffer_varint(&recorder->definitions, string);
    hasten_buffer_varint(&recorder->definitions, is_main != 0);
    status = end_record(recorder);
    if (status == HASTEN_OK) {
        *ret_thread = recorder->thread_count++;
    }
    return status;
}

hasten_status hasten_recorder_thread_name(struct hasten_recorder *recorder, uint32_t thread,
                                          const char *name) {
    uint32_t string = 0;
    hasten_status status = failure_of(recorder);
    if (status == HASTEN_OK && thread >= recorder->thread_count) {
        status = HASTEN_INVALID;
    }
    if (status == HASTEN_OK) {
        status = intern(recorder, name, &string);
    }
    if (status != HASTEN_OK) {
        return status;
    }
    hasten_buffer_byte(&recorder->definitions, HASTEN_RECORD_THREAD_NAME);
    hasten_buffer_varint(&recorder->definitions, thread);
    hasten_buffer_varint(&recorder->definitions, string);
    return end_record(recorder);
}

/* Equal code objects of different processes, and those that exec and eval make
 * again and again, are one. */
static struct hasten_map_key code_key(const struct hasten_code_info *info, uint32_t file,
                                      uint32_t name, uint32_t qualname, size_t linetable_size) {
    uint32_t fields[4] = {file, name, qualname, (uint32_t)info->first_line};
    struct hasten_map_key key = hasten_hash((struct hasten_map_key){0}, fields, sizeof fields);
    return hasten_hash(key, info->linetable, linetable_size);
}

hasten_status hasten_recorder_code(struct hasten_recorder *recorder,
                                   const struct hasten_code_info *info, uint32_t *ret_code) {
    uint32_t file = 0;
    uint32_t name = 0;
    uint32_t qualname = 0;
    hasten_status status = failure_of(recorder);
    if (status == HASTEN_OK && info->process >= recorder->process_count) {
        status = HASTEN_INVALID;
    }
    if (status == HASTEN_OK) {
        status = intern(recorder, info->file, &file);
    }
    if (status == HASTEN_OK) {
        status = intern(recorder, info->name, &name);
    }
    if (status == HASTEN_OK) {
        status = intern(recorder, info->qualname, &qualname);
    }
    if (status != HASTEN_OK) {
        return status;
    }
    /* A table that is too large is left out: its code has its first line only. */
    size_t size = info->linetable_size <= HASTEN_LIMIT_LINETABLE_BYTES ? info->linetable_size : 0;
    struct hasten_map_key key = code_key(info, file, name, qualname, size);
    const uint32_t *known = hasten_map_find(&recorder->codes, key);
    if (known != NULL) {
        *ret_code = *known;
        return HASTEN_OK;
    }
    if (recorder->code_count >= HASTEN_LIMIT_CODES) {
        return HASTEN_LIMIT;
    }
    if (hasten_map_insert(&recorder->codes, key, recorder->code_count, NULL) == NULL) {
        return out_of_memory(recorder);
    }
    struct hasten_buffer *definitions = &recorder->definitions;
    hasten_buffer_byte(definitions, HASTEN_RECORD_CODE);
    hasten_buffer_varint(definitions, info->process);
    hasten_buffer_varint(definitions, file);
    hasten_buffer_varint(definitions, name);
    hasten_buffer_varint(definitions, qualname);
    hasten_buffer_varint_signed(definitions, info->first_line);
    hasten_buffer_blob(definitions, info->linetable, size);
    status = end_record(recorder);
    if (status == HASTEN_OK) {
        *ret_code = recorder->code_count++;
    }
    return status;
}

hasten_status hasten_recorder_node(struct hasten_recorder *recorder, uint32_t parent, uint32_t code,
                                   uint32_t instruction, uint32_t *ret_node) {
    struct hasten_map_key key = {.low = (uint64_t)parent << 32 | code, .high = instruction};
    if (failure_of(recorder) != HASTEN_OK) {
        return failure_of(recorder);
    }
    if (parent >= recorder->node_count || code >= recorder->code_count) {
        return HASTEN_INVALID;
    }
    bool inserted = false;
    const uint32_t *node =
        hasten_map_insert(&recorder->nodes, key, recorder->node_count, &inserted);
    if (node == NULL) {
        return out_of_memory(recorder);
    }
    if (!inserted) {
        *ret_node = *node;
        return HASTEN_OK;
    }
    if (recorder->node_count >= HASTEN_LIMIT_NODES) {
        hasten_map_remove(&recorder->nodes, key);
        return HASTEN_LIMIT;
    }
    hasten_buffer_byte(&recorder->definitions, HASTEN_RECORD_NODE);
    hasten_buffer_varint(&recorder->definitions, recorder->node_count - parent);
    hasten_buffer_varint(&recorder->definitions, code);
    hasten_buffer_varint(&recorder->definitions, instruction);
    hasten_status status = end_record(recorder);
    if (status == HASTEN_OK) {
        *ret_node = recorder->node_count++;
    }
    return status;
}

static bool is_state(uint32_t state) {
    uint32_t flags = state & ~(uint32_t)HASTEN_STATE_MASK;
    return (state & HASTEN_STATE_MASK) < HASTEN_STATE_COUNT &&
           (flags & ~(uint32_t)(HASTEN_FLAG_GC | HASTEN_FLAG_NATIVE)) == 0;
}

hasten_status hasten_recorder_sample(struct hasten_recorder *recorder, uint64_t slot,
                                     uint32_t thread, uint32_t node, uint32_t state,
                                     uint32_t weight) {
    if (failure_of(recorder) != HASTEN_OK) {
        return failure_of(recorder);
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

hasten_status hasten_recorder_metric(struct hasten_recorder *recorder, const char *name,
                                     const char *unit, const char *description,
                                     uint32_t *ret_metric) {
    uint32_t strings[3] = {0};
    const char *texts[3] = {name, unit, description};
    hasten_status status = failure_of(recorder);
    for (size_t i = 0; i < 3 && status == HASTEN_OK; i++) {
        status = intern(recorder, texts[i], &strings[i]);
    }
    if (status != HASTEN_OK) {
        return status;
    }
    struct hasten_map_key key = {.low = strings[0]};
    const uint32_t *known = hasten_map_find(&recorder->metrics, key);
    if (known != NULL) {
        *ret_metric = *known;
        return HASTEN_OK;
    }
    if (recorder->metric_count >= HASTEN_LIMIT_METRICS) {
        return HASTEN_LIMIT;
    }
    if (hasten_map_insert(&recorder->metrics, key, recorder->metric_count, NULL) == NULL) {
        return out_of_memory(recorder);
    }
    hasten_buffer_byte(&recorder->definitions, HASTEN_RECORD_METRIC);
    for (size_t i = 0; i < 3; i++) {
        hasten_buffer_varint(&recorder->definitions, strings[i]);
    }
    status = end_record(recorder);
    if (status == HASTEN_OK) {
        *ret_metric = recorder->metric_count++;
    }
    return status;
}

hasten_status hasten_recorder_value(struct hasten_recorder *recorder, uint32_t node,
                                    uint32_t thread, uint32_t metric, int64_t amount) {
    if (failure_of(recorder) != HASTEN_OK) {
        return failure_of(recorder);
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
        return out_of_memory(recorder);
    }
    return recorder->values.size < BYTES_BUFFERED ? HASTEN_OK : write_values(recorder);
}

hasten_status hasten_recorder_flush(struct hasten_recorder *recorder) {
    hasten_status status = write_samples(recorder);
    if (status == HASTEN_OK) {
        status = write_values(recorder);
    }
    return status == HASTEN_OK ? hasten_log_writer_check(&recorder->writer) : status;
}

hasten_status hasten_recorder_close(struct hasten_recorder *recorder, struct hasten_error *error) {
    hasten_status status = hasten_recorder_flush(recorder);
    if (status == HASTEN_OK) {
        hasten_buffer_clear(&recorder->scratch);
        hasten_buffer_varint(&recorder->scratch, recorder->sample_count);
        status = recorder->scratch.failed
                     ? out_of_memory(recorder)
                     : hasten_log_writer_block(&recorder->writer, HASTEN_BLOCK_END,
                                               recorder->scratch.data, recorder->scratch.size);
    }
    if (status != HASTEN_OK) {
        status = hasten_log_writer_explain(&recorder->writer, error);
    }
    free_recorder(recorder);
    return status;
}
