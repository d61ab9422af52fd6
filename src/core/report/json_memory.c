/* SPDX-License-Identifier: MIT
 *
 * Memory as JSON: sums, lines, native code, threads, processes, series. */
#include "core/report/json_memory.h"

#include "core/base/allocator.h"
#include "core/report/sections_memory.h"

/* A series with more points is thinned: of each of so many runs of points the one
 * with the largest value is given. */
#define MOST_POINTS 1000

static const char *const bytes_keys[HASTEN_MEMORY_KIND_COUNT] = {
    [HASTEN_MEMORY_PEAK] = "peak_bytes",
    [HASTEN_MEMORY_ALLOCATED] = "allocated_bytes",
    [HASTEN_MEMORY_TEMPORARY] = "temporary_bytes",
    [HASTEN_MEMORY_LIVE] = "live_bytes",
};
static const char *const blocks_keys[HASTEN_MEMORY_KIND_COUNT] = {
    [HASTEN_MEMORY_PEAK] = "peak_blocks",
    [HASTEN_MEMORY_ALLOCATED] = "allocated_blocks",
    [HASTEN_MEMORY_TEMPORARY] = "temporary_blocks",
    [HASTEN_MEMORY_LIVE] = "live_blocks",
};
static const char *const native_keys[HASTEN_MEMORY_KIND_COUNT] = {
    [HASTEN_MEMORY_PEAK] = "peak_native_bytes",
    [HASTEN_MEMORY_ALLOCATED] = "allocated_native_bytes",
    [HASTEN_MEMORY_TEMPORARY] = "temporary_native_bytes",
    [HASTEN_MEMORY_LIVE] = "live_native_bytes",
};

struct writer {
    struct hasten_json *json;
    const struct hasten_memory *memory;
    const struct hasten_profile *profile;
    const struct hasten_report_options *options;
};

static int64_t bounded(uint64_t time_ns) {
    return time_ns < INT64_MAX ? (int64_t)time_ns : INT64_MAX;
}

static const char *text_of(const struct writer *writer, uint32_t string) {
    return string < writer->profile->string_count ? writer->profile->strings[string] : "";
}

static void write_amounts(struct writer *writer, const struct hasten_memory_row *row,
                          bool with_native) {
    for (size_t kind = 0; kind < HASTEN_MEMORY_KIND_COUNT; kind++) {
        hasten_json_integer(writer->json, bytes_keys[kind], row->all[kind].bytes);
        hasten_json_integer(writer->json, blocks_keys[kind], row->all[kind].blocks);
        if (with_native) {
            hasten_json_integer(writer->json, native_keys[kind], row->native[kind].bytes);
        }
    }
}

/* The relative standard error of the bytes at the peak and of those allocated. */
static void write_errors(struct writer *writer, const struct hasten_memory_row *row) {
    const struct hasten_memory_amount *all = row->all;
    hasten_json_share(writer->json, "peak_error",
                      hasten_memory_error(writer->memory, all[HASTEN_MEMORY_PEAK].bytes));
    hasten_json_share(writer->json, "allocated_error",
                      hasten_memory_error(writer->memory, all[HASTEN_MEMORY_ALLOCATED].bytes));
}

/* File, line and name; nulls for what was allocated outside Python. */
static void write_place(struct writer *writer, uint32_t line) {
    struct hasten_json *json = writer->json;
    if (line == HASTEN_NONE) {
        hasten_json_null(json, "file");
        hasten_json_null(json, "line");
        hasten_json_null(json, "name");
        return;
    }
    const struct hasten_row *row = &writer->memory->aggregate->lines[line];
    const struct hasten_function *function = &writer->profile->functions[row->function];
    hasten_json_string(json, "file", text_of(writer, function->file));
    hasten_json_integer(json, "line", row->line);
    hasten_json_string(json, "name", text_of(writer, function->qualname));
}

static void write_native_name(struct writer *writer, uint32_t function) {
    hasten_json_string(writer->json, "name", hasten_memory_native_name(writer->profile, function));
    hasten_json_string(writer->json, "library",
                       text_of(writer, writer->profile->functions[function].file));
}

static void write_groups(struct writer *writer, const char *key,
                         const struct hasten_memory_groups *groups, bool are_functions) {
    struct hasten_json *json = writer->json;
    uint32_t *order = NULL;
    size_t count = 0;
    if (hasten_memory_order(writer->memory, groups, are_functions, HASTEN_MEMORY_ANY,
                            are_functions ? NULL : writer->options->filter, &order,
                            &count) != HASTEN_OK) {
        json->out->failed = true;
        return;
    }
    hasten_json_open(json, key, '[');
    for (size_t i = 0; i < count && (writer->options->limit == 0 || i < writer->options->limit);
         i++) {
        const struct hasten_memory_group *group = &groups->items[order[i]];
        hasten_json_open_row(json);
        if (are_functions) {
            write_native_name(writer, group->key);
        } else {
            write_place(writer, group->key);
        }
        write_amounts(writer, &group->row, !are_functions);
        write_errors(writer, &group->row);
        hasten_json_close_row(json);
    }
    hasten_json_close(json, ']');
    hasten_release(writer->memory->aggregate->allocator, order, groups->count * sizeof *order);
}

static void write_threads(struct writer *writer) {
    struct hasten_json *json = writer->json;
    hasten_json_open(json, "threads", '[');
    for (size_t i = 0; i < writer->profile->thread_count; i++) {
        const struct hasten_memory_row *row = &writer->memory->threads[i];
        if (row->all[HASTEN_MEMORY_ALLOCATED].bytes > 0 || row->all[HASTEN_MEMORY_PEAK].bytes > 0 ||
            row->all[HASTEN_MEMORY_LIVE].bytes > 0) {
            hasten_json_open_row(json);
            hasten_json_integer(json, "thread", (int64_t)i);
            write_amounts(writer, row, true);
            hasten_json_close_row(json);
        }
    }
    hasten_json_close(json, ']');
}

static void write_moment(struct writer *writer, const char *bytes_key, const char *time_key,
                         const struct hasten_memory_moment *moment) {
    if (moment->is_known) {
        hasten_json_integer(writer->json, bytes_key, moment->bytes);
        hasten_json_seconds(writer->json, time_key, bounded(moment->time_ns));
    } else {
        hasten_json_null(writer->json, bytes_key);
        hasten_json_null(writer->json, time_key);
    }
}

static void write_processes(struct writer *writer) {
    struct hasten_json *json = writer->json;
    hasten_json_open(json, "processes", '[');
    for (size_t i = 0; i < writer->profile->process_count; i++) {
        const struct hasten_memory_process *process = &writer->memory->processes[i];
        hasten_json_open_row(json);
        hasten_json_integer(json, "process", (int64_t)i);
        hasten_json_integer(json, "pid", writer->profile->processes[i].pid);
        write_amounts(writer, &process->row, true);
        write_moment(writer, "heap_most_bytes", "heap_most_at_s", &process->heap);
        write_moment(writer, "resident_most_bytes", "resident_most_at_s", &process->rss);
        hasten_json_close_row(json);
    }
    hasten_json_close(json, ']');
}

static void write_points(struct writer *writer, const struct hasten_series *series) {
    struct hasten_json *json = writer->json;
    size_t runs = series->point_count < MOST_POINTS ? series->point_count : MOST_POINTS;
    hasten_json_open(json, "points", '[');
    for (size_t run = 0; run < runs; run++) {
        size_t most = series->point_count * run / runs;
        size_t end = series->point_count * (run + 1) / runs;
        for (size_t i = most + 1; i < end; i++) {
            most = series->points[i].value > series->points[most].value ? i : most;
        }
        hasten_json_open(json, NULL, '[');
        hasten_json_seconds(json, NULL, bounded(series->points[most].time_ns));
        hasten_json_integer(json, NULL, series->points[most].value);
        hasten_json_close(json, ']');
    }
    hasten_json_close(json, ']');
}

static void write_series(struct writer *writer) {
    struct hasten_json *json = writer->json;
    hasten_json_open(json, "series", '[');
    for (size_t i = 0; i < writer->profile->series_count; i++) {
        const struct hasten_series *series = &writer->profile->series[i];
        hasten_json_open_row(json);
        hasten_json_integer(json, "process", series->process);
        hasten_json_string(json, "name", text_of(writer, series->name));
        hasten_json_string(json, "unit", text_of(writer, series->unit));
        hasten_json_string(json, "description", text_of(writer, series->description));
        hasten_json_integer(json, "point_count", (int64_t)series->point_count);
        write_points(writer, series);
        hasten_json_close_row(json);
    }
    hasten_json_close(json, ']');
}

void hasten_json_memory(struct hasten_json *json, const struct hasten_page *page,
                        const struct hasten_memory *memory,
                        const struct hasten_report_options *options) {
    struct writer writer = {json, memory, memory->aggregate->profile, options};
    struct hasten_buffer verdict;
    if (!memory->has_heap && !memory->has_series) {
        hasten_json_null(json, "memory");
        return;
    }
    hasten_buffer_init(&verdict, memory->aggregate->allocator);
    hasten_memory_verdict(page, memory, &verdict);
    hasten_json_open(json, "memory", '{');
    hasten_json_string(json, "mode", memory->mode);
    if (memory->interval_bytes > 0) {
        hasten_json_integer(json, "interval_bytes", memory->interval_bytes);
    } else {
        hasten_json_null(json, "interval_bytes");
    }
    hasten_json_string(json, "verdict", verdict.size > 0 ? hasten_buffer_cstring(&verdict) : NULL);
    write_amounts(&writer, &memory->sum, true);
    write_errors(&writer, &memory->sum);
    write_groups(&writer, "own_lines", &memory->own_lines, false);
    write_groups(&writer, "lines", &memory->lines, false);
    write_groups(&writer, "native", &memory->natives, true);
    write_threads(&writer);
    write_processes(&writer);
    write_series(&writer);
    hasten_json_close(json, '}');
    json->out->failed = json->out->failed || verdict.failed;
    hasten_buffer_done(&verdict);
}
