/* SPDX-License-Identifier: MIT
 *
 * What is asked at every allocation: how many bytes this thread may still allocate
 * before one is sampled, and whether a block that is freed may be a sampled one. */
#ifndef HASTEN_PRELOAD_SELF_H
#define HASTEN_PRELOAD_SELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/heap/samples.h"

/* What is called once in many calls stands in functions of its own, so that the others
 * need no stack. */
#define HASTEN_SELDOM __attribute__((noinline, cold))
#define HASTEN_LIKELY(condition) __builtin_expect((condition), 1)

/* More than a thread ever allocates: nothing is sampled. While one hook calls what leads
 * to another, `left` is this much, so that nothing is counted twice. */
#define HASTEN_SELF_NEVER (UINT64_C(1) << 62)

struct hasten_self {
    uint64_t left;       /* bytes until the next sample; 0 in a thread that has not begun */
    uint64_t drawn;      /* what `left` was when it was drawn last */
    uint64_t done;       /* bytes allocated before that */
    uint64_t random;     /* of the next draw */
    uint32_t generation; /* of the process in which `thread` means something */
    uint32_t thread;
    bool has_begun;
    volatile uint8_t locks; /* that this thread has or waits for: a signal's handler asks */
};

/* Initial-exec: no call, no allocation, and legal in a library that is loaded first. */
extern _Thread_local struct hasten_self hasten_self __attribute__((tls_model("initial-exec")));
extern uint8_t hasten_filter[HASTEN_SAMPLES_FILTER_SIZE];

/* This thread is inside a hook, or in what one called. */
static inline bool hasten_self_is_inside(const struct hasten_self *self) {
    return self->locks > 0 || self->left >= HASTEN_SELF_NEVER / 2; /* it was counted down */
}

/* Counts a block of `size` bytes. False: it may be one to sample. */
static inline bool hasten_self_passes(struct hasten_self *self, size_t size) {
    if (HASTEN_LIKELY(size < self->left)) {
        self->left -= size + 1;
        return true;
    }
    return false;
}

/* False: it was not sampled. */
static inline bool hasten_self_may_know(const void *block) {
    return !HASTEN_LIKELY(!hasten_samples_may_hold(hasten_filter, (uintptr_t)block));
}

/* Bytes that this thread has allocated so far. */
static inline uint64_t hasten_self_volume(const struct hasten_self *self) {
    return self->done + (self->left <= self->drawn ? self->drawn - self->left : 0);
}

#endif
