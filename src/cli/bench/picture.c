/* SPDX-License-Identifier: MIT
 *
 * Pictures of results as SVG within HTML. Scales are logarithmic: half and twice as long are
 * as far from the middle, and two sides of which one takes ten times as long fit on one.
 * Colours come from the page's classes, so that they follow light and dark. */
#include <math.h>
#include <stdlib.h>

#include "cli/bench/html.h"
#include "core/report/numbers.h"

#define WIDTH 720.0
#define LEFT 24.0 /* room for the side's letter */
#define ROW 64.0
#define BINS 90
#define AXIS 26.0
#define RATIO_WIDTH 220.0
#define RATIO_HEIGHT 22.0

struct scale {
    double low, high; /* logarithms */
    double left, width;
};

static double place(const struct scale *scale, double value) {
    double share = (log(value) - scale->low) / (scale->high - scale->low);
    return scale->left + scale->width * fmin(1, fmax(0, share));
}

static int by_number(const void *left, const void *right) {
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The blocks' times in order; NULL without memory. */
static double *sorted_times(const struct bench_series *series) {
    double *times = malloc((series->block_count + 1) * sizeof *times);
    for (size_t i = 0; times != NULL && i < series->block_count; i++) {
        times[i] = fmax(series->blocks[i].each_ns, 1e-3);
    }
    if (times != NULL) {
        qsort(times, series->block_count, sizeof *times, by_number);
    }
    return times;
}

/* Bars, each as high as the share of blocks that took so long. */
static void write_bars(struct hasten_buffer *out, const struct scale *scale, const double *times,
                       size_t count, double top) {
    size_t bins[BINS] = {0};
    size_t most = 1;
    double step = scale->width / BINS;
    for (size_t i = 0; i < count; i++) {
        double share = (place(scale, times[i]) - scale->left) / scale->width;
        size_t bin = share >= 1 ? BINS : (size_t)(share * BINS);
        if (bin < BINS) { /* what is beyond is not shown */
            bins[bin]++;
            most = bins[bin] > most ? bins[bin] : most;
        }
    }
    for (size_t bin = 0; bin < BINS; bin++) {
        if (bins[bin] > 0) {
            double height = fmax(1.5, (ROW - 14) * (double)bins[bin] / (double)most);
            hasten_buffer_format(
                out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
                scale->left + step * (double)bin + 0.5, top + ROW - 4 - height, step - 1, height);
        }
    }
}

/* The median as a line, its interval as a band, over the row's bars. */
static void write_median(struct hasten_buffer *out, const struct scale *scale,
                         const struct bench_series *series, double top) {
    double low = place(scale, fmax(series->interval.low, 1e-3));
    double high = place(scale, fmax(series->interval.high, 1e-3));
    double median = place(scale, fmax(series->summary.median, 1e-3));
    hasten_buffer_format(
        out, "<rect class=\"band\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", low,
        top + 4, fmax(high - low, 1), ROW - 8);
    hasten_buffer_format(out,
                         "<line class=\"median\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
                         median, top + 2, median, top + ROW - 4);
}

/* Times below the rows: 1, 2 and 5 of each power of ten, or where that says too little,
 * the ends and the middle. */
static void write_axis(struct hasten_buffer *out, const struct scale *scale, double top) {
    double marks[64];
    size_t count = 0;
    for (double power = pow(10, floor(scale->low / log(10))); log(power) <= scale->high;
         power *= 10) {
        for (int i = 0; i < 3; i++) {
            double mark = power * (i == 0 ? 1 : i == 1 ? 2 : 5);
            if (log(mark) >= scale->low && log(mark) <= scale->high && count < 64) {
                marks[count++] = mark;
            }
        }
    }
    if (count < 2 || count > 9) {
        for (count = 0; count < 4; count++) {
            marks[count] = exp(scale->low + (scale->high - scale->low) * (double)count / 3);
        }
    }
    for (size_t i = 0; i < count; i++) {
        double x = place(scale, marks[i]);
        hasten_buffer_format(out,
                             "<line class=\"grid\" x1=\"%.1f\" y1=\"0\" x2=\"%.1f\" y2=\"%.1f\"/>"
                             "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">",
                             x, x, top, x, top + 16,
                             x > WIDTH - 40  ? "end"
                             : x < LEFT + 20 ? "start"
                                             : "middle");
        hasten_number_time(out, marks[i]);
        hasten_buffer_text(out, "</text>\n");
    }
}

/* Where the picture ends: what is far outside says nothing, and would take all of it. */
static double highest_shown(const struct bench_series *series, const double *times) {
    const struct hasten_summary *summary = &series->summary;
    double far = summary->upper_quartile + 8 * (summary->upper_quartile - summary->lower_quartile);
    return fmin(hasten_quantile(times, series->block_count, 0.985),
                fmax(far, 1.02 * summary->upper_quartile));
}

void bench_picture_times(struct hasten_buffer *out, const struct bench_entry *entry) {
    const struct bench_result *result = &entry->result;
    double *times[2] = {NULL, NULL};
    struct scale scale = {.low = INFINITY, .high = -INFINITY, .left = LEFT, .width = WIDTH - LEFT};
    for (size_t side = 0; side < result->side_count; side++) {
        const struct bench_series *series = &result->series[side];
        times[side] = sorted_times(series);
        if (times[side] == NULL) {
            goto done; /* the picture is an extra */
        }
        scale.low = fmin(scale.low, log(hasten_quantile(times[side], series->block_count, 0.005)));
        scale.high = fmax(scale.high, log(highest_shown(series, times[side])));
    }
    /* Something to see on a scale where all is the same. */
    double room = fmax(0.02 * (scale.high - scale.low), 0.005);
    scale.low -= room;
    scale.high += room;
    double height = ROW * (double)result->side_count;
    hasten_buffer_format(out,
                         "<svg class=\"times\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
                         "aria-label=\"how long blocks took\">\n",
                         WIDTH, height + AXIS);
    write_axis(out, &scale, height);
    for (size_t side = 0; side < result->side_count; side++) {
        double top = ROW * (double)side;
        hasten_buffer_format(out, "<g class=\"side%zu\">", side);
        if (result->side_count == 2) {
            hasten_buffer_format(out, "<text class=\"letter\" x=\"4\" y=\"%.1f\">%c</text>",
                                 top + ROW / 2 + 6, (char)('A' + side));
        }
        write_bars(out, &scale, times[side], result->series[side].block_count, top);
        write_median(out, &scale, &result->series[side], top);
        hasten_buffer_text(out, "</g>\n");
    }
    hasten_buffer_text(out, "</svg>\n");
done:
    free(times[0]);
    free(times[1]);
}

void bench_picture_ratio(struct hasten_buffer *out, const struct hasten_ratio *ratio, double low,
                         double high) {
    struct scale scale = {log(low), log(high), 6, RATIO_WIDTH - 12};
    double middle = RATIO_HEIGHT / 2;
    hasten_buffer_format(out,
                         "<svg class=\"ratio\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
                         "aria-label=\"interval of the ratio\">"
                         "<line class=\"one\" x1=\"%.1f\" y1=\"0\" x2=\"%.1f\" y2=\"%.0f\"/>",
                         RATIO_WIDTH, RATIO_HEIGHT, place(&scale, 1), place(&scale, 1),
                         RATIO_HEIGHT);
    if (!isinf(ratio->high)) {
        double from = place(&scale, ratio->low);
        hasten_buffer_format(out,
                             "<rect class=\"interval\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                             "height=\"6\" rx=\"3\"/>",
                             from, middle - 3, fmax(2, place(&scale, ratio->high) - from));
    }
    hasten_buffer_format(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/></svg>",
                         place(&scale, ratio->ratio), middle);
}
