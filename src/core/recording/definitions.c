/* SPDX-License-Identifier: MIT
 *
 * Definitions of a recording, interned. The recorder keeps hashes of what it
 * interned, not the things: they are in the file. */
#include <string.h>

#include "core/base/hash.h"
#include "core/base/utf8.h"
#include "core/profile/builder.h"
#include "core/recording/recorder_state.h"

/* Strings, facts and metrics that readers add of their own need room as well. */
#define ROOM_FOR_READERS 64u

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
    /* Cleaning can make three bytes of one. */
    if (recorder->string_count >= HASTEN_LIMIT_STRINGS - ROOM_FOR_READERS ||
        recorder->text_bytes + 3 * size > HASTEN_LIMIT_TOTAL_BYTES) {
        return HASTEN_LIMIT;
    }
    recorder->text_bytes += 3 * size;
    if (hasten_map_insert(&recorder->strings, key, recorder->string_count, NULL) == NULL) {
        return hasten_recorder_out_of_memory(recorder);
    }
    hasten_buffer_byte(&recorder->definitions, HASTEN_RECORD_STRING);
    append_text(recorder, text, size);
    *ret_string = recorder->string_count++;
    return hasten_recorder_end_record(recorder);
}

/* Room for one more item in an array of the recorder, whose address is `array`: a
 * pointer of any type, hence the copies. */
static hasten_status reserve(struct hasten_recorder *recorder, void *array, size_t *capacity,
                             size_t count, size_t item_size) {
    void *items = NULL;
    memcpy(&items, array, sizeof items);
    int result = hasten_grow(recorder->allocator, &items, capacity, count + 1, item_size);
    memcpy(array, &items, sizeof items);
    return result == 0 ? HASTEN_OK : hasten_recorder_out_of_memory(recorder);
}

hasten_status hasten_recorder_fact(struct hasten_recorder *recorder, const char *name,
                                   const char *value) {
    uint32_t name_string = 0;
    uint32_t value_string = 0;
    hasten_status status = hasten_recorder_failure(recorder);
    if (status == HASTEN_OK) {
        status = intern(recorder, name, &name_string);
    }
    if (status == HASTEN_OK) {
        status = intern(recorder, value, &value_string);
    }
    if (status != HASTEN_OK) {
        return status;
    }
    struct hasten_map_key key = {.low = name_string};
    if (recorder->facts.count >= HASTEN_LIMIT_FACTS - ROOM_FOR_READERS &&
        hasten_map_find(&recorder->facts, key) == NULL) {
        return HASTEN_LIMIT;
    }
    if (hasten_map_insert(&recorder->facts, key, 0, NULL) == NULL) {
        return hasten_recorder_out_of_memory(recorder);
    }
    hasten_buffer_byte(&recorder->definitions, HASTEN_RECORD_FACT);
    hasten_buffer_varint(&recorder->definitions, name_string);
    hasten_buffer_varint(&recorder->definitions, value_string);
    return hasten_recorder_end_record(recorder);
}

hasten_status hasten_recorder_process(struct hasten_recorder *recorder,
                                      const struct hasten_process_info *info,
                                      uint32_t *ret_process) {
    uint32_t command = 0;
    uint32_t executable = 0;
    uint32_t label = 0;
    hasten_status status = hasten_recorder_failure(recorder);
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
    if (status == HASTEN_OK) {
        status = reserve(recorder, &recorder->processes, &recorder->process_capacity,
                         recorder->process_count, sizeof *recorder->processes);
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
    status = hasten_recorder_end_record(recorder);
    if (status == HASTEN_OK) {
        recorder->processes[recorder->process_count] =
            (struct hasten_recorded_process){.pid = info->pid, .start_ns = info->start_ns};
        *ret_process = recorder->process_count++;
    }
    return status;
}

int hasten_recorder_knows(const struct hasten_recorder *recorder, uint32_t process,
                          uint32_t *ret_pid) {
    if (process >= recorder->process_count) {
        return 0;
    }
    *ret_pid = recorder->processes[process].pid;
    return 1;
}

hasten_status hasten_recorder_process_end(struct hasten_recorder *recorder, uint32_t process,
                                          uint64_t end_ns) {
    if (hasten_recorder_failure(recorder) != HASTEN_OK) {
        return hasten_recorder_failure(recorder);
    }
    if (process >= recorder->process_count) {
        return HASTEN_INVALID;
    }
    hasten_buffer_byte(&recorder->definitions, HASTEN_RECORD_PROCESS_END);
    hasten_buffer_varint(&recorder->definitions, process);
    hasten_buffer_varint(&recorder->definitions, end_ns);
    return hasten_recorder_end_record(recorder);
}

hasten_status hasten_recorder_thread(struct hasten_recorder *recorder, uint32_t process,
                                     uint32_t tid, const char *name, int is_main,
                                     uint32_t *ret_thread) {
    uint32_t string = 0;
    hasten_status status = hasten_recorder_failure(recorder);
    if (status == HASTEN_OK && process >= recorder->process_count) {
        status = HASTEN_INVALID;
    }
    if (status == HASTEN_OK && recorder->thread_count >= HASTEN_LIMIT_THREADS) {
        status = HASTEN_LIMIT;
    }
    if (status == HASTEN_OK) {
        status = intern(recorder, name, &string);
    }
    if (status == HASTEN_OK) {
        status = reserve(recorder, &recorder->threads, &recorder->thread_capacity,
                         recorder->thread_count, sizeof *recorder->threads);
    }
    if (status != HASTEN_OK) {
        return status;
    }
    hasten_buffer_byte(&recorder->definitions, HASTEN_RECORD_THREAD);
    hasten_buffer_varint(&recorder->definitions, process);
    hasten_buffer_varint(&recorder->definitions, tid);
    hasten_buffer_varint(&recorder->definitions, string);
    hasten_buffer_varint(&recorder->definitions, is_main != 0);
    status = hasten_recorder_end_record(recorder);
    if (status == HASTEN_OK) {
        recorder->threads[recorder->thread_count] =
            (struct hasten_recorded_thread){.process = process, .tid = tid};
        *ret_thread = recorder->thread_count++;
    }
    return status;
}

hasten_status hasten_recorder_thread_name(struct hasten_recorder *recorder, uint32_t thread,
                                          const char *name) {
    uint32_t string = 0;
    hasten_status status = hasten_recorder_failure(recorder);
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
    return hasten_recorder_end_record(recorder);
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
    hasten_status status = hasten_recorder_failure(recorder);
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
    if (recorder->code_count >= HASTEN_LIMIT_CODES ||
        recorder->text_bytes + size > HASTEN_LIMIT_TOTAL_BYTES) {
        return HASTEN_LIMIT;
    }
    recorder->text_bytes += size;
    if (hasten_map_insert(&recorder->codes, key, recorder->code_count, NULL) == NULL) {
        return hasten_recorder_out_of_memory(recorder);
    }
    struct hasten_buffer *definitions = &recorder->definitions;
    hasten_buffer_byte(definitions, HASTEN_RECORD_CODE);
    hasten_buffer_varint(definitions, info->process);
    hasten_buffer_varint(definitions, file);
    hasten_buffer_varint(definitions, name);
    hasten_buffer_varint(definitions, qualname);
    hasten_buffer_varint_signed(definitions, info->first_line);
    hasten_buffer_blob(definitions, info->linetable, size);
    status = hasten_recorder_end_record(recorder);
    if (status == HASTEN_OK) {
        *ret_code = recorder->code_count++;
    }
    return status;
}

hasten_status hasten_recorder_node(struct hasten_recorder *recorder, uint32_t parent, uint32_t code,
                                   uint32_t instruction, uint32_t *ret_node) {
    struct hasten_map_key key = {.low = (uint64_t)parent << 32 | code, .high = instruction};
    if (hasten_recorder_failure(recorder) != HASTEN_OK) {
        return hasten_recorder_failure(recorder);
    }
    if (parent >= recorder->node_count || code >= recorder->code_count) {
        return HASTEN_INVALID;
    }
    bool inserted = false;
    const uint32_t *node =
        hasten_map_insert(&recorder->nodes, key, recorder->node_count, &inserted);
    if (node == NULL) {
        return hasten_recorder_out_of_memory(recorder);
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
    hasten_status status = hasten_recorder_end_record(recorder);
    if (status == HASTEN_OK) {
        *ret_node = recorder->node_count++;
    }
    return status;
}

hasten_status hasten_recorder_metric(struct hasten_recorder *recorder, const char *name,
                                     const char *unit, const char *description,
                                     uint32_t *ret_metric) {
    uint32_t strings[3] = {0};
    const char *texts[3] = {name, unit, description};
    hasten_status status = hasten_recorder_failure(recorder);
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
    if (recorder->metric_count >= HASTEN_LIMIT_METRICS - ROOM_FOR_READERS) {
        return HASTEN_LIMIT;
    }
    if (hasten_map_insert(&recorder->metrics, key, recorder->metric_count, NULL) == NULL) {
        return hasten_recorder_out_of_memory(recorder);
    }
    hasten_buffer_byte(&recorder->definitions, HASTEN_RECORD_METRIC);
    for (size_t i = 0; i < 3; i++) {
        hasten_buffer_varint(&recorder->definitions, strings[i]);
    }
    status = hasten_recorder_end_record(recorder);
    if (status == HASTEN_OK) {
        *ret_metric = recorder->metric_count++;
    }
    return status;
}

hasten_status hasten_recorder_series(struct hasten_recorder *recorder, uint32_t process,
                                     const char *name, const char *unit, const char *description,
                                     uint32_t *ret_series) {
    uint32_t strings[3] = {0};
    const char *texts[3] = {name, unit, description};
    hasten_status status = hasten_recorder_failure(recorder);
    if (status == HASTEN_OK && process >= recorder->process_count) {
        status = HASTEN_INVALID;
    }
    for (size_t i = 0; i < 3 && status == HASTEN_OK; i++) {
        status = intern(recorder, texts[i], &strings[i]);
    }
    if (status != HASTEN_OK) {
        return status;
    }
    struct hasten_map_key key = {.low = (uint64_t)process << 32 | strings[0]};
    const uint32_t *known = hasten_map_find(&recorder->series, key);
    if (known != NULL) {
        *ret_series = *known;
        return HASTEN_OK;
    }
    if (recorder->series_count >= HASTEN_LIMIT_SERIES) {
        return HASTEN_LIMIT;
    }
    status = reserve(recorder, &recorder->series_last_ns, &recorder->series_capacity,
                     recorder->series_count, sizeof *recorder->series_last_ns);
    if (status != HASTEN_OK) {
        return status;
    }
    if (hasten_map_insert(&recorder->series, key, recorder->series_count, NULL) == NULL) {
        return hasten_recorder_out_of_memory(recorder);
    }
    recorder->series_last_ns[recorder->series_count] = 0;
    hasten_buffer_byte(&recorder->definitions, HASTEN_RECORD_SERIES);
    hasten_buffer_varint(&recorder->definitions, process);
    for (size_t i = 0; i < 3; i++) {
        hasten_buffer_varint(&recorder->definitions, strings[i]);
    }
    status = hasten_recorder_end_record(recorder);
    if (status == HASTEN_OK) {
        *ret_series = recorder->series_count++;
    }
    return status;
}
