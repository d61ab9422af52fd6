/* SPDX-License-Identifier: MIT
 *
 * Medians of rounds, quartiles of sides, causes of outliers. */
#include "cli/bench/reduce.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/message.h"
#include "core/stats/turns.h"

#define MOST_IN_ROUND HASTEN_TURNS_MOST
/* Values that are resampled: more make the interval no better, only late. */
#define MOST_RESAMPLED 20000

static size_t round_size(const struct bench_series *series, size_t round) {
    size_t size = series->starts[round + 1] - series->starts[round];
    return size < MOST_IN_ROUND ? size : MOST_IN_ROUND;
}

/* Blocks at the start of a round before the process was warm. */
static size_t warm_up_of(const struct bench_series *series, size_t round) {
    double times[MOST_IN_ROUND], scratch[MOST_IN_ROUND];
    size_t size = round_size(series, round);
    for (size_t i = 0; i < size; i++) {
        times[i] = series->blocks[series->starts[round] + i].each_ns;
    }
    return hasten_warm_up(times, size, scratch);
}

double bench_reduce_round(const struct bench_series *a, const struct bench_series *b,
                          size_t round) {
    double times[2][MOST_IN_ROUND];
    bool is_clean[MOST_IN_ROUND];
    const struct bench_block *of_a = a->blocks + a->starts[round];
    const struct bench_block *of_b = b->blocks + b->starts[round];
    size_t size = round_size(a, round);
    for (size_t i = 0; i < size; i++) {
        times[0][i] = of_a[i].each_ns;
        times[1][i] = of_b[i].each_ns;
        is_clean[i] = of_a[i].switches == 0 && of_b[i].switches == 0;
    }
    return hasten_turns_log_ratio(times[0], times[1], is_clean, size);
}

/* What a block has as a rule: more of it is a cause, as much of it is none. */
struct usual {
    double switches, collections, stolen, khz;
};

/* A processor that is slower by less is not what made a block an outlier. */
#define SLOWED_SHARE 0.98

static double usual_of(const struct bench_series *series, double *scratch,
                       double (*of)(const struct bench_block *block)) {
    for (size_t i = 0; i < series->block_count; i++) {
        scratch[i] = of(&series->blocks[i]);
    }
    return hasten_median_in_place(scratch, series->block_count);
}

static double switches_of(const struct bench_block *block) {
    return block->switches;
}

static double collections_of(const struct bench_block *block) {
    return block->collections;
}

static double stolen_of(const struct bench_block *block) {
    return block->stolen_ticks;
}

static double khz_of(const struct bench_block *block) {
    return block->frequency_khz;
}

/* Counts outliers upwards by what the kernel and the collector did meanwhile. */
static void find_causes(struct bench_series *series, const struct usual *usual, size_t round,
                        size_t cold) {
    for (size_t i = series->starts[round] + cold; i < series->starts[round + 1]; i++) {
        const struct bench_block *block = &series->blocks[i];
        enum hasten_outlier outlier = hasten_outlier_class(&series->summary, block->each_ns);
        if (outlier != HASTEN_OUTLIER_HIGH && outlier != HASTEN_OUTLIER_HIGH_SEVERE) {
            continue;
        }
        series->outliers++;
        series->outliers_stolen += stolen_of(block) > usual->stolen;
        series->outliers_switched += switches_of(block) > usual->switches;
        series->outliers_collected += collections_of(block) > usual->collections;
        series->outliers_slowed +=
            block->frequency_khz > 0 && khz_of(block) < SLOWED_SHARE * usual->khz;
    }
}

/* `scratch` holds a number for each block. */
static void find_all_causes(struct bench_series *series, size_t rounds, const size_t *cold,
                            double *scratch) {
    const struct usual usual = {
        .switches = usual_of(series, scratch, switches_of),
        .collections = usual_of(series, scratch, collections_of),
        .stolen = usual_of(series, scratch, stolen_of),
        .khz = usual_of(series, scratch, khz_of),
    };
    series->outliers = series->outliers_stolen = series->outliers_slowed = 0;
    series->outliers_switched = series->outliers_collected = 0;
    for (size_t round = 0; round < rounds; round++) {
        find_causes(series, &usual, round, cold[round]);
    }
}

/* What is left of each round (of many blocks every few), one after the other; where each begins. */
static size_t gather(struct bench_series *series, size_t rounds, double *ret_values,
                     size_t *ret_starts, size_t *ret_cold) {
    size_t count = 0, step = 1 + series->block_count / MOST_RESAMPLED;
    series->warm_up_blocks = 0;
    series->peak_kb = 0;
    for (size_t round = 0; round < rounds; round++) {
        ret_starts[round] = count;
        ret_cold[round] = warm_up_of(series, round);
        series->warm_up_blocks += ret_cold[round];
        for (size_t i = series->starts[round] + ret_cold[round]; i < series->starts[round + 1];
             i += step) {
            const struct bench_block *block = &series->blocks[i];
            ret_values[count++] = block->each_ns;
            series->peak_kb = block->peak_kb > series->peak_kb ? block->peak_kb : series->peak_kb;
        }
    }
    ret_starts[rounds] = count;
    return count;
}

bool bench_reduce_series(struct bench_series *series, size_t rounds, uint64_t seed) {
    struct hasten_error error = {0};
    size_t total = series->block_count;
    double *values = malloc(2 * total * sizeof *values);
    size_t *starts = malloc((2 * rounds + 1) * sizeof *starts);
    hasten_status status = HASTEN_NO_MEMORY;
    if (values != NULL && starts != NULL) {
        size_t *cold = starts + rounds + 1;
        size_t count = gather(series, rounds, values, starts, cold);
        status = hasten_bootstrap_median(NULL, values, starts, rounds, 0.95, seed,
                                         &series->interval, &error);
        hasten_sort(values, count);
        series->summary = hasten_summarize(values, count, values + total);
        find_all_causes(series, rounds, cold, values);
    }
    if (status != HASTEN_OK) {
        cli_say("bench: %s", status == HASTEN_NO_MEMORY ? "out of memory" : cli_error_text(&error));
    }
    free(values);
    free(starts);
    return status == HASTEN_OK;
}

double bench_reduce_slack(const struct bench_series *series, size_t rounds) {
    double medians[BENCH_MOST_ROUNDS], scratch[BENCH_MOST_ROUNDS], times[MOST_IN_ROUND];
    for (size_t round = 0; round < rounds; round++) {
        size_t size = round_size(series, round);
        for (size_t i = 0; i < size; i++) {
            times[i] = series->blocks[series->starts[round] + i].each_ns;
        }
        medians[round] = log(hasten_median_in_place(times, size));
    }
    hasten_sort(medians, rounds);
    struct hasten_summary summary = hasten_summarize(medians, rounds, scratch);
    /* Two deviations of a difference of two such means. */
    return 2 * 1.4826 * summary.deviation * sqrt(2.0 / (double)rounds);
}
