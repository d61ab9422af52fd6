/* SPDX-License-Identifier: MIT
 *
 * Results of benchmarks as text for a person and as JSON. */
#ifndef HASTEN_CLI_BENCH_SHOW_H
#define HASTEN_CLI_BENCH_SHOW_H

#include "cli/bench/measure.h"
#include "core/base/buffer.h"

struct bench_entry {
    struct bench_side sides[2];
    struct bench_result result;
};

/* Appends to `out`; both are safe for a terminal. */
void bench_show(struct hasten_buffer *out, const struct bench_entry *entry, bool unicode,
                const struct bench_plan *plan);
/* The same without the picture. */
void bench_show_words(struct hasten_buffer *out, const struct bench_entry *entry,
                      const struct bench_plan *plan);
/* `count` results (docs/bench.md). */
void bench_json(struct hasten_buffer *out, struct bench_entry *const *entries, size_t count,
                const struct bench_plan *plan);

#endif
