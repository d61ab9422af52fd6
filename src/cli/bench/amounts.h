/* SPDX-License-Identifier: MIT
 *
 * Memory and counts of a side, and of two compared, as text and as JSON. */
#ifndef HASTEN_CLI_BENCH_AMOUNTS_H
#define HASTEN_CLI_BENCH_AMOUNTS_H

#include "cli/bench/side.h"
#include "core/base/buffer.h"
#include "core/report/json_writer.h"

/* `amounts` are BENCH_AMOUNTS. What is not known is left out of the text. */
void bench_amounts_text(struct hasten_buffer *out, const struct bench_amount *amounts);
void bench_amounts_text_compared(struct hasten_buffer *out, const struct bench_amount *a,
                                 const struct bench_amount *b);
/* "1.20 KiB", "12 401", "6.25". */
void bench_amount_text(struct hasten_buffer *out, enum bench_amount_id id, double value);

/* Members of an object that is open: `memory`, null where it is not known; counts where
 * they are. */
void bench_amounts_json(struct hasten_json *json, const struct bench_amount *amounts);
void bench_amounts_json_compared(struct hasten_json *json, const struct bench_amount *a,
                                 const struct bench_amount *b);

#endif
