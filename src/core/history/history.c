/* SPDX-License-Identifier: MIT
 *
 * Reads lines by SQLite's JSON functions: there is no other reader of JSON here, and
 * that one has seen more than any of our own would. */
#include "core/history/history.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Nobody's history is larger. */
#define MOST_BYTES (256u << 20)
/* Seconds since the epoch that a time stamp may be: the year 9999. */
#define MOST_SECONDS INT64_C(253402300800)

static const char run_query[] =
    "select json_extract(?1, '$.hasten_history'), json_extract(?1, '$.commit'),"
    " json_extract(?1, '$.machine'), json_extract(?1, '$.python'),"
    " json_extract(?1, '$.committed'), json_extract(?1, '$.measured'),"
    " json_extract(?1, '$.dirty') where json_valid(?1)";
static const char point_query[] =
    "select key, json_extract(value, '$.time_s'), json_extract(value, '$.peak_bytes')"
    " from json_each(?1, '$.benchmarks') where type = 'object'";

struct reader {
    struct hasten_history *history;
    sqlite3 *database;
    sqlite3_stmt *run, *points;
    int64_t offset; /* of the line */
    struct hasten_error *error;
};

static hasten_status no_memory(struct hasten_error *error) {
    return hasten_error_set(error, HASTEN_NO_MEMORY, -1, "out of memory");
}

static hasten_status corrupt(const struct reader *reader, const char *what) {
    return hasten_error_set(reader->error, HASTEN_CORRUPT, reader->offset,
                            "the line at byte %lld is not of a history: %s",
                            (long long)reader->offset, what);
}

/* The column's text into the history's; "" where there is none. */
static size_t keep_text(struct hasten_history *history, sqlite3_stmt *row, int column) {
    size_t start = history->texts.size;
    const char *text = (const char *)sqlite3_column_text(row, column);
    hasten_buffer_text(&history->texts, text == NULL ? "" : text);
    hasten_buffer_byte(&history->texts, '\0');
    return start;
}

static hasten_status add_point(struct reader *reader, size_t name, double time_s, double peak) {
    struct hasten_history *history = reader->history;
    void *points = history->points;
    if (hasten_grow(history->allocator, &points, &history->point_capacity, history->point_count + 1,
                    sizeof *history->points) != 0) {
        return no_memory(reader->error);
    }
    history->points = points;
    /* The name until names are numbered. */
    history->points[history->point_count++] =
        (struct hasten_history_point){history->run_count - 1, name, time_s, peak};
    return HASTEN_OK;
}

static hasten_status take_points(struct reader *reader, const char *line, size_t size) {
    hasten_status status = HASTEN_OK;
    int code = SQLITE_DONE;
    sqlite3_reset(reader->points);
    sqlite3_bind_text(reader->points, 1, line, (int)size, SQLITE_STATIC);
    while (status == HASTEN_OK && (code = sqlite3_step(reader->points)) == SQLITE_ROW) {
        double time_s = sqlite3_column_double(reader->points, 1);
        bool has_peak = sqlite3_column_type(reader->points, 2) != SQLITE_NULL;
        double peak = has_peak ? sqlite3_column_double(reader->points, 2) : NAN;
        if (!isfinite(time_s) || time_s <= 0 || (has_peak && (!isfinite(peak) || peak < 0))) {
            return corrupt(reader, "a measurement is not a positive number");
        }
        status = add_point(reader, keep_text(reader->history, reader->points, 0), time_s, peak);
    }
    if (status == HASTEN_OK && code != SQLITE_DONE) {
        return code == SQLITE_NOMEM ? no_memory(reader->error)
                                    : corrupt(reader, "it has no benchmarks");
    }
    return status;
}

static hasten_status add_run(struct reader *reader) {
    struct hasten_history *history = reader->history;
    sqlite3_stmt *row = reader->run;
    void *runs = history->runs;
    int64_t committed_s = sqlite3_column_int64(row, 4), measured_s = sqlite3_column_int64(row, 5);
    if (sqlite3_column_type(row, 1) != SQLITE_TEXT || committed_s < 0 || measured_s < 0 ||
        committed_s > MOST_SECONDS || measured_s > MOST_SECONDS) {
        return corrupt(reader, "commit, or a time, is missing");
    }
    if (history->run_count == HASTEN_HISTORY_RUNS) {
        return hasten_error_set(reader->error, HASTEN_LIMIT, reader->offset,
                                "more than %d runs in a history", HASTEN_HISTORY_RUNS);
    }
    if (hasten_grow(history->allocator, &runs, &history->run_capacity, history->run_count + 1,
                    sizeof *history->runs) != 0) {
        return no_memory(reader->error);
    }
    history->runs = runs;
    history->runs[history->run_count++] = (struct hasten_history_run){
        .commit = keep_text(history, row, 1),
        .machine = keep_text(history, row, 2),
        .python = keep_text(history, row, 3),
        .committed_s = committed_s,
        .measured_s = measured_s,
        .is_dirty = sqlite3_column_int(row, 6) != 0,
    };
    return HASTEN_OK;
}

/* What git writes around the two sides of a conflict. */
static bool is_conflict_mark(const char *line, size_t size) {
    static const char *const marks[] = {"<<<<<<<", "|||||||", "=======", ">>>>>>>"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (size >= 7 && memcmp(line, marks[i], 7) == 0) {
            return true;
        }
    }
    return false;
}

static hasten_status take_line(struct reader *reader, const char *line, size_t size) {
    if (size > HASTEN_HISTORY_LINE) {
        return corrupt(reader, "it is too long");
    }
    if (size == 0 || is_conflict_mark(line, size)) {
        return HASTEN_OK;
    }
    sqlite3_reset(reader->run);
    sqlite3_bind_text(reader->run, 1, line, (int)size, SQLITE_STATIC);
    int code = sqlite3_step(reader->run);
    if (code != SQLITE_ROW) {
        return code == SQLITE_NOMEM ? no_memory(reader->error) : corrupt(reader, "not JSON");
    }
    int version = sqlite3_column_int(reader->run, 0);
    if (version > HASTEN_HISTORY_VERSION) {
        return hasten_error_set(reader->error, HASTEN_NEWER, reader->offset,
                                "the history was written by a newer hasten (version %d)", version);
    }
    if (version != HASTEN_HISTORY_VERSION) {
        return corrupt(reader, "hasten_history is missing");
    }
    hasten_status status = add_run(reader);
    return status == HASTEN_OK ? take_points(reader, line, size) : status;
}

static int compare_numbers(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

/* What sorting needs: qsort's own has no argument for it. */
struct order {
    const struct hasten_history *history;
};

static int by_date(const void *left, const void *right, void *context) {
    const struct hasten_history *history = ((const struct order *)context)->history;
    const struct hasten_history_run *a = &history->runs[*(const size_t *)left];
    const struct hasten_history_run *b = &history->runs[*(const size_t *)right];
    int order = compare_numbers(a->committed_s, b->committed_s);
    order = order != 0 ? order : compare_numbers(a->measured_s, b->measured_s);
    order = order != 0 ? order
                       : strcmp(hasten_history_text(history, a->commit),
                                hasten_history_text(history, b->commit));
    return order != 0 ? order : compare_numbers((int64_t)a->commit, (int64_t)b->commit);
}

static int by_name(const void *left, const void *right, void *context) {
    const struct hasten_history *history = ((const struct order *)context)->history;
    return strcmp(hasten_history_text(history, *(const size_t *)left),
                  hasten_history_text(history, *(const size_t *)right));
}

static int by_benchmark(const void *left, const void *right) {
    const struct hasten_history_point *a = left, *b = right;
    int order = compare_numbers((int64_t)a->benchmark, (int64_t)b->benchmark);
    return order != 0 ? order : compare_numbers((int64_t)a->run, (int64_t)b->run);
}

/* Runs by date; points know the new places. */
static hasten_status sort_runs(struct hasten_history *history, struct hasten_error *error) {
    struct order context = {history};
    size_t count = history->run_count;
    size_t size = 2 * (count + 1) * sizeof(size_t);
    size_t runs_size = (count + 1) * sizeof *history->runs;
    size_t *order = hasten_allocate(history->allocator, size);
    struct hasten_history_run *sorted = hasten_allocate(history->allocator, runs_size);
    if (order != NULL && sorted != NULL) {
        size_t *places = order + count + 1;
        for (size_t i = 0; i < count; i++) {
            order[i] = i;
        }
        qsort_r(order, count, sizeof *order, by_date, &context);
        for (size_t i = 0; i < count; i++) {
            places[order[i]] = i;
            sorted[i] = history->runs[order[i]];
        }
        for (size_t i = 0; i < count; i++) {
            history->runs[i] = sorted[i];
        }
        for (size_t i = 0; i < history->point_count; i++) {
            history->points[i].run = places[history->points[i].run];
        }
    }
    bool done = order != NULL && sorted != NULL;
    hasten_release(history->allocator, order, order == NULL ? 0 : size);
    hasten_release(history->allocator, sorted, sorted == NULL ? 0 : runs_size);
    return done ? HASTEN_OK : no_memory(error);
}

/* Names in order; points have their numbers. */
static hasten_status number_benchmarks(struct hasten_history *history, struct hasten_error *error) {
    struct order context = {history};
    void *names = history->benchmarks;
    if (history->point_count == 0) {
        return HASTEN_OK;
    }
    if (hasten_grow(history->allocator, &names, &history->benchmark_capacity, history->point_count,
                    sizeof *history->benchmarks) != 0) {
        return no_memory(error);
    }
    history->benchmarks = names;
    for (size_t i = 0; i < history->point_count; i++) {
        history->benchmarks[i] = history->points[i].benchmark;
    }
    qsort_r(history->benchmarks, history->point_count, sizeof *history->benchmarks, by_name,
            &context);
    size_t kept = 0;
    for (size_t i = 0; i < history->point_count; i++) {
        if (kept == 0 ||
            by_name(&history->benchmarks[kept - 1], &history->benchmarks[i], &context) != 0) {
            history->benchmarks[kept++] = history->benchmarks[i];
        }
    }
    history->benchmark_count = kept;
    for (size_t i = 0; i < history->point_count; i++) {
        size_t low = 0, high = kept;
        while (low + 1 < high) {
            size_t middle = (low + high) / 2;
            bool is_below =
                by_name(&history->points[i].benchmark, &history->benchmarks[middle], &context) < 0;
            low = is_below ? low : middle;
            high = is_below ? middle : high;
        }
        history->points[i].benchmark = low;
    }
    qsort(history->points, history->point_count, sizeof *history->points, by_benchmark);
    return HASTEN_OK;
}

static hasten_status open_reader(struct reader *reader) {
    int code = sqlite3_open_v2(":memory:", &reader->database,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_PRIVATECACHE, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_prepare_v2(reader->database, run_query, -1, &reader->run, NULL);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_prepare_v2(reader->database, point_query, -1, &reader->points, NULL);
    }
    if (code == SQLITE_OK) {
        return HASTEN_OK;
    }
    return code == SQLITE_NOMEM
               ? no_memory(reader->error)
               : hasten_error_set(reader->error, HASTEN_UNSUPPORTED, -1,
                                  "SQLite here cannot read JSON: %s; version 3.38 can",
                                  sqlite3_errmsg(reader->database));
}

hasten_status hasten_history_parse(const char *text, size_t size,
                                   const struct hasten_allocator *allocator,
                                   struct hasten_history **ret_history,
                                   struct hasten_error *error) {
    struct hasten_history *history = hasten_allocate_zeroed(allocator, sizeof *history);
    struct reader reader = {.history = history, .error = error};
    if (history == NULL) {
        return no_memory(error);
    }
    history->allocator = allocator;
    hasten_buffer_init(&history->texts, allocator);
    hasten_status status = open_reader(&reader);
    for (size_t start = 0; status == HASTEN_OK && start < size;) {
        const char *end = memchr(text + start, '\n', size - start);
        size_t length = end == NULL ? size - start : (size_t)(end - text) - start;
        bool has_return = length > 0 && text[start + length - 1] == '\r';
        reader.offset = (int64_t)start;
        status = take_line(&reader, text + start, has_return ? length - 1 : length);
        start += length + 1;
    }
    sqlite3_finalize(reader.run);
    sqlite3_finalize(reader.points);
    sqlite3_close(reader.database);
    if (status == HASTEN_OK && history->texts.failed) {
        status = no_memory(error);
    }
    status = status == HASTEN_OK ? sort_runs(history, error) : status;
    status = status == HASTEN_OK ? number_benchmarks(history, error) : status;
    if (status != HASTEN_OK) {
        hasten_history_free(history);
        return status;
    }
    *ret_history = history;
    return HASTEN_OK;
}

hasten_status hasten_history_load(const char *path, const struct hasten_allocator *allocator,
                                  struct hasten_history **ret_history, struct hasten_error *error) {
    struct stat info;
    char *text = NULL;
    size_t size = 0;
    hasten_status status = HASTEN_OK;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 || fstat(descriptor, &info) != 0) {
        status = hasten_error_set(error, errno == ENOENT ? HASTEN_NOT_FOUND : HASTEN_IO, -1,
                                  "cannot read %s: %s", path, strerror(errno));
        goto done;
    }
    if (!S_ISREG(info.st_mode) || info.st_size > (off_t)MOST_BYTES) {
        status = hasten_error_set(error, HASTEN_INVALID, -1, "%s is not a history", path);
        goto done;
    }
    size = (size_t)info.st_size;
    text = hasten_allocate(allocator, size + 1);
    if (text == NULL) {
        status = no_memory(error);
        goto done;
    }
    size_t got = 0;
    for (ssize_t part = 1; part > 0 && got < size;) {
        part = read(descriptor, text + got, size - got);
        got += part > 0 ? (size_t)part : 0;
        if (part < 0 && errno == EINTR) {
            part = 1;
        } else if (part < 0) {
            status =
                hasten_error_set(error, HASTEN_IO, -1, "cannot read %s: %s", path, strerror(errno));
            goto done;
        }
    }
    status = hasten_history_parse(text, got, allocator, ret_history, error);
done:
    hasten_release(allocator, text, text == NULL ? 0 : size + 1);
    if (descriptor >= 0) {
        close(descriptor);
    }
    return status;
}

void hasten_history_free(struct hasten_history *history) {
    if (history == NULL) {
        return;
    }
    const struct hasten_allocator *allocator = history->allocator;
    hasten_buffer_done(&history->texts);
    hasten_release(allocator, history->runs, history->run_capacity * sizeof *history->runs);
    hasten_release(allocator, history->points, history->point_capacity * sizeof *history->points);
    hasten_release(allocator, history->benchmarks,
                   history->benchmark_capacity * sizeof *history->benchmarks);
    hasten_release(allocator, history, sizeof *history);
}
