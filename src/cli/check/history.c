/* SPDX-License-Identifier: MIT
 *
 * A line's picture for each benchmark, and the commits that changed it. */
#include "cli/check/history.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/check/text.h"
#include "cli/message.h"
#include "cli/python.h"
#include "cli/screen.h"
#include "core/report/json_writer.h"
#include "core/report/text.h"
#include "core/stats/changes.h"
#include "core/stats/summary.h"

/* A benchmark that did not change has a change found with this chance. */
#define ALPHA 0.01
/* Smaller ones are real now and then, and not worth a line. */
#define LEAST_CHANGE 0.01
#define LEVELS 8

/* Less memory is what an interpreter's own books take now and then. */
#define LEAST_BYTES 4096

/* The runs of one benchmark on one machine, the last HASTEN_CHANGES_VALUES; of their times, or
 * of the memory at their peaks. */
struct line {
    const struct hasten_history *history;
    size_t benchmark;
    bool is_memory;
    const struct hasten_history_point *points[HASTEN_CHANGES_VALUES];
    size_t count;
    size_t places[HASTEN_CHANGES_VALUES / HASTEN_CHANGES_PART];
    size_t starts[HASTEN_CHANGES_VALUES / HASTEN_CHANGES_PART + 1];  /* of the parts */
    double medians[HASTEN_CHANGES_VALUES / HASTEN_CHANGES_PART + 1]; /* likewise; seconds, bytes */
    size_t change_count;
};

static double value_of(const struct line *line, size_t point) {
    return line->is_memory ? fmax(line->points[point]->peak_bytes, LEAST_BYTES)
                           : line->points[point]->time_s;
}

static double median_of(const struct line *line, size_t start, size_t end) {
    double values[HASTEN_CHANGES_VALUES];
    for (size_t i = start; i < end; i++) {
        values[i - start] = value_of(line, i);
    }
    return hasten_median_in_place(values, end - start);
}

static bool is_near(const struct line *line, double median, double before) {
    bool is_small = line->is_memory && fabs(median - before) <= LEAST_BYTES;
    return is_small || fabs(log(median / before)) < LEAST_CHANGE;
}

/* Parts whose medians hardly differ are one. */
static void join_parts(struct line *line) {
    size_t kept = 0;
    for (size_t i = 0; i <= line->change_count; i++) {
        size_t end = i == line->change_count ? line->count : line->places[i];
        double median = median_of(line, i == 0 ? 0 : line->places[i - 1], end);
        if (kept == 0 || !is_near(line, median, line->medians[kept - 1])) {
            line->starts[kept++] = i == 0 ? 0 : line->places[i - 1];
        }
        line->medians[kept - 1] = median_of(line, line->starts[kept - 1], end);
    }
    for (size_t i = 1; i < kept; i++) {
        line->places[i - 1] = line->starts[i];
    }
    line->change_count = kept - 1;
}

static bool find_changes(struct line *line) {
    double values[HASTEN_CHANGES_VALUES];
    struct hasten_error error;
    for (size_t i = 0; i < line->count; i++) {
        values[i] = log(value_of(line, i));
    }
    /* The same history has the same changes, whoever looks. */
    if (hasten_find_changes(NULL, values, line->count, ALPHA, 1, line->places, &line->change_count,
                            &error) != HASTEN_OK) {
        cli_say("check: %s", cli_error_text(&error));
        return false;
    }
    join_parts(line);
    return true;
}

/* The memory of the runs of which it is known. */
static bool find_memory_changes(const struct line *times, struct line *memory) {
    *memory =
        (struct line){.history = times->history, .benchmark = times->benchmark, .is_memory = true};
    for (size_t i = 0; i < times->count; i++) {
        if (isfinite(times->points[i]->peak_bytes)) {
            memory->points[memory->count++] = times->points[i];
        }
    }
    return memory->count == 0 || find_changes(memory);
}

static bool is_of_machine(const struct hasten_history *history, size_t run, const char *machine) {
    return strcmp(hasten_history_text(history, history->runs[run].machine), machine) == 0;
}

/* Points of the benchmark on that machine, from `*next` on. */
static void take_points(struct line *line, size_t *next, const char *machine) {
    const struct hasten_history *history = line->history;
    line->count = line->change_count = 0;
    for (; *next < history->point_count && history->points[*next].benchmark == line->benchmark;
         ++*next) {
        if (!is_of_machine(history, history->points[*next].run, machine)) {
            continue;
        }
        if (line->count == HASTEN_CHANGES_VALUES) {
            memmove(line->points, line->points + 1, (line->count - 1) * sizeof *line->points);
            line->count--;
        }
        line->points[line->count++] = &history->points[*next];
    }
}

static const struct hasten_history_run *run_of(const struct line *line, size_t point) {
    return &line->history->runs[line->points[point]->run];
}

static void write_date(struct hasten_buffer *out, int64_t seconds) {
    time_t moment = (time_t)seconds;
    struct tm parts;
    char text[32] = "?";
    if (gmtime_r(&moment, &parts) != NULL) {
        strftime(text, sizeof text, "%Y-%m-%d", &parts);
    }
    hasten_buffer_text(out, text);
}

static void write_time(struct hasten_buffer *out, double time_s) {
    struct check_text text = {0};
    check_time(&text, time_s * 1e9);
    hasten_buffer_text(out, text.data);
}

static void write_median(struct hasten_buffer *out, const struct line *line, size_t part) {
    struct check_text text = {0};
    if (line->is_memory) {
        check_bytes(&text, line->medians[part]);
        hasten_buffer_text(out, text.data);
    } else {
        write_time(out, line->medians[part]);
    }
}

static void write_commit(struct hasten_buffer *out, const struct line *line, size_t point) {
    const char *commit = hasten_history_text(line->history, run_of(line, point)->commit);
    char safe[16];
    snprintf(safe, sizeof safe, "%.*s", REVISION_SHORT, commit);
    hasten_text_safe(out, safe, strlen(safe), false);
    hasten_buffer_text(out, run_of(line, point)->is_dirty ? "+" : "");
}

/* The last runs, as many as fit. */
static void write_picture(struct hasten_buffer *out, const struct line *line, size_t columns,
                          bool unicode) {
    static const char *const blocks[LEVELS] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                               "\u2585", "\u2586", "\u2587", "\u2588"};
    static const char *const ascii[LEVELS] = {".", ":", "-", "=", "+", "*", "%", "#"};
    size_t first = line->count > columns ? line->count - columns : 0;
    double low = INFINITY, high = 0;
    for (size_t i = first; i < line->count; i++) {
        low = fmin(low, line->points[i]->time_s);
        high = fmax(high, line->points[i]->time_s);
    }
    /* What differs by less than a tenth is not made to look like mountains. */
    double span = fmax(high - low, low / 10);
    for (size_t i = first; i < line->count; i++) {
        size_t level = (size_t)((line->points[i]->time_s - low) / span * (LEVELS - 1) + 0.5);
        hasten_buffer_text(out, (unicode ? blocks : ascii)[level < LEVELS ? level : LEVELS - 1]);
    }
}

static void write_change(struct hasten_buffer *out, const struct line *line, size_t change) {
    struct check_text text = {0};
    size_t place = line->places[change];
    check_change(&text, line->medians[change + 1] / line->medians[change]);
    hasten_buffer_format(out, "  %s%s with ", text.data, line->is_memory ? " memory" : "");
    write_commit(out, line, place);
    hasten_buffer_text(out, " (");
    write_date(out, run_of(line, place)->committed_s);
    hasten_buffer_text(out, "; the run before was of ");
    write_commit(out, line, place - 1);
    hasten_buffer_text(out, "): ");
    write_median(out, line, change);
    hasten_buffer_text(out, ", then ");
    write_median(out, line, change + 1);
    hasten_buffer_text(out, "\n");
}

static void show_line(struct hasten_buffer *out, const struct line *line, const struct line *memory,
                      const struct hasten_report_options *screen) {
    const char *name =
        hasten_history_text(line->history, line->history->benchmarks[line->benchmark]);
    hasten_text_safe(out, name, strlen(name), screen->unicode);
    hasten_buffer_format(out, "\n  %zu run%s, ", line->count, line->count == 1 ? "" : "s");
    write_date(out, run_of(line, 0)->committed_s);
    hasten_buffer_text(out, " to ");
    write_date(out, run_of(line, line->count - 1)->committed_s);
    hasten_buffer_text(out, "\n  ");
    write_time(out, line->points[0]->time_s);
    hasten_buffer_text(out, " ");
    size_t columns = screen->columns > 40 ? screen->columns - 24 : 16;
    write_picture(out, line, columns, screen->unicode);
    hasten_buffer_text(out, " ");
    write_time(out, line->points[line->count - 1]->time_s);
    hasten_buffer_text(out, "\n");
    for (size_t change = 0; change < line->change_count; change++) {
        write_change(out, line, change);
    }
    for (size_t change = 0; change < memory->change_count; change++) {
        write_change(out, memory, change);
    }
    if (line->change_count + memory->change_count == 0) {
        hasten_buffer_text(out, "  no change that is more than chance\n");
    }
}

static void json_changes(struct hasten_json *json, const char *key, const struct line *line) {
    hasten_json_open(json, key, '[');
    for (size_t change = 0; change < line->change_count; change++) {
        size_t place = line->places[change];
        hasten_json_open_row(json);
        hasten_json_string(json, "commit",
                           hasten_history_text(line->history, run_of(line, place)->commit));
        hasten_json_string(json, "after",
                           hasten_history_text(line->history, run_of(line, place - 1)->commit));
        hasten_json_number(json, "ratio", line->medians[change + 1] / line->medians[change]);
        hasten_json_number(json, line->is_memory ? "before_bytes" : "before_s",
                           line->medians[change]);
        hasten_json_number(json, line->is_memory ? "after_bytes" : "after_s",
                           line->medians[change + 1]);
        hasten_json_close_row(json);
    }
    hasten_json_close(json, ']');
}

static void json_line(struct hasten_json *json, const struct line *line,
                      const struct line *memory) {
    const struct hasten_history *history = line->history;
    hasten_json_open(json, NULL, '{');
    hasten_json_string(json, "name",
                       hasten_history_text(history, history->benchmarks[line->benchmark]));
    hasten_json_open(json, "runs", '[');
    for (size_t i = 0; i < line->count; i++) {
        hasten_json_open_row(json);
        hasten_json_string(json, "commit", hasten_history_text(history, run_of(line, i)->commit));
        hasten_json_integer(json, "committed", run_of(line, i)->committed_s);
        hasten_json_number(json, "time_s", line->points[i]->time_s);
        if (isfinite(line->points[i]->peak_bytes)) {
            hasten_json_number(json, "peak_bytes", line->points[i]->peak_bytes);
        } else {
            hasten_json_null(json, "peak_bytes");
        }
        hasten_json_close_row(json);
    }
    hasten_json_close(json, ']');
    json_changes(json, "changes", line);
    json_changes(json, "memory_changes", memory);
    hasten_json_close(json, '}');
}

static bool is_worse(const struct line *line) {
    size_t last = line->change_count;
    return last > 0 && line->medians[last] > line->medians[last - 1];
}

/* All benchmarks that were measured on `machine`; how many got worse last. */
static bool show_lines(struct hasten_buffer *out, const struct hasten_history *history,
                       const char *machine, const struct cli_options *options, size_t *ret_worse) {
    struct hasten_report_options screen = cli_screen(1, options);
    struct hasten_json json = {.out = out};
    struct line *line = calloc(2, sizeof *line), *memory = line + 1;
    size_t next = 0, worse = 0, shown = 0;
    bool done = line != NULL;
    if (options->json) {
        hasten_json_open(&json, NULL, '{');
        hasten_json_string(&json, "machine", machine);
        hasten_json_open(&json, "benchmarks", '[');
    }
    for (size_t i = 0; i < history->benchmark_count && done; i++) {
        line->history = history;
        line->benchmark = i;
        take_points(line, &next, machine);
        if (line->count == 0) {
            continue;
        }
        done = find_changes(line) && find_memory_changes(line, memory);
        worse += done && (is_worse(line) || is_worse(memory));
        if (done && options->json) {
            json_line(&json, line, memory);
        } else if (done) {
            hasten_buffer_text(out, shown++ == 0 ? "" : "\n");
            show_line(out, line, memory, &screen);
        }
    }
    if (options->json) {
        hasten_json_close(&json, ']');
        hasten_json_integer(&json, "worse", (int64_t)worse);
        hasten_json_close(&json, '}');
        hasten_buffer_byte(out, '\n');
    }
    free(line);
    *ret_worse = worse;
    return done;
}

static int show(const struct hasten_history *history, const struct cli_options *options) {
    struct hasten_buffer out;
    char here[256];
    size_t others = 0, worse = 0;
    /* Times of different machines are not comparable: those of this one, or, where it has
     * none, of the one that measured last. */
    check_history_machine(here, sizeof here);
    const char *machine =
        hasten_history_text(history, history->runs[history->run_count - 1].machine);
    for (size_t i = 0; i < history->run_count; i++) {
        machine = is_of_machine(history, i, here) ? here : machine;
    }
    for (size_t i = 0; i < history->run_count; i++) {
        others += !is_of_machine(history, i, machine);
    }
    hasten_buffer_init(&out, NULL);
    bool done = show_lines(&out, history, machine, options, &worse);
    if (others > 0 && !options->json) {
        hasten_buffer_format(&out, "\n%zu runs on other machines than ", others);
        hasten_text_safe(&out, machine, strlen(machine), true);
        hasten_buffer_text(&out, " are left out.\n");
    }
    done = done && !out.failed;
    if (done) {
        fwrite(out.data, 1, out.size, stdout);
    } else {
        cli_say("check: the history cannot be shown");
    }
    hasten_buffer_done(&out);
    return !done ? CLI_EXIT_USAGE : options->check.fails_if_worse && worse > 0;
}

int check_history_show(const struct cli_options *options) {
    char python[PATH_MAX], path[2 * PATH_MAX];
    struct check_settings *settings = calloc(1, sizeof *settings);
    struct hasten_history *history = NULL;
    struct hasten_error error = {0};
    int status = CLI_EXIT_USAGE;
    if (settings == NULL || !cli_python_choose(options->python, python, sizeof python)) {
        cli_say("check: no interpreter found to read pyproject.toml; --python PATH names one");
    } else if (check_settings_read(settings, python, options)) {
        check_history_path(settings, options, path, sizeof path);
        if (hasten_history_load(path, NULL, &history, &error) != HASTEN_OK) {
            cli_say("check: %s%s", cli_error_text(&error),
                    error.status == HASTEN_NOT_FOUND ? "; `hasten check --record` writes it" : "");
        } else if (history->run_count == 0) {
            cli_say("check: there are no runs in %s", path);
        } else {
            status = show(history, options);
        }
    }
    hasten_history_free(history);
    if (settings != NULL) {
        check_settings_done(settings);
    }
    free(settings);
    return status;
}
