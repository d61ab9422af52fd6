/* SPDX-License-Identifier: MIT
 *
 * A clock cheap enough to be read twice in every call: the processor's counter
 * where the kernel itself keeps time by it, the kernel's monotonic clock
 * elsewhere. Its unit is its own; seconds are worked out when results are. */
#ifndef HASTEN_TRACING_TICKS_H
#define HASTEN_TRACING_TICKS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

struct hasten_ticks {
    bool counter;       /* reads the processor's counter, not the kernel's clock */
    int64_t base_ticks; /* both clocks at the same instant */
    uint64_t base_ns;
};

/* The processor's counter, not ordered against its neighbours: an instruction
 * more or less is below what a call costs. */
static inline int64_t hasten_ticks_counter(void) {
#if defined(__x86_64__)
    return (int64_t)__rdtsc();
#elif defined(__aarch64__)
    int64_t value;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
    return value;
#else
    return 0; /* never chosen: see hasten_ticks_init */
#endif
}

static inline int64_t hasten_ticks_kernel(clockid_t clock) {
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + (int64_t)now.tv_nsec;
}

static inline int64_t hasten_ticks_read(const struct hasten_ticks *ticks) {
    return __builtin_expect(ticks->counter, 1) ? hasten_ticks_counter()
                                               : hasten_ticks_kernel(CLOCK_MONOTONIC);
}

/* Chooses the clock; with `kernel`, the kernel's in any case. Notes where both
 * stand: the longer ago that was, the better seconds are known. */
void hasten_ticks_init(struct hasten_ticks *ticks, bool kernel);

/* How long a tick is. Waits up to 2 ms where too little time has passed since
 * hasten_ticks_init to know. */
double hasten_ticks_seconds(const struct hasten_ticks *ticks);

#endif
