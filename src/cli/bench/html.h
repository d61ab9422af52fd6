/* SPDX-License-Identifier: MIT
 *
 * Results as one HTML file: no scripts, nothing from elsewhere, light and dark. */
#ifndef HASTEN_CLI_BENCH_HTML_H
#define HASTEN_CLI_BENCH_HTML_H

#include "cli/bench/show.h"

/* Whether the page can be written to `path`, which exists afterwards; asked before
 * anything is measured. Only a page or an empty file is replaced. False after saying why. */
bool bench_html_prepare(const char *path);
/* Writes it. False after saying why not. */
bool bench_html_write(const char *path, struct bench_entry *const *entries, size_t count,
                      const struct bench_plan *plan);
/* Takes away what prepare made, where there is nothing to write. */
void bench_html_abandon(const char *path);

/* Text with what HTML, terminals and readers could take for something else escaped. */
void bench_html_text(struct hasten_buffer *out, const char *text);

/* picture.c: SVG elements. The times of an entry's blocks, a row a side, and the
 * intervals of ratios, all of them on one scale from `low` to `high`. */
void bench_picture_times(struct hasten_buffer *out, const struct bench_entry *entry);
void bench_picture_ratio(struct hasten_buffer *out, const struct hasten_ratio *ratio, double low,
                         double high);

#endif
