/* SPDX-License-Identifier: MIT
 *
 * What an event does. Keys are addresses of code objects and of method
 * definitions: a profiler holds a reference to each code object it knows, and
 * method definitions live as long as their module. */
#ifndef HASTEN_EXT_CPROFILE_EVENTS_H
#define HASTEN_EXT_CPROFILE_EVENTS_H

#include "ext/cprofile/profiler.h"

/* What happened to a frame of a Python function. */
enum hasten_step {
    HASTEN_STEP_BEGIN,
    HASTEN_STEP_RESUME, /* a generator's or coroutine's */
    HASTEN_STEP_SUSPEND,
    HASTEN_STEP_END,
};

/* Every configuration, and what the functions below leave over. The frame is
 * the current one where it is not given. */
void hasten_events_step(struct hasten_profiler *profiler, PyObject *code, enum hasten_step step,
                        PyFrameObject *frame);
/* A C function, by its definition; see hasten_name_of. */
void hasten_events_enter_c(struct hasten_profiler *profiler, PyMethodDef *function,
                           PyObject *callable, PyObject *self_arg);
void hasten_events_leave_c(struct hasten_profiler *profiler, PyMethodDef *function);
/* Ends all calls that are active, as disable() does. */
void hasten_events_flush(struct hasten_profiler *profiler);

/* Whether the functions below may be used. */
static inline bool hasten_events_are_plain(const struct hasten_profiler *profiler) {
    return profiler->clock == HASTEN_CLOCK_TICKS && profiler->ticks.counter &&
           !profiler->calls.strict && !profiler->histogram && !profiler->subtract &&
           profiler->filter == NULL && profiler->stacks == NULL && profiler->tasks == NULL;
}

/* Enters a call at that time; false: not done. It calls nothing, as leaving does
 * not: what calls them needs no registers saved, and does the rest as its last
 * act. The time is read first: that waits for the loads before it, which at the end
 * are a chain, and would cost twice of what it does to count them as the callee's. */
static inline bool hasten_events_enter(struct hasten_profiler *profiler, const void *key,
                                       int64_t now) {
    struct hasten_calls *calls = &profiler->calls;
    struct hasten_call_node *node = hasten_calls_again(calls, key);
    if (__builtin_expect(node == NULL || !hasten_calls_has_room(calls), 0)) {
        return false;
    }
    hasten_calls_push(calls, node)->start = now;
    return true;
}

/* The same for a callee that its caller does not remember. */
static inline bool hasten_events_enter_other(struct hasten_profiler *profiler, const void *key,
                                             int64_t now) {
    struct hasten_calls *calls = &profiler->calls;
    struct hasten_call_node *node = hasten_calls_next(calls, key);
    if (node == NULL || !hasten_calls_has_room(calls)) {
        return false;
    }
    hasten_calls_push(calls, node)->start = now;
    return true;
}

/* False: not done. */
static inline bool hasten_events_leave(struct hasten_profiler *profiler, const void *key) {
    int64_t now = hasten_ticks_counter();
    if (__builtin_expect(!hasten_calls_is_top(&profiler->calls, key), 0)) {
        return false;
    }
    hasten_calls_leave(&profiler->calls, now);
    return true;
}

#endif
