/* SPDX-License-Identifier: MIT
 *
 * The input makes a profile, of any names and amounts, which is reported both
 * ways. What comes out must be UTF-8 without anything a terminal obeys. */
#include <stdlib.h>
#include <string.h>

#include "core/base/cursor.h"
#include "core/base/utf8.h"
#include "core/profile/builder.h"
#include "hasten/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t take_string(struct hasten_builder *builder, struct hasten_cursor *cursor) {
    size_t size = 0;
    uint32_t string = 0;
    const uint8_t *text = hasten_cursor_blob(cursor, &size);
    char clean[256] = "";
    if (text != NULL) { /* strings of a profile have no NUL inside */
        size = size < sizeof clean - 1 ? size : sizeof clean - 1;
        memcpy(clean, text, size);
    }
    hasten_status status = hasten_builder_intern(builder, clean, strlen(clean), &string);
    return status == HASTEN_OK ? string : 0;
}

static uint32_t take(struct hasten_cursor *cursor) {
    return (uint32_t)hasten_cursor_varint(cursor);
}

/* Amounts of memory, series and their points. */
static hasten_status take_memory(struct hasten_builder *builder, struct hasten_cursor *cursor) {
    static const char *const metrics[] = {"heap.peak.bytes",      "heap.allocated.bytes",
                                          "heap.temporary.bytes", "heap.live.bytes",
                                          "heap.peak.blocks",     "heap.allocated.blocks"};
    switch (hasten_cursor_byte(cursor) % 3) {
    case 0: {
        static const char *const names[] = {"rss.bytes", "heap.live.bytes"};
        const char *name = names[hasten_cursor_byte(cursor) & 1];
        struct hasten_series series = {.process = take(cursor)};
        hasten_status status = hasten_builder_intern(builder, name, strlen(name), &series.name);
        return status == HASTEN_OK ? hasten_builder_series(builder, &series) : status;
    }
    case 1: {
        uint32_t series = take(cursor);
        uint64_t time_ns = hasten_cursor_varint(cursor);
        return hasten_builder_point(builder, series, time_ns, hasten_cursor_varint_signed(cursor));
    }
    default: {
        struct hasten_value value = {.node = take(cursor), .thread = take(cursor)};
        value.amount = hasten_cursor_varint_signed(cursor);
        hasten_status status = hasten_builder_metric_named(
            builder, metrics[hasten_cursor_byte(cursor) % 6], "bytes", "", &value.metric);
        return status == HASTEN_OK ? hasten_builder_value(builder, &value) : status;
    }
    }
}

/* A definition that the builder refuses is left out. */
static hasten_status take_definition(struct hasten_builder *builder, struct hasten_cursor *cursor) {
    switch (hasten_cursor_byte(cursor) % 7) {
    case 0: {
        uint32_t name = take_string(builder, cursor);
        return hasten_builder_fact(builder, name, take_string(builder, cursor));
    }
    case 1: {
        struct hasten_process process = {.pid = take(cursor), .parent_pid = take(cursor)};
        process.python_version = take(cursor);
        process.command = process.label = take_string(builder, cursor);
        process.end_ns = hasten_cursor_varint(cursor);
        return hasten_builder_process(builder, &process);
    }
    case 2: {
        struct hasten_thread thread = {.process = take(cursor), .tid = take(cursor)};
        thread.name = take_string(builder, cursor);
        thread.is_main = hasten_cursor_byte(cursor) & 1;
        thread.samples = take(cursor);
        return hasten_builder_thread(builder, &thread);
    }
    case 3: {
        struct hasten_code code = {.process = take(cursor)};
        code.file = take_string(builder, cursor);
        code.name = code.qualname = take_string(builder, cursor);
        code.first_line = (int32_t)hasten_cursor_varint_signed(cursor);
        size_t table_size = 0;
        code.linetable = hasten_cursor_blob(cursor, &table_size);
        code.linetable_size = (uint32_t)table_size;
        return hasten_builder_code(builder, &code);
    }
    case 4: {
        struct hasten_node node = {.parent = take(cursor), .code = take(cursor)};
        node.instruction = take(cursor);
        return hasten_builder_node(builder, &node);
    }
    case 6:
        return take_memory(builder, cursor);
    default: {
        static const char *const metrics[] = {"time.running_gil", "time.wait_file",
                                              "time.wait_lock",   "time.wait_sleep",
                                              "time.native",      "time.gc"};
        struct hasten_value value = {.node = take(cursor), .thread = take(cursor)};
        value.amount = hasten_cursor_varint_signed(cursor);
        hasten_status status = hasten_builder_metric_named(
            builder, metrics[hasten_cursor_byte(cursor) % 6], "ns", "", &value.metric);
        return status == HASTEN_OK ? hasten_builder_value(builder, &value) : status;
    }
    }
}

static void check(const char *text) {
    size_t size = strlen(text);
    if (hasten_utf8_valid(text, size) != size) {
        abort();
    }
    for (size_t i = 0; i < size; i++) {
        if (((unsigned char)text[i] < 0x20 && text[i] != '\n') || text[i] == 0x7f) {
            abort();
        }
    }
}

static void report(const struct hasten_profile *profile,
                   const struct hasten_report_options *options) {
    struct hasten_error error;
    char *text = NULL;
    if (hasten_report_terminal(profile, options, &text, &error) == HASTEN_OK) {
        check(text);
        hasten_report_free_text(profile, text);
    }
    text = NULL;
    if (hasten_report_json(profile, options, &text, &error) == HASTEN_OK) {
        check(text);
        hasten_report_free_text(profile, text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct hasten_cursor cursor = {.data = data, .size = size};
    struct hasten_builder builder;
    struct hasten_report_options options = {
        .sort = (enum hasten_report_sort)(hasten_cursor_byte(&cursor) % 4),
        .limit = hasten_cursor_byte(&cursor),
        .columns = hasten_cursor_byte(&cursor),
    };
    uint8_t flags = hasten_cursor_byte(&cursor);
    options.unicode = (flags & 1) != 0;
    options.memory = (flags & 2) != 0;
    if (hasten_builder_init(&builder, NULL) != HASTEN_OK) {
        return 0;
    }
    while (!cursor.failed && cursor.position < cursor.size) {
        hasten_status status = take_definition(&builder, &cursor);
        if (status == HASTEN_NO_MEMORY) {
            break;
        }
    }
    struct hasten_profile *profile = hasten_builder_take(&builder);
    hasten_builder_done(&builder);
    report(profile, &options);
    hasten_profile_free(profile);
    return 0;
}
