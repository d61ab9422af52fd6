/* SPDX-License-Identifier: MIT
 *
 * Results as JSON: docs/bench.md has the fields. */
#include <math.h>
#include <string.h>

#include "cli/bench/amounts.h"
#include "cli/bench/show.h"
#include "core/report/json_writer.h"

static void write_series(struct hasten_json *json, const char *key, const struct bench_side *side,
                         const struct bench_series *series, size_t rounds) {
    hasten_json_open(json, key, '{');
    hasten_json_string(json, "label", side->label);
    hasten_json_number(json, "median_s", series->summary.median / 1e9);
    hasten_json_interval(json, "interval_s", series->interval.low / 1e9,
                         series->interval.high / 1e9);
    hasten_json_number(json, "least_s", series->summary.least / 1e9);
    hasten_json_number(json, "mean_s", series->summary.mean / 1e9);
    hasten_json_integer(json, "blocks", (int64_t)series->summary.count);
    hasten_json_integer(json, "executions_per_block", (int64_t)series->loops);
    hasten_json_integer(json, "processes",
                        (int64_t)(side->kind == BENCH_COMMAND ? series->summary.count : rounds));
    hasten_json_integer(json, "warm_up_blocks", (int64_t)series->warm_up_blocks);
    hasten_json_integer(json, "slow_outliers", (int64_t)series->outliers);
    hasten_json_integer(json, "slow_outliers_stolen", (int64_t)series->outliers_stolen);
    hasten_json_integer(json, "slow_outliers_switched", (int64_t)series->outliers_switched);
    hasten_json_integer(json, "slow_outliers_collected", (int64_t)series->outliers_collected);
    hasten_json_integer(json, "slow_outliers_slowed", (int64_t)series->outliers_slowed);
    if (side->kind == BENCH_COMMAND) {
        hasten_json_integer(json, "peak_bytes", (int64_t)series->peak_kb * 1024);
    }
    bench_amounts_json(json, series->amounts);
    hasten_json_boolean(json, "prints", series->prints);
    if (strcmp(series->changed, "-") == 0 || series->changed[0] == '\0') {
        hasten_json_null(json, "changed");
    } else {
        hasten_json_string(json, "changed", series->changed);
    }
    hasten_json_close(json, '}');
}

static void write_comparison(struct hasten_json *json, const struct bench_result *result) {
    hasten_json_number(json, "ratio", result->ratio.ratio);
    hasten_json_interval(json, "interval", result->ratio.low, result->ratio.high);
    hasten_json_string(json, "verdict", hasten_comparison_name(result->comparison));
}

/* What each round found, in their order: whoever doubts the statistics can make their own. */
static void write_rounds(struct hasten_json *json, const struct bench_result *result) {
    hasten_json_open(json, "round_ratios", '[');
    for (size_t i = 0; i < result->rounds; i++) {
        hasten_json_number(json, NULL, exp(result->log_ratios[i]));
    }
    hasten_json_close(json, ']');
}

static void write_entry(struct hasten_json *json, const struct bench_entry *entry) {
    const struct bench_result *result = &entry->result;
    hasten_json_open(json, NULL, '{');
    hasten_json_string(json, "name", entry->sides[0].label);
    hasten_json_integer(json, "rounds", (int64_t)result->rounds);
    hasten_json_number(json, "spent_s", result->spent_s);
    write_series(json, "a", &entry->sides[0], &result->series[0], result->rounds);
    if (result->side_count == 2) {
        write_series(json, "b", &entry->sides[1], &result->series[1], result->rounds);
        write_comparison(json, result);
        hasten_json_number(json, "p", result->ratio.p);
        write_rounds(json, result);
        if (result->compared_results == 0) {
            hasten_json_null(json, "same_results");
        } else {
            hasten_json_boolean(json, "same_results", result->different_results == 0);
        }
        bench_amounts_json_compared(json, result->series[0].amounts, result->series[1].amounts);
    }
    hasten_json_close(json, '}');
}

void bench_json(struct hasten_buffer *out, struct bench_entry *const *entries, size_t count,
                const struct bench_plan *plan) {
    struct hasten_json json = {.out = out};
    hasten_json_open(&json, NULL, '{');
    hasten_json_string(&json, "hasten", HASTEN_VERSION);
    hasten_json_number(&json, "budget_s", plan->budget_s);
    hasten_json_boolean(&json, "gc", entries[0]->sides[0].leaves_gc_on);
    hasten_json_boolean(&json, "unrolled", entries[0]->sides[0].unrolls);
    if (count == 1 && entries[0]->result.side_count == 2) {
        write_comparison(&json, &entries[0]->result);
    }
    hasten_json_open(&json, "benchmarks", '[');
    for (size_t i = 0; i < count; i++) {
        write_entry(&json, entries[i]);
    }
    hasten_json_close(&json, ']');
    hasten_json_close(&json, '}');
    hasten_buffer_byte(out, '\n');
}
