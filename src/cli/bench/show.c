/* SPDX-License-Identifier: MIT
 *
 * What a benchmark's result means, in words and one line of a picture. */
#include "cli/bench/show.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench/amounts.h"
#include "core/report/numbers.h"
#include "core/report/text.h"

#define PICTURE_COLUMNS 40
#define LEVELS 8
/* Lines are no longer. */
#define COLUMNS 79
/* Rounds whose differences say something about those of others. */
#define LEAST_TELLING 5

static const char *const unicode_levels[LEVELS + 1] = {
    " ", "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588"};
static const char *const ascii_levels[LEVELS + 1] = {" ", ".", ":", "-", "=", "+", "*", "%", "#"};

static int by_number(const void *left, const void *right) {
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

/* How the times of blocks are spread, from the least to the 99th percentile; differences
 * err to both sides. */
static void write_picture(struct hasten_buffer *out, const struct bench_series *series,
                          bool is_difference, bool unicode) {
    size_t columns[PICTURE_COLUMNS] = {0};
    size_t highest = 1;
    double *times = malloc(series->block_count * sizeof *times);
    if (times == NULL) {
        return; /* the picture is an extra */
    }
    for (size_t i = 0; i < series->block_count; i++) {
        times[i] = series->blocks[i].each_ns;
    }
    qsort(times, series->block_count, sizeof *times, by_number);
    double low = is_difference ? hasten_quantile(times, series->block_count, 0.05) : times[0];
    double high = hasten_quantile(times, series->block_count, is_difference ? 0.95 : 0.99);
    for (size_t i = 0; i < series->block_count && times[i] <= high && high > low; i++) {
        if (times[i] < low) {
            continue;
        }
        size_t column = (size_t)((times[i] - low) / (high - low) * (PICTURE_COLUMNS - 1));
        columns[column]++;
        highest = columns[column] > highest ? columns[column] : highest;
    }
    hasten_buffer_text(out, "   ");
    hasten_number_time(out, low);
    hasten_buffer_text(out, " ");
    for (size_t column = 0; column < PICTURE_COLUMNS; column++) {
        size_t level = (columns[column] * LEVELS + highest - 1) / highest;
        hasten_buffer_text(out, (unicode ? unicode_levels : ascii_levels)[level]);
    }
    hasten_buffer_text(out, " ");
    hasten_number_time(out, high);
    hasten_buffer_text(out, "\n");
    free(times);
}

/* A sentence in lines that fit any terminal. */
static void write_wrapped(struct hasten_buffer *out, struct hasten_buffer *words,
                          const char *indent) {
    hasten_text_wrap(out, hasten_buffer_cstring(words), indent, COLUMNS);
    out->failed = out->failed || words->failed;
    hasten_buffer_done(words);
}

static void write_outliers(struct hasten_buffer *out, const struct bench_series *series) {
    struct hasten_buffer words;
    if (series->outliers == 0) {
        return;
    }
    hasten_buffer_init(&words, NULL);
    hasten_buffer_format(&words, "%zu slow outlier%s", series->outliers,
                         series->outliers == 1 ? "" : "s");
    const char *before = ": ";
    const struct {
        size_t count;
        const char *cause;
    } causes[] = {
        {series->outliers_stolen, "while the host gave the processor to others"},
        {series->outliers_switched, "interrupted by other processes"},
        {series->outliers_collected, "with more garbage collections than usual"},
        {series->outliers_slowed, "while the processor ran slower than usual"},
    };
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        if (causes[i].count > 0) {
            hasten_buffer_format(&words, "%s%zu %s", before, causes[i].count, causes[i].cause);
            before = ", ";
        }
    }
    write_wrapped(out, &words, "   ");
}

/* What was measured, and what of it was left out. */
static void write_volume(struct hasten_buffer *out, const struct bench_entry *entry,
                         const struct bench_side *side, const struct bench_series *series) {
    struct hasten_buffer words;
    hasten_buffer_init(&words, NULL);
    if (side->kind == BENCH_COMMAND) {
        hasten_buffer_format(&words, "%zu run%s", series->summary.count,
                             series->summary.count == 1 ? "" : "s");
    } else {
        hasten_buffer_format(&words, "%zu block%s of %llu in %zu process%s", series->summary.count,
                             series->summary.count == 1 ? "" : "s",
                             (unsigned long long)series->loops, entry->result.rounds,
                             entry->result.rounds == 1 ? "" : "es");
        hasten_buffer_text(&words, side->unrolls ? ", loop subtracted" : "");
        hasten_buffer_text(&words, side->leaves_gc_on ? ", gc on" : ", gc between blocks");
    }
    if (series->warm_up_blocks > 0) {
        hasten_buffer_format(&words, "; %zu of warm-up left out", series->warm_up_blocks);
    }
    write_wrapped(out, &words, "   ");
}

/* What makes the numbers mean something else than one may think. */
static void write_notes(struct hasten_buffer *out, const struct bench_side *side,
                        const struct bench_series *series) {
    if (series->prints) {
        hasten_buffer_text(out, "   it prints: that is thrown away, but its time counts\n");
    }
    if (series->changed[0] == '\0' || strcmp(series->changed, "-") == 0) {
        return;
    }
    if (side->kind == BENCH_STATEMENT) {
        hasten_buffer_format(out,
                             "   it changes %s, and later executions find it changed: a bench_ "
                             "function with a\n   setup gets it anew each time\n",
                             series->changed);
    } else {
        hasten_buffer_text(out, "   it changes its parameter, and later executions find it "
                                "changed: a setup that\n   copies it gives each its own\n");
    }
}

static void write_side(struct hasten_buffer *out, const struct bench_entry *entry, size_t index,
                       bool unicode, bool has_picture) {
    const struct bench_side *side = &entry->sides[index];
    const struct bench_series *series = &entry->result.series[index];
    hasten_buffer_text(out, entry->result.side_count == 1 ? "" : index == 0 ? "A  " : "B  ");
    hasten_text_safe(out, side->label, strlen(side->label), unicode);
    hasten_buffer_text(out, "\n   ");
    hasten_number_time(out, series->summary.median);
    hasten_buffer_text(out, " (95 %: ");
    hasten_number_time(out, series->interval.low);
    hasten_buffer_text(out, " to ");
    hasten_number_time(out, series->interval.high);
    hasten_buffer_text(out, ")");
    if (!side->unrolls) { /* the least of differences is noise */
        hasten_buffer_text(out, ", least ");
        hasten_number_time(out, series->summary.least);
    }
    hasten_buffer_text(out, "\n");
    write_volume(out, entry, side, series);
    if (has_picture) {
        write_picture(out, series, side->unrolls, unicode);
    }
    write_outliers(out, series);
    bench_amounts_text(out, series->amounts);
    write_notes(out, side, series);
}

/* Half of the interval, as a share: what was too small to be seen. */
static double half_width(const struct hasten_ratio *ratio) {
    return isinf(ratio->high) ? INFINITY : (ratio->high - ratio->low) / 2;
}

static void write_comparison(struct hasten_buffer *out, const struct bench_result *result,
                             const struct bench_plan *plan) {
    const struct hasten_ratio *ratio = &result->ratio;
    int decimals = half_width(ratio) < 0.002 ? 4 : 3;
    switch (result->comparison) {
    case HASTEN_COMPARISON_FASTER:
        hasten_buffer_format(out, "B is faster: it takes %.1f %% less time",
                             100 - 100 * ratio->ratio);
        break;
    case HASTEN_COMPARISON_SLOWER:
        hasten_buffer_format(out, "B is slower: it takes %.1f %% more time",
                             100 * ratio->ratio - 100);
        break;
    case HASTEN_COMPARISON_SAME:
        hasten_buffer_format(out, "A and B take the same time, within %.3g %%", 100 * plan->margin);
        break;
    default:
        hasten_buffer_text(out, "Unclear which is faster");
        hasten_buffer_text(out, result->is_corrected
                                    ? ": among so many comparisons this may be chance;\n"
                                      "a larger --budget has more rounds"
                                    : "");
    }
    if (isinf(ratio->high)) {
        hasten_buffer_format(out,
                             "\nratio %.*f; %zu round%s too few for an interval: a larger "
                             "--budget has more\n",
                             decimals, ratio->ratio, ratio->count,
                             ratio->count == 1 ? " is" : "s are");
    } else {
        hasten_buffer_format(out, "\nratio %.*f (95 %%: %.*f to %.*f), %zu rounds in %.1f s\n",
                             decimals, ratio->ratio, decimals, ratio->low, decimals, ratio->high,
                             ratio->count, result->spent_s);
    }
    bench_amounts_text_compared(out, result->series[0].amounts, result->series[1].amounts);
    if (result->different_results > 0) {
        hasten_buffer_format(out,
                             "A and B do not return the same: in %zu of %zu rounds the results "
                             "differed\n",
                             result->different_results, result->compared_results);
    }
}

/* What could not have been seen, and what it would take. */
static void write_stability(struct hasten_buffer *out, const struct bench_result *result,
                            const struct bench_plan *plan) {
    double blind = result->side_count == 2 ? half_width(&result->ratio) : result->slack;
    if (result->comparison == HASTEN_COMPARISON_FASTER ||
        result->comparison == HASTEN_COMPARISON_SLOWER || isinf(blind)) {
        return;
    }
    struct hasten_buffer words;
    hasten_buffer_init(&words, NULL);
    if (result->rounds < LEAST_TELLING) {
        hasten_buffer_format(&words,
                             "%zu round%s too few to say which differences could be seen; a larger "
                             "--budget has more",
                             result->rounds, result->rounds == 1 ? " is" : "s are");
    } else {
        hasten_buffer_format(&words, "differences under %.1f %% cannot be seen here in this time",
                             fmax(100 * blind, 0.1));
    }
    if (result->rounds >= LEAST_TELLING && blind > 0.002) {
        /* Errors shrink with the root of the time. */
        hasten_buffer_format(&words, "; --budget %.0fs is for half of that",
                             ceil(4 * fmin(plan->budget_s, fmax(result->spent_s, 1))));
    }
    write_wrapped(out, &words, "");
}

static void show(struct hasten_buffer *out, const struct bench_entry *entry, bool unicode,
                 bool has_picture, const struct bench_plan *plan) {
    for (size_t side = 0; side < entry->result.side_count; side++) {
        write_side(out, entry, side, unicode, has_picture);
    }
    if (entry->result.side_count == 2) {
        write_comparison(out, &entry->result, plan);
    }
    write_stability(out, &entry->result, plan);
}

void bench_show(struct hasten_buffer *out, const struct bench_entry *entry, bool unicode,
                const struct bench_plan *plan) {
    show(out, entry, unicode, true, plan);
}

void bench_show_words(struct hasten_buffer *out, const struct bench_entry *entry,
                      const struct bench_plan *plan) {
    show(out, entry, true, false, plan);
}
