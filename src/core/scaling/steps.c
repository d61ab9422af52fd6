/* SPDX-License-Identifier: MIT
 *
 * Powers for guesses, exponentials for caution. */
#include "core/scaling/steps.h"

#include <math.h>

#define FIRST_SIZE 4
/* If time grew exponentially, as in the last step, it may grow by so much in the next:
 * what is linear or n log n doubles its size, what is 2^n goes on by 2. */
#define MOST_GROWTH 5.0
/* Executions this short cannot become long by doubling the size once, unless they are
 * exponential, and then the next step is careful. */
#define HARMLESS_S 5e-6
/* A block may take this share of the budget: then there is time for several rounds. */
#define BLOCK_SHARE (1.0 / 60)
#define MOST_INPUT_BYTES (256.0 * 1024 * 1024)

double hasten_steps_seconds(const struct hasten_steps *steps, double size) {
    if (steps->known == 0) {
        return 0;
    }
    size_t last = steps->known - 1;
    double power = 1;
    if (steps->known == 2) {
        double ratio = steps->times_s[1] / steps->times_s[0];
        power = fmax(1, log(ratio) / log(steps->sizes[1] / steps->sizes[0]));
    }
    return steps->times_s[last] * pow(size / steps->sizes[last], power);
}

uint64_t hasten_steps_next(const struct hasten_steps *steps, double budget_s) {
    if (steps->known == 0) {
        return FIRST_SIZE;
    }
    size_t last = steps->known - 1;
    double size = steps->sizes[last], next = 2 * size;
    if (steps->known == 2 && steps->times_s[1] > HARMLESS_S) {
        double rate = log(steps->times_s[1] / steps->times_s[0]) / (size - steps->sizes[0]);
        double step = rate > 0 ? log(MOST_GROWTH) / rate : size;
        /* Doubling keeps tables at the same filling, so nearly twice is twice. */
        next = step > 0.75 * size ? 2 * size : size + fmax(1, floor(step));
    }
    if (size < (double)HASTEN_STEPS_MOST_SIZE) {
        next = fmin(next, (double)HASTEN_STEPS_MOST_SIZE); /* where it ends, unless time does */
    }
    double factor = next / size;
    double block_s = fmax(hasten_steps_seconds(steps, next), steps->whole_s * factor);
    if (next > (double)HASTEN_STEPS_MOST_SIZE || block_s > BLOCK_SHARE * budget_s ||
        steps->input_bytes * factor > MOST_INPUT_BYTES) {
        return 0;
    }
    return (uint64_t)next;
}
