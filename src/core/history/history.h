/* SPDX-License-Identifier: MIT
 *
 * What benchmarks took over the commits of a project: a text file, a JSON object a line
 * and run (docs/formats/history.md).
 *
 * Lines stand for themselves and are only appended, so that files of two branches can
 * be merged by taking all lines of both, in any order; what git leaves of a conflict is
 * skipped. The order of runs is that of their commits' dates.
 *
 * A history owns all it points to, until hasten_history_free. */
#ifndef HASTEN_HISTORY_HISTORY_H
#define HASTEN_HISTORY_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/allocator.h"
#include "core/base/buffer.h"
#include "hasten/status.h"

#define HASTEN_HISTORY_VERSION 1
/* Longer lines, and more of them, are not a history. */
#define HASTEN_HISTORY_LINE (4u << 20)
#define HASTEN_HISTORY_RUNS 100000

/* Texts are offsets into `texts`. */
struct hasten_history_run {
    size_t commit, machine, python;
    int64_t committed_s; /* since the epoch */
    int64_t measured_s;
    bool is_dirty; /* the working tree was not what the commit is */
};

struct hasten_history_point {
    size_t run; /* index of its run */
    size_t benchmark;
    double time_s;     /* median of an execution */
    double peak_bytes; /* NAN where it was not measured */
};

struct hasten_history {
    const struct hasten_allocator *allocator;
    struct hasten_buffer texts; /* each ends with a NUL */
    struct hasten_history_run *runs;
    size_t run_count, run_capacity;
    struct hasten_history_point *points; /* by benchmark, then by run */
    size_t point_count, point_capacity;
    size_t *benchmarks; /* names, ascending */
    size_t benchmark_count, benchmark_capacity;
};

/* NOT_FOUND where there is no file. CORRUPT and NEWER with the offset of the line. */
HASTEN_CHECKED hasten_status hasten_history_load(const char *path,
                                                 const struct hasten_allocator *allocator,
                                                 struct hasten_history **ret_history,
                                                 struct hasten_error *error);
/* The same of a text. */
HASTEN_CHECKED hasten_status hasten_history_parse(const char *text, size_t size,
                                                  const struct hasten_allocator *allocator,
                                                  struct hasten_history **ret_history,
                                                  struct hasten_error *error);
void hasten_history_free(struct hasten_history *history);

static inline const char *hasten_history_text(const struct hasten_history *history, size_t text) {
    return history->texts.data + text;
}

#endif
