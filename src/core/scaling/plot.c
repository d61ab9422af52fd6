/* SPDX-License-Identifier: MIT
 *
 * Dots of braille, eight a character, for the curve; measured values are circles. */
#include <math.h>
#include <stdio.h>

#include "core/scaling/words.h"

#define ROWS 10
#define MOST_COLUMNS 64
#define LEAST_COLUMNS 16
/* Of the values' names, right-aligned, and the axis. */
#define LABEL_COLUMNS 10

struct canvas {
    unsigned columns;
    double first, last; /* logarithms of sizes */
    double low, high;   /* of values */
    unsigned char dots[ROWS][MOST_COLUMNS];
    bool is_point[ROWS][MOST_COLUMNS];
};

/* The bit of a dot in a braille character, by its row and column there. */
static const unsigned char dot_bits[4][2] = {
    {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};

static double value_of(const struct hasten_scaling_row *row, bool of_memory) {
    return of_memory ? fmax(row->memory_bytes, 1) : row->time_ns;
}

/* Rows of dots from the top; below 0 or beyond where it is outside. */
static double dot_row(const struct canvas *canvas, double value) {
    double share = (log(value) - canvas->low) / (canvas->high - canvas->low);
    return (1 - share) * (4 * ROWS - 1);
}

static void draw_curve(struct canvas *canvas, const struct hasten_verdict *verdict) {
    const struct hasten_fit *fit = &verdict->fits[verdict->growth];
    unsigned dots = 2 * canvas->columns;
    for (unsigned x = 0; x < dots && fit->exists; x++) {
        double share = (double)x / (dots - 1);
        double size = exp(canvas->first + share * (canvas->last - canvas->first));
        double value = hasten_fit_value(fit, verdict->growth, size);
        double y = value > 0 ? round(dot_row(canvas, value)) : -1;
        if (y >= 0 && y < 4 * ROWS) {
            unsigned row = (unsigned)y;
            canvas->dots[row / 4][x / 2] |= dot_bits[row % 4][x % 2];
        }
    }
}

static void draw_points(struct canvas *canvas, const struct hasten_scaling_result *result,
                        bool of_memory) {
    for (size_t i = 0; i < result->row_count; i++) {
        const struct hasten_scaling_row *row = &result->rows[i];
        if (of_memory && !row->has_memory) {
            continue;
        }
        double share = (log((double)row->size) - canvas->first) / (canvas->last - canvas->first);
        unsigned x = (unsigned)(share * (canvas->columns - 1) + 0.5);
        double y = round(dot_row(canvas, value_of(row, of_memory)));
        if (y >= 0 && y < 4 * ROWS && x < canvas->columns) {
            canvas->is_point[(unsigned)y / 4][x] = true;
        }
    }
}

/* False where there is no picture to make: one size, or nothing known. */
static bool prepare(struct canvas *canvas, const struct hasten_scaling_result *result,
                    bool of_memory, unsigned columns) {
    unsigned room = columns > LABEL_COLUMNS + 12 ? columns - LABEL_COLUMNS - 12 : 0;
    *canvas = (struct canvas){
        .columns = room < MOST_COLUMNS ? room : MOST_COLUMNS, .low = INFINITY, .high = -INFINITY};
    size_t known = 0;
    for (size_t i = 0; i < result->row_count; i++) {
        const struct hasten_scaling_row *row = &result->rows[i];
        if (of_memory && !row->has_memory) {
            continue;
        }
        double size = log((double)row->size), value = log(value_of(row, of_memory));
        canvas->first = known == 0 ? size : canvas->first;
        canvas->last = size;
        canvas->low = fmin(canvas->low, value);
        canvas->high = fmax(canvas->high, value);
        known++;
    }
    /* What is constant is a line in the middle, not its noise from top to bottom. */
    double middle = (canvas->low + canvas->high) / 2;
    canvas->low = fmin(canvas->low, middle - 0.5);
    canvas->high = fmax(canvas->high, middle + 0.5);
    return known >= 2 && canvas->columns >= LEAST_COLUMNS;
}

static void write_label(struct hasten_buffer *out, double value, bool is_bytes) {
    struct hasten_buffer text;
    hasten_buffer_init(&text, out->allocator);
    hasten_scaling_amount(&text, value, is_bytes);
    hasten_buffer_format(out, "%*s", LABEL_COLUMNS, hasten_buffer_cstring(&text));
    out->failed = out->failed || text.failed;
    hasten_buffer_done(&text);
}

static void write_cell(struct hasten_buffer *out, const struct canvas *canvas, unsigned row,
                       unsigned column, bool unicode) {
    unsigned dots = canvas->dots[row][column];
    if (canvas->is_point[row][column]) {
        hasten_buffer_text(out, unicode ? "\u25cf" : "o");
    } else if (dots == 0 || !unicode) {
        hasten_buffer_text(out, dots == 0 ? " " : ".");
    } else {
        /* U+2800 and the dots. */
        const unsigned char text[3] = {0xe2, (unsigned char)(0xa0 | dots >> 6),
                                       (unsigned char)(0x80 | (dots & 0x3f))};
        hasten_buffer_append(out, text, sizeof text);
    }
}

void hasten_scaling_plot(struct hasten_buffer *out, const struct hasten_scaling_result *result,
                         bool of_memory, unsigned columns, bool unicode) {
    struct canvas canvas;
    if (!prepare(&canvas, result, of_memory, columns)) {
        return;
    }
    const struct hasten_verdict *verdict = of_memory ? &result->memory : &result->time;
    draw_curve(&canvas, verdict);
    draw_points(&canvas, result, of_memory);
    for (unsigned row = 0; row < ROWS; row++) {
        hasten_buffer_text(out, "  ");
        if (row == 0 || row == ROWS - 1) {
            write_label(out, exp(row == 0 ? canvas.high : canvas.low), of_memory);
        } else {
            hasten_buffer_format(out, "%*s", LABEL_COLUMNS, "");
        }
        hasten_buffer_text(out, unicode ? " \u2502" : " |");
        unsigned end = canvas.columns;
        while (end > 0 && !canvas.is_point[row][end - 1] && canvas.dots[row][end - 1] == 0) {
            end--;
        }
        for (unsigned column = 0; column < end; column++) {
            write_cell(out, &canvas, row, column, unicode);
        }
        hasten_buffer_text(out, "\n");
    }
    char first[32], last[32];
    int first_size = snprintf(first, sizeof first, "n = %.0f", exp(canvas.first));
    int last_size = snprintf(last, sizeof last, "%.0f", exp(canvas.last));
    int gap = (int)canvas.columns - first_size - last_size;
    hasten_buffer_format(out, "%*s%s%*s%s\n", LABEL_COLUMNS + 4, "", first, gap < 1 ? 1 : gap, "",
                         last);
}
