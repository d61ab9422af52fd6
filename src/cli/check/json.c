/* SPDX-License-Identifier: MIT
 *
 * A check's verdicts as JSON: docs/check.md has the fields. */
#include "cli/check/judge.h"
#include "cli/check/show.h"
#include "core/report/json_writer.h"

static void write_series(struct hasten_json *json, const char *key, const struct check_entry *entry,
                         size_t side) {
    const struct bench_series *series = check_series(entry, side);
    const struct bench_amount *peak = check_peak(entry, side);
    if (series == NULL) {
        hasten_json_null(json, key);
        return;
    }
    hasten_json_open(json, key, '{');
    hasten_json_number(json, "median_s", series->summary.median / 1e9);
    hasten_json_interval(json, "interval_s", series->interval.low / 1e9,
                         series->interval.high / 1e9);
    hasten_json_number(json, "least_s", series->summary.least / 1e9);
    if (peak == NULL) {
        hasten_json_null(json, "peak_bytes");
    } else {
        hasten_json_number(json, "peak_bytes", peak->value);
    }
    hasten_json_close(json, '}');
}

static void write_ratio(struct hasten_json *json, const struct check_entry *entry) {
    const struct bench_result *result = &entry->result;
    if (!entry->is_measured || result->side_count == 1) {
        hasten_json_null(json, "ratio");
        hasten_json_null(json, "interval");
        hasten_json_null(json, "p");
        hasten_json_null(json, "same_results");
        return;
    }
    hasten_json_number(json, "ratio", result->ratio.ratio);
    hasten_json_interval(json, "interval", result->ratio.low, result->ratio.high);
    hasten_json_number(json, "p", entry->p);
    if (result->compared_results == 0) {
        hasten_json_null(json, "same_results");
    } else {
        hasten_json_boolean(json, "same_results", result->different_results == 0);
    }
}

static void write_budget(struct hasten_json *json, const struct check_entry *entry) {
    const struct check_budget *budget = &entry->budget;
    if (!check_has_budget(entry)) {
        hasten_json_null(json, "budget");
        return;
    }
    hasten_json_open(json, "budget", '{');
    if (budget->time_ns > 0) {
        hasten_json_number(json, "time_s", budget->time_ns / 1e9);
    }
    if (budget->memory_bytes > 0) {
        hasten_json_integer(json, "memory_bytes", (int64_t)budget->memory_bytes);
    }
    if (budget->complexity[0] != '\0') {
        hasten_json_string(json, "complexity", budget->complexity);
    }
    hasten_json_close(json, '}');
}

static void write_entry(struct hasten_json *json, const struct check_entry *entry) {
    hasten_json_open(json, NULL, '{');
    hasten_json_string(json, "name", entry->name);
    hasten_json_string(json, "file", entry->file->name);
    hasten_json_string(json, "verdict", check_verdict_name(entry->verdict));
    hasten_json_string(json, "reason", entry->reason);
    hasten_json_number(json, "threshold", entry->limits.threshold);
    hasten_json_number(json, "memory_threshold", entry->limits.memory_threshold);
    write_ratio(json, entry);
    write_series(json, "was", entry, CHECK_REFERENCE);
    write_series(json, "is", entry, CHECK_NOW);
    write_budget(json, entry);
    hasten_json_integer(json, "rounds", (int64_t)entry->result.rounds);
    hasten_json_number(json, "spent_s", entry->result.spent_s);
    hasten_json_close(json, '}');
}

void check_json(struct hasten_buffer *out, const struct check_list *list) {
    struct hasten_json json = {.out = out};
    hasten_json_open(&json, NULL, '{');
    hasten_json_string(&json, "hasten", HASTEN_VERSION);
    hasten_json_integer(&json, "exit_status", check_exit_status(list));
    if (list->revisions != NULL) {
        hasten_json_open(&json, "against", '{');
        hasten_json_string(&json, "revision", list->options->check.against);
        hasten_json_string(&json, "commit", list->revisions[CHECK_REFERENCE].commit);
        hasten_json_close(&json, '}');
        hasten_json_open(&json, "working_tree", '{');
        hasten_json_string(&json, "commit", list->project.head);
        hasten_json_boolean(&json, "dirty", revision_is_dirty(&list->project));
        hasten_json_close(&json, '}');
    } else {
        hasten_json_null(&json, "against");
        hasten_json_null(&json, "working_tree");
    }
    hasten_json_open(&json, "benchmarks", '[');
    for (size_t i = 0; i < list->count; i++) {
        write_entry(&json, list->entries[i]);
    }
    hasten_json_close(&json, ']');
    hasten_json_close(&json, '}');
    hasten_buffer_byte(out, '\n');
}
