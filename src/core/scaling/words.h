/* SPDX-License-Identifier: MIT
 *
 * What a scaling found, for a person: sentences and a plot. */
#ifndef HASTEN_SCALING_WORDS_H
#define HASTEN_SCALING_WORDS_H

#include "core/base/buffer.h"
#include "core/scaling/scaling.h"

/* "740 ns", "12.3 ms", "1.20 KiB": three digits. */
void hasten_scaling_amount(struct hasten_buffer *out, double value, bool is_bytes);

/* "O(n log n), 98 % sure", or "can't tell: ..." and why. */
void hasten_scaling_verdict(struct hasten_buffer *out, const struct hasten_verdict *verdict);
/* "doubling n makes it 2.1 times slower"; nothing where no class explains it. */
void hasten_scaling_cost(struct hasten_buffer *out, const struct hasten_scaling_result *result,
                         bool of_memory);
/* All of it, in lines of at most `columns`; `unicode` for the plot. */
void hasten_scaling_text(struct hasten_buffer *out, const struct hasten_scaling_result *result,
                         unsigned columns, bool unicode);

/* By what factor the best class grows from half of the largest size to it. */
double hasten_scaling_doubling(const struct hasten_scaling_result *result, bool of_memory);

/* Measured values and the curve of the best class, both axes logarithmic. */
void hasten_scaling_plot(struct hasten_buffer *out, const struct hasten_scaling_result *result,
                         bool of_memory, unsigned columns, bool unicode);

#endif
