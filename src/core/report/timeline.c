/* SPDX-License-Identifier: MIT
 *
 * Intervals of series, and drawing them. */
#include "core/report/timeline.h"

#include <string.h>

/* From empty to full, in parts of a character's height. */
static const char *const unicode_levels[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const ascii_levels[] = {" ", ".", ":", "#"};

/* The interval of a moment. */
static size_t interval_of(uint64_t time_ns, uint64_t end_ns, size_t count) {
    if (time_ns >= end_ns) {
        return count - 1;
    }
    size_t interval = (size_t)((double)time_ns / (double)end_ns * (double)count);
    return interval < count ? interval : count - 1;
}

static void raise_sum(int64_t *sum, int64_t amount) {
    if (__builtin_add_overflow(*sum, amount, sum)) {
        *sum = INT64_MAX;
    }
}

/* Adds one process: walks its points and the intervals side by side. */
static void add_series(const struct hasten_profile *profile, const struct hasten_series *series,
                       uint64_t end_ns, int64_t *amounts, size_t count) {
    if (series->point_count == 0) {
        return;
    }
    uint64_t last_ns = series->points[series->point_count - 1].time_ns;
    uint64_t gone_ns = profile->processes[series->process].end_ns;
    gone_ns = gone_ns > last_ns ? gone_ns : last_ns;
    size_t last_interval = interval_of(gone_ns, end_ns, count);
    size_t next = 0;  /* point */
    int64_t held = 0; /* the value at the interval's begin */
    for (size_t interval = interval_of(series->points[0].time_ns, end_ns, count);
         interval <= last_interval; interval++) {
        int64_t most = held;
        while (next < series->point_count &&
               interval_of(series->points[next].time_ns, end_ns, count) <= interval) {
            held = series->points[next].value > 0 ? series->points[next].value : 0;
            most = held > most ? held : most;
            next++;
        }
        raise_sum(&amounts[interval], most);
    }
}

void hasten_timeline_add(const struct hasten_profile *profile, const char *name, uint64_t end_ns,
                         int64_t *amounts, size_t count) {
    for (size_t i = 0; i < profile->series_count && count > 0; i++) {
        if (strcmp(profile->strings[profile->series[i].name], name) == 0) {
            add_series(profile, &profile->series[i], end_ns, amounts, count);
        }
    }
}

uint64_t hasten_timeline_end(const struct hasten_profile *profile) {
    uint64_t end_ns = 0;
    for (size_t i = 0; i < profile->process_count; i++) {
        end_ns = profile->processes[i].end_ns > end_ns ? profile->processes[i].end_ns : end_ns;
    }
    for (size_t i = 0; i < profile->series_count; i++) {
        const struct hasten_series *series = &profile->series[i];
        if (series->point_count > 0 && series->points[series->point_count - 1].time_ns > end_ns) {
            end_ns = series->points[series->point_count - 1].time_ns;
        }
    }
    return end_ns;
}

void hasten_timeline_draw(struct hasten_page *page, enum hasten_style style, const int64_t *amounts,
                          size_t count, int64_t full, size_t row, size_t height) {
    const char *const *levels = page->options->unicode ? unicode_levels : ascii_levels;
    size_t most = page->options->unicode ? sizeof unicode_levels / sizeof *unicode_levels - 1
                                         : sizeof ascii_levels / sizeof *ascii_levels - 1;
    size_t below = (height - 1 - row) * most; /* levels of the rows under this one */
    hasten_page_style(page, style);
    for (size_t i = 0; i < count; i++) {
        double share = full > 0 ? (double)amounts[i] / (double)full : 0;
        share = share > 1 ? 1 : share;
        size_t level = (size_t)(share * (double)(most * height) + 0.5);
        level = level == 0 && amounts[i] > 0 ? 1 : level;
        size_t here = level <= below ? 0 : level - below < most ? level - below : most;
        hasten_buffer_text(&page->out, levels[here]);
    }
    hasten_page_style(page, HASTEN_STYLE_PLAIN);
}
