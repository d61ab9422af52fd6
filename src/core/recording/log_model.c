/* SPDX-License-Identifier: MIT
 *
 * The records of a log's blocks (format.h, docs/formats/log.md). */
#include "core/recording/log_model.h"

#include <stdio.h>
#include <string.h>

#include "core/base/cursor.h"
#include "core/recording/file.h"

static const char too_many_values[] = "there are too many values";
static const char cut_record[] = "a record ends early or has a number out of range";

hasten_status hasten_log_model_init(struct hasten_log_model *model, const char *path,
                                    int descriptor, uint64_t size,
                                    const struct hasten_allocator *allocator,
                                    struct hasten_error *error) {
    *model = (struct hasten_log_model){.allocator = allocator};
    hasten_tally_init(&model->tally, allocator);
    hasten_samples_codec_init(&model->codec, allocator);
    hasten_status status =
        hasten_log_reader_init(&model->reader, path, descriptor, size, allocator, error);
    if (status != HASTEN_OK) {
        hasten_log_model_done(model);
        return status;
    }
    if (hasten_builder_init(&model->builder, allocator) != HASTEN_OK) {
        hasten_log_model_done(model);
        return hasten_error_set(error, HASTEN_NO_MEMORY, -1, "out of memory");
    }
    return HASTEN_OK;
}

void hasten_log_model_done(struct hasten_log_model *model) {
    hasten_log_reader_done(&model->reader);
    hasten_tally_done(&model->tally);
    hasten_samples_codec_done(&model->codec);
    hasten_builder_done(&model->builder);
}

/* A varint that must fit 32 bits. */
static uint32_t read_u32(struct hasten_cursor *cursor) {
    uint64_t value = hasten_cursor_varint(cursor);
    if (value > UINT32_MAX) {
        cursor->failed = true;
        return 0;
    }
    return (uint32_t)value;
}

static int32_t read_i32(struct hasten_cursor *cursor) {
    int64_t value = hasten_cursor_varint_signed(cursor);
    if (value < INT32_MIN || value > INT32_MAX) {
        cursor->failed = true;
        return 0;
    }
    return (int32_t)value;
}

/* A time: must stay in what SQLite and sums can hold. */
static uint64_t read_time(struct hasten_cursor *cursor) {
    uint64_t value = hasten_cursor_varint(cursor);
    if (value >= HASTEN_SLOT_LIMIT) {
        cursor->failed = true;
        return 0;
    }
    return value;
}

/* Each read_ function answers what the builder says; INVALID with the builder's
 * complaint, or with none where the cursor failed. */

static hasten_status read_string(struct hasten_log_model *model, struct hasten_cursor *cursor) {
    size_t size = 0;
    const uint8_t *text = hasten_cursor_blob(cursor, &size);
    return cursor->failed ? HASTEN_INVALID
                          : hasten_builder_string(&model->builder, (const char *)text, size);
}

static hasten_status read_fact(struct hasten_log_model *model, struct hasten_cursor *cursor) {
    uint32_t name = read_u32(cursor);
    uint32_t value = read_u32(cursor);
    return cursor->failed ? HASTEN_INVALID : hasten_builder_fact(&model->builder, name, value);
}

static hasten_status read_process(struct hasten_log_model *model, struct hasten_cursor *cursor) {
    struct hasten_process process = {0};
    process.pid = read_u32(cursor);
    process.parent_pid = read_u32(cursor);
    process.python_version = read_u32(cursor);
    process.command = read_u32(cursor);
    process.executable = read_u32(cursor);
    process.label = read_u32(cursor);
    process.start_ns = read_time(cursor);
    return cursor->failed ? HASTEN_INVALID : hasten_builder_process(&model->builder, &process);
}

static hasten_status read_process_end(struct hasten_log_model *model,
                                      struct hasten_cursor *cursor) {
    uint32_t process = read_u32(cursor);
    uint64_t end_ns = read_time(cursor);
    return cursor->failed ? HASTEN_INVALID
                          : hasten_builder_process_end(&model->builder, process, end_ns);
}

static hasten_status read_thread(struct hasten_log_model *model, struct hasten_cursor *cursor) {
    struct hasten_thread thread = {0};
    thread.process = read_u32(cursor);
    thread.tid = read_u32(cursor);
    thread.name = read_u32(cursor);
    thread.is_main = read_u32(cursor);
    return cursor->failed ? HASTEN_INVALID : hasten_builder_thread(&model->builder, &thread);
}

static hasten_status read_thread_name(struct hasten_log_model *model,
                                      struct hasten_cursor *cursor) {
    uint32_t thread = read_u32(cursor);
    uint32_t name = read_u32(cursor);
    return cursor->failed ? HASTEN_INVALID
                          : hasten_builder_thread_name(&model->builder, thread, name);
}

static hasten_status read_code(struct hasten_log_model *model, struct hasten_cursor *cursor) {
    struct hasten_code code = {0};
    size_t linetable_size = 0;
    code.process = read_u32(cursor);
    code.file = read_u32(cursor);
    code.name = read_u32(cursor);
    code.qualname = read_u32(cursor);
    code.first_line = read_i32(cursor);
    code.linetable = hasten_cursor_blob(cursor, &linetable_size);
    code.linetable_size = (uint32_t)linetable_size; /* a block is smaller than 2^32 */
    return cursor->failed ? HASTEN_INVALID : hasten_builder_code(&model->builder, &code);
}

static hasten_status read_node(struct hasten_log_model *model, struct hasten_cursor *cursor) {
    struct hasten_node node = {0};
    uint32_t back = read_u32(cursor);
    node.code = read_u32(cursor);
    node.instruction = read_u32(cursor);
    /* 0 or too far back wraps to what is not before the node. */
    node.parent = (uint32_t)model->builder.profile->node_count - back;
    return cursor->failed ? HASTEN_INVALID : hasten_builder_node(&model->builder, &node);
}

static hasten_status read_metric(struct hasten_log_model *model, struct hasten_cursor *cursor) {
    struct hasten_metric metric = {0};
    metric.name = read_u32(cursor);
    metric.unit = read_u32(cursor);
    metric.description = read_u32(cursor);
    return cursor->failed ? HASTEN_INVALID : hasten_builder_metric(&model->builder, &metric);
}

static hasten_status read_series(struct hasten_log_model *model, struct hasten_cursor *cursor) {
    struct hasten_series series = {0};
    series.process = read_u32(cursor);
    series.name = read_u32(cursor);
    series.unit = read_u32(cursor);
    series.description = read_u32(cursor);
    return cursor->failed ? HASTEN_INVALID : hasten_builder_series(&model->builder, &series);
}

static hasten_status unknown_record(struct hasten_log_model *model) {
    model->builder.complaint = "a record is of an unknown kind";
    return HASTEN_INVALID;
}

static hasten_status read_record(struct hasten_log_model *model, struct hasten_cursor *cursor) {
    switch (hasten_cursor_byte(cursor)) {
    case HASTEN_RECORD_STRING:
        return read_string(model, cursor);
    case HASTEN_RECORD_FACT:
        return read_fact(model, cursor);
    case HASTEN_RECORD_PROCESS:
        return read_process(model, cursor);
    case HASTEN_RECORD_PROCESS_END:
        return read_process_end(model, cursor);
    case HASTEN_RECORD_THREAD:
        return read_thread(model, cursor);
    case HASTEN_RECORD_THREAD_NAME:
        return read_thread_name(model, cursor);
    case HASTEN_RECORD_CODE:
        return read_code(model, cursor);
    case HASTEN_RECORD_NODE:
        return read_node(model, cursor);
    case HASTEN_RECORD_METRIC:
        return read_metric(model, cursor);
    case HASTEN_RECORD_SERIES:
        return model->reader.version >= HASTEN_LOG_VERSION_SERIES ? read_series(model, cursor)
                                                                  : unknown_record(model);
    default:
        return unknown_record(model);
    }
}

/* What went wrong in a block, as an error with its position. */
static hasten_status block_error(struct hasten_log_model *model,
                                 const struct hasten_log_block *block, hasten_status status,
                                 const char *complaint, struct hasten_error *error) {
    switch (status) {
    case HASTEN_OK:
        return HASTEN_OK;
    case HASTEN_NO_MEMORY:
        return hasten_error_set(error, status, -1, "out of memory");
    case HASTEN_LIMIT:
        return hasten_error_set(error, status, (int64_t)block->position,
                                "\"%.*s\" is larger than hasten can read: %s", HASTEN_PATH_SHOWN,
                                model->reader.path, complaint);
    default:
        return hasten_log_reader_damaged(&model->reader, block->position, complaint, error);
    }
}

static hasten_status read_definitions(struct hasten_log_model *model,
                                      const struct hasten_log_block *block,
                                      struct hasten_error *error) {
    struct hasten_cursor cursor = {.data = block->data, .size = block->size};
    hasten_status status = HASTEN_OK;
    while (status == HASTEN_OK && cursor.position < cursor.size) {
        status = read_record(model, &cursor);
    }
    return block_error(model, block, status, cursor.failed ? cut_record : model->builder.complaint,
                       error);
}

/* Adds decoded samples up. */
static hasten_status tally_samples(struct hasten_log_model *model, size_t count) {
    hasten_status status = HASTEN_OK;
    for (size_t i = 0; i < count && status == HASTEN_OK; i++) {
        const struct hasten_sample *sample = &model->samples[i];
        status = hasten_tally_sample(&model->tally, sample->slot, sample->thread, sample->node,
                                     sample->state, sample->weight);
    }
    return status;
}

static hasten_status read_samples(struct hasten_log_model *model,
                                  const struct hasten_log_block *block, size_t *ret_count,
                                  struct hasten_error *error) {
    const struct hasten_samples_bounds bounds = {
        .first_slot = model->next_slot,
        .thread_count = model->builder.profile->thread_count,
        .node_count = model->builder.profile->node_count,
    };
    const char *complaint = "";
    size_t count = 0;
    hasten_status status = hasten_samples_decode(&model->codec, block->data, block->size, &bounds,
                                                 &model->samples, &count, &complaint);
    if (status != HASTEN_OK) {
        return block_error(model, block, status, complaint, error);
    }
    model->next_slot = model->samples[count - 1].slot;
    model->sample_count += count;
    *ret_count = count;
    return HASTEN_OK;
}

static hasten_status read_values(struct hasten_log_model *model,
                                 const struct hasten_log_block *block, struct hasten_error *error) {
    struct hasten_cursor cursor = {.data = block->data, .size = block->size};
    uint64_t count = hasten_cursor_varint(&cursor);
    for (uint64_t i = 0; i < count && !cursor.failed; i++) {
        uint32_t node = read_u32(&cursor);
        uint32_t thread = read_u32(&cursor);
        uint32_t metric = read_u32(&cursor);
        int64_t amount = hasten_cursor_varint_signed(&cursor);
        if (cursor.failed) {
            break;
        }
        if (!hasten_builder_has(&model->builder, node, thread) ||
            metric >= model->builder.profile->metric_count) {
            return block_error(model, block, HASTEN_CORRUPT,
                               "a value refers to a node, thread or metric that is not there",
                               error);
        }
        hasten_status status = hasten_tally_amount(&model->tally, node, thread, metric, amount);
        if (status != HASTEN_OK) {
            return block_error(model, block, status, too_many_values, error);
        }
    }
    if (cursor.failed || cursor.position != cursor.size) {
        return block_error(model, block, HASTEN_CORRUPT, cut_record, error);
    }
    return HASTEN_OK;
}

static hasten_status read_points(struct hasten_log_model *model,
                                 const struct hasten_log_block *block, struct hasten_error *error) {
    struct hasten_cursor cursor = {.data = block->data, .size = block->size};
    uint64_t count = hasten_cursor_varint(&cursor);
    uint64_t time_ns = 0;
    for (uint64_t i = 0; i < count && !cursor.failed; i++) {
        uint32_t series = read_u32(&cursor);
        time_ns += (uint64_t)hasten_cursor_varint_signed(&cursor);
        int64_t value = hasten_cursor_varint_signed(&cursor);
        if (cursor.failed) {
            break;
        }
        if (time_ns >= HASTEN_SLOT_LIMIT) { /* below zero wraps to it as well */
            return block_error(model, block, HASTEN_CORRUPT, "a point's time is out of range",
                               error);
        }
        hasten_status status = hasten_builder_point(&model->builder, series, time_ns, value);
        if (status != HASTEN_OK) {
            return block_error(model, block, status, model->builder.complaint, error);
        }
    }
    if (cursor.failed || cursor.position != cursor.size) {
        return block_error(model, block, HASTEN_CORRUPT, cut_record, error);
    }
    return HASTEN_OK;
}

static hasten_status read_end(struct hasten_log_model *model, const struct hasten_log_block *block,
                              struct hasten_error *error) {
    struct hasten_cursor cursor = {.data = block->data, .size = block->size};
    uint64_t count = hasten_cursor_varint(&cursor);
    if (cursor.failed || cursor.position != cursor.size || count != model->sample_count) {
        return block_error(model, block, HASTEN_CORRUPT,
                           "its end does not agree with the number of samples before", error);
    }
    model->complete = true;
    return HASTEN_OK;
}

hasten_status hasten_log_model_read(struct hasten_log_model *model, bool summing,
                                    hasten_samples_sink *sink, void *context,
                                    struct hasten_error *error) {
    struct hasten_log_block block;
    bool more = false;
    hasten_status status = hasten_log_reader_next(&model->reader, &block, &more, error);
    while (status == HASTEN_OK && more) {
        size_t count = 0;
        if (model->complete) {
            return block_error(model, &block, HASTEN_CORRUPT, "it goes on after its end", error);
        }
        if (block.type == HASTEN_BLOCK_DEFINITIONS) {
            status = read_definitions(model, &block, error);
        } else if (block.type == HASTEN_BLOCK_SAMPLES) {
            status = read_samples(model, &block, &count, error);
        } else if (block.type == HASTEN_BLOCK_VALUES) {
            status = summing ? read_values(model, &block, error) : HASTEN_OK;
        } else if (block.type == HASTEN_BLOCK_POINTS) {
            status = summing ? read_points(model, &block, error) : HASTEN_OK;
        } else {
            status = read_end(model, &block, error);
        }
        if (status == HASTEN_OK && summing && count > 0) {
            status =
                block_error(model, &block, tally_samples(model, count), too_many_values, error);
        }
        if (status == HASTEN_OK && count > 0 && sink != NULL &&
            sink(context, model->samples, count) != 0) {
            return HASTEN_OK;
        }
        if (status == HASTEN_OK) {
            status = hasten_log_reader_next(&model->reader, &block, &more, error);
        }
    }
    return status;
}

/* A fact whose value is a number. */
static hasten_status add_number_fact(struct hasten_builder *builder, const char *name,
                                     uint64_t number) {
    char text[24];
    int size = snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return hasten_builder_fact_text(builder, name, strlen(name), text, (size_t)size);
}

hasten_status hasten_log_model_finish(struct hasten_log_model *model, struct hasten_error *error) {
    struct hasten_builder *builder = &model->builder;
    hasten_status status = hasten_tally_finish(&model->tally, builder, model->reader.interval_ns);
    if (status == HASTEN_OK) {
        status = add_number_fact(builder, HASTEN_FACT_INTERVAL, model->reader.interval_ns);
    }
    if (status == HASTEN_OK) {
        status = add_number_fact(builder, HASTEN_FACT_WALL_START, model->reader.wall_start_ns);
    }
    if (status == HASTEN_OK && !model->complete) {
        status = add_number_fact(builder, HASTEN_FACT_INCOMPLETE, 1);
    }
    if (status == HASTEN_OK) {
        return HASTEN_OK;
    }
    return status == HASTEN_NO_MEMORY
               ? hasten_error_set(error, status, -1, "out of memory")
               : hasten_error_set(error, status, -1, "%s", builder->complaint);
}
