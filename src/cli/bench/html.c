/* SPDX-License-Identifier: MIT
 *
 * The page of results: a table of all, then each with its picture. */
#include "cli/bench/html.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/bench/amounts.h"
#include "cli/message.h"
#include "core/report/numbers.h"
#include "core/report/text.h"

/* What a page begins with, by which one is known again. */
#define START "<!doctype html>\n"

/* page.css, made into C by tools/embed.py. */
extern const char bench_page_style[];

bool bench_html_prepare(const char *path) {
    struct stat info;
    char start[sizeof START] = "";
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
    if (file < 0) {
        cli_say("bench: cannot write %s: %s; --html names another file", path, strerror(errno));
        return false;
    }
    bool may_replace = fstat(file, &info) == 0 && S_ISREG(info.st_mode) &&
                       (info.st_size == 0 ||
                        (pread(file, start, sizeof START - 1, 0) > 0 && strcmp(start, START) == 0));
    close(file);
    if (!may_replace) {
        cli_say("bench: will not overwrite %s, which is not such a page; --html names another file",
                path);
    }
    return may_replace;
}

void bench_html_abandon(const char *path) {
    struct stat info;
    if (stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size == 0) {
        (void)unlink(path);
    }
}

void bench_html_text(struct hasten_buffer *out, const char *text) {
    struct hasten_buffer safe;
    hasten_buffer_init(&safe, NULL);
    hasten_text_safe(&safe, text, strlen(text), true);
    const char *characters = hasten_buffer_cstring(&safe);
    for (const char *c = characters; *c != '\0'; c++) {
        switch (*c) {
        case '&':
            hasten_buffer_text(out, "&amp;");
            break;
        case '<':
            hasten_buffer_text(out, "&lt;");
            break;
        case '>':
            hasten_buffer_text(out, "&gt;");
            break;
        case '"':
            hasten_buffer_text(out, "&quot;");
            break;
        default:
            hasten_buffer_byte(out, (uint8_t)*c);
        }
    }
    out->failed = out->failed || safe.failed;
    hasten_buffer_done(&safe);
}

static void write_head(struct hasten_buffer *out, size_t count, const struct bench_plan *plan) {
    char when[64] = "";
    time_t now = time(NULL);
    struct tm parts;
    if (localtime_r(&now, &parts) != NULL) {
        (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M", &parts);
    }
    hasten_buffer_format(out,
                         START "<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                               "<meta name=\"viewport\" content=\"width=device-width\">\n"
                               "<title>hasten bench</title>\n<style>\n%s</style></head><body>\n"
                               "<header><h1>hasten bench</h1><p>%zu benchmark%s, at most %g s "
                               "each, measured until %s by hasten %s</p></header>\n",
                         bench_page_style, count, count == 1 ? "" : "s", plan->budget_s, when,
                         HASTEN_VERSION);
}

static void write_ratio(struct hasten_buffer *out, const struct hasten_ratio *ratio) {
    hasten_buffer_format(out, "%.3f", ratio->ratio);
    if (!isinf(ratio->high)) {
        hasten_buffer_format(out, " <small>%.3f to %.3f</small>", ratio->low, ratio->high);
    }
}

/* The widest of the intervals, 1 always on it. */
static void find_range(struct bench_entry *const *entries, size_t count, double *ret_low,
                       double *ret_high) {
    *ret_low = 0.98;
    *ret_high = 1.02;
    for (size_t i = 0; i < count; i++) {
        const struct hasten_ratio *ratio = &entries[i]->result.ratio;
        bool has_interval = !isinf(ratio->high);
        *ret_low = fmin(*ret_low, has_interval ? ratio->low : ratio->ratio);
        *ret_high = fmax(*ret_high, has_interval ? ratio->high : ratio->ratio);
    }
    *ret_low = fmax(*ret_low, 1e-6);
}

static void write_name(struct hasten_buffer *out, const struct bench_entry *entry, size_t index) {
    hasten_buffer_format(out, "<td><a href=\"#b%zu\"><code>", index);
    bench_html_text(out, entry->sides[0].label);
    hasten_buffer_text(out, "</code></a>");
    if (entry->result.side_count == 2 &&
        strcmp(entry->sides[0].label, entry->sides[1].label) != 0) {
        hasten_buffer_text(out, "<br><small>against</small> <code>");
        bench_html_text(out, entry->sides[1].label);
        hasten_buffer_text(out, "</code>");
    }
    hasten_buffer_text(out, "</td>");
}

static void write_time_cell(struct hasten_buffer *out, const struct bench_series *series) {
    hasten_buffer_text(out, "<td class=\"number\">");
    hasten_number_time(out, series->summary.median);
    hasten_buffer_text(out, "</td>");
}

static void write_memory_cell(struct hasten_buffer *out, const struct bench_series *series) {
    const struct bench_amount *peak = &series->amounts[BENCH_PEAK_BYTES];
    hasten_buffer_text(out, "<td class=\"number\">");
    if (peak->is_known) {
        bench_amount_text(out, BENCH_PEAK_BYTES, peak->value);
    }
    hasten_buffer_text(out, "</td>");
}

static void write_table(struct hasten_buffer *out, struct bench_entry *const *entries,
                        size_t count) {
    bool compares = entries[0]->result.side_count == 2;
    double low, high;
    find_range(entries, count, &low, &high);
    hasten_buffer_text(out, "<table><thead><tr><th>benchmark</th>");
    hasten_buffer_text(out, compares ? "<th class=\"number\">A</th><th class=\"number\">B</th>"
                                       "<th class=\"number\">B / A</th><th></th><th>B is</th>"
                                       "<th class=\"number\">peak memory, A</th>"
                                       "<th class=\"number\">B</th>"
                                     : "<th class=\"number\">median</th>"
                                       "<th class=\"number\">peak memory</th>");
    hasten_buffer_text(out, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < count; i++) {
        const struct bench_result *result = &entries[i]->result;
        const char *verdict = hasten_comparison_name(result->comparison);
        hasten_buffer_format(out, "<tr class=\"%s\">", compares ? verdict : "");
        write_name(out, entries[i], i);
        write_time_cell(out, &result->series[0]);
        if (compares) {
            write_time_cell(out, &result->series[1]);
            hasten_buffer_text(out, "<td class=\"number\">");
            write_ratio(out, &result->ratio);
            hasten_buffer_text(out, "</td><td>");
            bench_picture_ratio(out, &result->ratio, low, high);
            hasten_buffer_format(out, "</td><td class=\"verdict\">%s</td>", verdict);
        }
        write_memory_cell(out, &result->series[0]);
        if (compares) {
            write_memory_cell(out, &result->series[1]);
        }
        hasten_buffer_text(out, "</tr>\n");
    }
    hasten_buffer_text(out, "</tbody></table>\n");
}

/* The picture, and below it what the terminal shows. */
static void write_entry(struct hasten_buffer *out, const struct bench_entry *entry, size_t index,
                        const struct bench_plan *plan) {
    struct hasten_buffer words;
    hasten_buffer_format(out, "<section id=\"b%zu\"><h2><code>", index);
    bench_html_text(out, entry->sides[0].label);
    hasten_buffer_text(out, "</code></h2>\n");
    bench_picture_times(out, entry);
    hasten_buffer_init(&words, NULL);
    bench_show_words(&words, entry, plan);
    hasten_buffer_text(out, "<pre>");
    const char *line = hasten_buffer_cstring(&words);
    while (*line != '\0') {
        char part[1024];
        size_t size = strcspn(line, "\n");
        snprintf(part, sizeof part, "%.*s", (int)size, line);
        bench_html_text(out, part);
        hasten_buffer_text(out, "\n");
        line += size + (line[size] == '\n');
    }
    hasten_buffer_text(out, "</pre></section>\n");
    out->failed = out->failed || words.failed;
    hasten_buffer_done(&words);
}

bool bench_html_write(const char *path, struct bench_entry *const *entries, size_t count,
                      const struct bench_plan *plan) {
    struct hasten_buffer out;
    hasten_buffer_init(&out, NULL);
    write_head(&out, count, plan);
    write_table(&out, entries, count);
    for (size_t i = 0; i < count; i++) {
        write_entry(&out, entries[i], i, plan);
    }
    hasten_buffer_text(
        &out, "<footer><p>Bars: how many blocks of executions took so long, on a logarithmic "
              "scale; what took far longer is not shown. Line and band: the median and its 95 % "
              "interval. The ratio comes from "
              "pairs of blocks that were measured in turns, not from these two medians.</p>"
              "</footer></body></html>\n");
    FILE *file = out.failed ? NULL : fopen(path, "we");
    bool is_written = file != NULL && fwrite(out.data, 1, out.size, file) == out.size;
    int reason = out.failed ? ENOMEM : errno;
    if (file != NULL && fclose(file) != 0) {
        is_written = false;
        reason = errno;
    }
    if (!is_written) {
        cli_say("bench: cannot write %s: %s", path, strerror(reason));
    }
    hasten_buffer_done(&out);
    return is_written;
}
