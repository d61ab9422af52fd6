/* SPDX-License-Identifier: MIT
 *
 * The JSON report (docs/formats/report-json.md). */
#include <string.h>

#include "core/base/allocator.h"
#include "core/report/callgraph.h"
#include "core/report/facts.h"
#include "core/report/json_memory.h"
#include "core/report/json_writer.h"
#include "core/report/numbers.h"
#include "core/report/page.h"
#include "core/report/text.h"
#include "core/report/verdict.h"

/* Grows when a field changes its meaning or goes; new fields leave it. */
#define SCHEMA_VERSION 1

struct writer {
    struct hasten_json json;
    const struct hasten_aggregate *aggregate;
    const struct hasten_profile *profile;
    const struct hasten_report_options *options;
    const struct hasten_page *page; /* for sentences */
    const struct hasten_memory *memory;
    size_t limit; /* 0: none */
};

/* "time.wait_file" -> "wait_file": how states are called in the report. */
static const char *const state_names[HASTEN_STATE_COUNT] = {
#define STATE_NAME(name, metric, sentence) metric,
    HASTEN_STATE_MAP(STATE_NAME)
#undef STATE_NAME
};
static const char *const state_sentences[HASTEN_STATE_COUNT] = {
#define STATE_SENTENCE(name, metric, sentence) sentence,
    HASTEN_STATE_MAP(STATE_SENTENCE)
#undef STATE_SENTENCE
};

static const char *state_name(uint32_t state) {
    return state_names[state] + strlen("time.");
}

static int64_t bounded(uint64_t time_ns) {
    return time_ns < INT64_MAX ? (int64_t)time_ns : INT64_MAX;
}

static const char *text_of(const struct writer *writer, uint32_t string) {
    return string < writer->profile->string_count ? writer->profile->strings[string] : "";
}

static void write_version(struct writer *writer, const char *key, uint32_t version_hex) {
    struct hasten_buffer text;
    hasten_buffer_init(&text, writer->aggregate->allocator);
    hasten_python_version_text(&text, version_hex);
    hasten_json_string(&writer->json, key, version_hex == 0 ? NULL : hasten_buffer_cstring(&text));
    writer->json.out->failed = writer->json.out->failed || text.failed;
    hasten_buffer_done(&text);
}

static void write_facts(struct writer *writer) {
    struct hasten_json *json = &writer->json;
    const struct hasten_profile *profile = writer->profile;
    hasten_json_open(json, "facts", '{');
    for (size_t i = 0; i < profile->fact_count; i++) {
        hasten_json_string(json, text_of(writer, profile->facts[i].name),
                           text_of(writer, profile->facts[i].value));
    }
    hasten_json_close(json, '}');
}

static void write_time(struct writer *writer) {
    struct hasten_json *json = &writer->json;
    const struct hasten_time *sum = &writer->aggregate->sum;
    hasten_json_open(json, "time", '{');
    hasten_json_seconds(json, "counted_s", hasten_time_counted(sum));
    hasten_json_seconds(json, "running_s", sum->running_ns);
    hasten_json_seconds(json, "waiting_s", sum->waiting_ns);
    hasten_json_seconds(json, "idle_s", sum->idle_ns);
    hasten_json_seconds(json, "native_s", sum->native_ns);
    hasten_json_seconds(json, "gc_s", sum->gc_ns);
    hasten_json_seconds(json, "outside_s", hasten_time_counted(&writer->aggregate->outside));
    if (writer->aggregate->is_traced) {
        hasten_json_seconds(json, "traced_s", sum->traced_ns);
        hasten_json_integer(json, "calls", writer->aggregate->calls);
        hasten_json_integer(json, "primitive_calls", writer->aggregate->primitive_calls);
    }
    hasten_json_close(json, '}');
}

static void write_processes(struct writer *writer) {
    struct hasten_json *json = &writer->json;
    const struct hasten_profile *profile = writer->profile;
    hasten_json_open(json, "processes", '[');
    for (size_t i = 0; i < profile->process_count; i++) {
        const struct hasten_process *process = &profile->processes[i];
        hasten_json_open_row(json);
        hasten_json_integer(json, "pid", process->pid);
        hasten_json_integer(json, "parent_pid", process->parent_pid);
        hasten_json_string(json, "label", text_of(writer, process->label));
        write_version(writer, "python", process->python_version);
        hasten_json_string(json, "executable", text_of(writer, process->executable));
        hasten_json_string(json, "command", text_of(writer, process->command));
        hasten_json_seconds(json, "start_s", bounded(process->start_ns));
        hasten_json_seconds(json, "end_s", bounded(process->end_ns));
        hasten_json_seconds(json, "running_s", writer->aggregate->processes[i].running_ns);
        hasten_json_seconds(json, "waiting_s", writer->aggregate->processes[i].waiting_ns);
        hasten_json_close_row(json);
    }
    hasten_json_close(json, ']');
}

static void write_threads(struct writer *writer) {
    struct hasten_json *json = &writer->json;
    const struct hasten_profile *profile = writer->profile;
    hasten_json_open(json, "threads", '[');
    for (size_t i = 0; i < profile->thread_count; i++) {
        const struct hasten_thread *thread = &profile->threads[i];
        const struct hasten_thread_row *row = &writer->aggregate->threads[i];
        hasten_json_open_row(json);
        hasten_json_integer(json, "process", thread->process);
        hasten_json_integer(json, "pid", profile->processes[thread->process].pid);
        hasten_json_integer(json, "tid", thread->tid);
        hasten_json_string(json, "name", text_of(writer, thread->name));
        hasten_json_boolean(json, "is_main", thread->is_main != 0);
        hasten_json_boolean(json, "waiting_counts", row->is_main);
        hasten_json_integer(json, "samples", (int64_t)thread->samples);
        hasten_json_seconds(json, "start_s", bounded(thread->start_ns));
        hasten_json_seconds(json, "end_s", bounded(thread->end_ns));
        hasten_json_seconds(json, "running_s", row->running_ns);
        hasten_json_seconds(json, "waiting_s", row->waiting_ns);
        if (writer->aggregate->is_traced) {
            hasten_json_seconds(json, "traced_s", row->traced_ns);
            hasten_json_integer(json, "calls", row->calls);
        }
        hasten_json_open(json, "states", '{');
        for (uint32_t state = 0; state < HASTEN_STATE_COUNT; state++) {
            if (row->state_ns[state] > 0) {
                hasten_json_seconds(json, state_name(state), row->state_ns[state]);
            }
        }
        hasten_json_close(json, '}');
        hasten_json_close_row(json);
    }
    hasten_json_close(json, ']');
}

static void write_place(struct writer *writer, const char *key, uint32_t line) {
    struct hasten_json *json = &writer->json;
    if (line == HASTEN_NONE) {
        hasten_json_null(json, key);
        return;
    }
    const struct hasten_row *row = &writer->aggregate->lines[line];
    const struct hasten_function *function = &writer->profile->functions[row->function];
    hasten_json_open(json, key, '{');
    hasten_json_string(json, "file", text_of(writer, function->file));
    hasten_json_integer(json, "line", row->line);
    hasten_json_string(json, "name", text_of(writer, function->qualname));
    hasten_json_close(json, '}');
}

static void write_waiting(struct writer *writer) {
    struct hasten_json *json = &writer->json;
    int64_t whole = hasten_time_counted(&writer->aggregate->sum);
    hasten_json_open(json, "waiting", '[');
    for (uint32_t state = 0; state < HASTEN_STATE_COUNT; state++) {
        const struct hasten_waiting_row *row = &writer->aggregate->waiting[state];
        if (hasten_state_is_running((enum hasten_state)state) ||
            row->main_ns + row->other_ns == 0) {
            continue;
        }
        hasten_json_open_row(json);
        hasten_json_string(json, "kind", state_name(state) + strlen("wait_"));
        hasten_json_string(json, "description", state_sentences[state]);
        hasten_json_seconds(json, "main_s", row->main_ns);
        hasten_json_seconds(json, "others_s", row->other_ns);
        hasten_json_share(json, "share", hasten_share(row->main_ns, whole));
        bool is_main = row->main_line != HASTEN_NONE;
        uint32_t line = is_main ? row->main_line : row->other_line;
        write_place(writer, "place", line);
        write_place(writer, "reached_from",
                    hasten_aggregate_caller(writer->aggregate, line, 1u << state,
                                            is_main ? HASTEN_WHO_MAIN : HASTEN_WHO_OTHERS));
        hasten_json_close_row(json);
    }
    hasten_json_close(json, ']');
}

static void write_row(struct writer *writer, const struct hasten_row *row) {
    struct hasten_json *json = &writer->json;
    const struct hasten_function *function = &writer->profile->functions[row->function];
    int64_t whole = hasten_time_counted(&writer->aggregate->sum);
    int64_t self = hasten_time_counted(&row->self);
    int64_t total = hasten_time_counted(&row->total);
    hasten_json_open_row(json);
    hasten_json_string(json, "file", text_of(writer, function->file));
    hasten_json_integer(json, "line", row->line);
    hasten_json_string(json, "name", text_of(writer, function->qualname));
    hasten_json_seconds(json, "self_s", self);
    hasten_json_seconds(json, "total_s", total);
    hasten_json_share(json, "self_share", hasten_share(self, whole));
    hasten_json_share(json, "total_share", hasten_share(total, whole));
    hasten_json_seconds(json, "self_running_s", row->self.running_ns);
    hasten_json_seconds(json, "self_waiting_s", row->self.waiting_ns);
    hasten_json_seconds(json, "self_native_s", row->self.native_ns);
    hasten_json_seconds(json, "self_idle_s", row->self.idle_ns);
    hasten_json_seconds(json, "total_running_s", row->total.running_ns);
    hasten_json_seconds(json, "total_waiting_s", row->total.waiting_ns);
    hasten_json_seconds(json, "total_idle_s", row->total.idle_ns);
    hasten_json_seconds(json, "total_gc_s", row->total.gc_ns);
    if (writer->aggregate->is_traced) {
        hasten_json_integer(json, "calls", row->calls);
        hasten_json_integer(json, "primitive_calls", row->primitive_calls);
    }
    hasten_json_close_row(json);
}

static void write_rows(struct writer *writer, const char *key, const struct hasten_row *rows,
                       const uint32_t *order, size_t count) {
    hasten_json_open(&writer->json, key, '[');
    for (size_t i = 0; i < count && (writer->limit == 0 || i < writer->limit); i++) {
        write_row(writer, &rows[order[i]]);
    }
    hasten_json_close(&writer->json, ']');
}

static void write_end(struct writer *writer, const char *key, uint32_t function_index) {
    struct hasten_json *json = &writer->json;
    const struct hasten_function *function = &writer->profile->functions[function_index];
    hasten_json_open(json, key, '{');
    hasten_json_string(json, "file", text_of(writer, function->file));
    hasten_json_integer(json, "line", function->first_line);
    hasten_json_string(json, "name", text_of(writer, function->qualname));
    hasten_json_close(json, '}');
}

/* The edges of which one end has `name` in its name. */
static void write_edges(struct writer *writer, const struct hasten_callgraph *graph,
                        const char *key, const char *name, bool by_callee) {
    struct hasten_json *json = &writer->json;
    hasten_json_open(json, key, '[');
    for (size_t i = 0; i < graph->edge_count; i++) {
        const struct hasten_call_edge *edge = &graph->edges[i];
        uint32_t end = by_callee ? edge->callee : edge->caller;
        if (strstr(text_of(writer, writer->profile->functions[end].qualname), name) == NULL) {
            continue;
        }
        hasten_json_open_row(json);
        write_end(writer, "caller", edge->caller);
        write_end(writer, "callee", edge->callee);
        if (writer->aggregate->is_traced) {
            hasten_json_integer(json, "calls", edge->sums.calls);
            hasten_json_integer(json, "primitive_calls", edge->sums.primitive_calls);
        }
        hasten_json_seconds(json, "self_s", edge->sums.self_ns);
        hasten_json_seconds(json, "total_s", edge->sums.total_ns);
        hasten_json_close_row(json);
    }
    hasten_json_close(json, ']');
}

static void write_asked_edges(struct writer *writer) {
    const struct hasten_report_options *options = writer->options;
    struct hasten_callgraph graph;
    if (options->callers == NULL && options->callees == NULL) {
        return;
    }
    if (hasten_callgraph_init(&graph, writer->aggregate, NULL, 0) != HASTEN_OK) {
        writer->json.out->failed = true;
        return;
    }
    if (options->callers != NULL) {
        write_edges(writer, &graph, "callers", options->callers, true);
    }
    if (options->callees != NULL) {
        write_edges(writer, &graph, "callees", options->callees, false);
    }
    hasten_callgraph_done(&graph);
}

static void write_head(struct writer *writer, const struct hasten_facts *facts,
                       const char *verdict) {
    struct hasten_json *json = &writer->json;
    hasten_json_integer(json, "version", SCHEMA_VERSION);
    hasten_json_string(json, "hasten", facts->tool_version);
    hasten_json_string(json, "command", facts->command);
    write_version(writer, "python", facts->python_version);
    hasten_json_string(json, "mode", facts->mode);
    hasten_json_string(json, "exit_status", facts->exit_status);
    hasten_json_boolean(json, "complete", !facts->incomplete);
    hasten_json_seconds(json, "interval_s", (int64_t)facts->interval_ns);
    hasten_json_seconds(json, "duration_s", (int64_t)facts->duration_ns);
    hasten_json_integer(json, "samples", (int64_t)facts->samples);
    hasten_json_integer(json, "failed", (int64_t)facts->failed);
    hasten_json_integer(json, "retried", (int64_t)facts->retried);
    hasten_json_integer(json, "slots", (int64_t)facts->slots);
    hasten_json_integer(json, "missed_slots", (int64_t)facts->missed_slots);
    hasten_json_seconds(json, "sampler_cpu_s", (int64_t)facts->sampler_cpu_ns);
    hasten_json_share(json, "sampler_cpu_share",
                      hasten_share((int64_t)facts->sampler_cpu_ns, (int64_t)facts->duration_ns));
    hasten_json_seconds(json, "cpu_s", (int64_t)facts->target_cpu_ns);
    hasten_json_string(json, "verdict", verdict);
}

static void write_report(struct writer *writer, const struct hasten_facts *facts,
                         const char *verdict) {
    const struct hasten_aggregate *aggregate = writer->aggregate;
    struct hasten_json *json = &writer->json;
    hasten_json_open(json, NULL, '{');
    write_head(writer, facts, verdict);
    write_time(writer);
    write_processes(writer);
    write_threads(writer);
    write_waiting(writer);
    write_rows(writer, "functions", aggregate->functions, aggregate->function_order,
               aggregate->function_order_count);
    write_rows(writer, "lines", aggregate->lines, aggregate->line_order,
               aggregate->line_order_count);
    write_asked_edges(writer);
    hasten_json_memory(json, writer->page, writer->memory, writer->options);
    write_facts(writer);
    hasten_json_close(json, '}');
    hasten_buffer_byte(json->out, '\n');
}

hasten_status hasten_report_json(const struct hasten_profile *profile,
                                 const struct hasten_report_options *options, char **ret_text,
                                 struct hasten_error *error) {
    struct hasten_aggregate *aggregate = NULL;
    hasten_status status =
        hasten_aggregate_new(profile, options, profile->allocator, &aggregate, error);
    if (status != HASTEN_OK) {
        return status;
    }
    struct hasten_memory memory;
    status = hasten_memory_init(&memory, aggregate);
    if (status != HASTEN_OK) {
        hasten_aggregate_free(aggregate);
        return hasten_error_set(error, status, -1, "no memory for the report");
    }
    static const struct hasten_report_options plain = {.unicode = true};
    struct hasten_facts facts = hasten_facts_of(profile);
    struct hasten_page page = {
        .aggregate = aggregate, .options = &plain, .directory = facts.directory};
    struct hasten_buffer out, verdict;
    hasten_buffer_init(&out, profile->allocator);
    hasten_buffer_init(&verdict, profile->allocator);
    if (!aggregate->is_traced) {
        hasten_verdict(&page, &verdict);
    }
    struct writer writer = {.json = {.out = &out},
                            .aggregate = aggregate,
                            .profile = profile,
                            .options = options == NULL ? &plain : options,
                            .page = &page,
                            .memory = &memory,
                            .limit = options == NULL ? 0 : options->limit};
    write_report(&writer, &facts, aggregate->is_traced ? NULL : hasten_buffer_cstring(&verdict));
    out.failed = out.failed || verdict.failed;
    status = hasten_text_take(&out, ret_text, error);
    hasten_buffer_done(&verdict);
    hasten_buffer_done(&out);
    hasten_memory_done(&memory);
    hasten_aggregate_free(aggregate);
    return status;
}
