/* SPDX-License-Identifier: MIT
 *
 * Which size comes next: from what the last ones took. */
#ifndef HASTEN_SCALING_STEPS_H
#define HASTEN_SCALING_STEPS_H

#include <stddef.h>
#include <stdint.h>

/* The largest that is tried without being asked for: lists of so many numbers are tens
 * of megabytes. */
#define HASTEN_STEPS_MOST_SIZE (UINT64_C(1) << 20)

struct hasten_steps {
    size_t count;                /* of all sizes so far */
    size_t known;                /* of the last ones below: 0 to 2 */
    double sizes[2], times_s[2]; /* of one execution */
    double whole_s;              /* a block of the last, with its inputs */
    double input_bytes;          /* of the last */
};

/* What one execution of a size will take, by the power that the last two follow. */
double hasten_steps_seconds(const struct hasten_steps *steps, double size);

/* The next size; 0: a larger one would use too much of the budget or of memory, or is
 * beyond HASTEN_STEPS_MOST_SIZE. At most twice the last, and less where the function is
 * so steep that twice could be a thousand times as long. */
uint64_t hasten_steps_next(const struct hasten_steps *steps, double budget_s);

#endif
