/* SPDX-License-Identifier: MIT
 *
 * What an event does. Keys are addresses of code objects and of method
 * definitions: a profiler holds a reference to each code object it knows, and
 * method definitions live as long as their module. */
#ifndef HASTEN_EXT_CPROFILE_EVENTS_H
#define HASTEN_EXT_CPROFILE_EVENTS_H

#include "ext/cprofile/profiler.h"

/* events.c: the first call from a caller, and events that match no call. */
struct hasten_call_node *hasten_events_first(struct hasten_profiler *profiler, const void *key,
                                             PyObject *callable, PyObject *self_arg);
void hasten_events_unmatched(struct hasten_profiler *profiler, const void *key);
/* The same as enter and leave below for every other configuration. */
void hasten_events_enter_fully(struct hasten_profiler *profiler, const void *key,
                               PyObject *callable, PyObject *self_arg);
void hasten_events_leave_fully(struct hasten_profiler *profiler, const void *key);
/* Ends all calls that are active, as disable() does. */
void hasten_events_flush(struct hasten_profiler *profiler);

/* Whether the two functions below are all it takes. */
static inline bool hasten_events_are_plain(const struct hasten_profiler *profiler) {
    return profiler->clock == HASTEN_CLOCK_TICKS;
}

static inline void hasten_events_enter(struct hasten_profiler *profiler, const void *key,
                                       PyObject *callable, PyObject *self_arg) {
    struct hasten_call_node *node = hasten_calls_next(&profiler->calls, key);
    if (__builtin_expect(node == NULL, 0)) {
        node = hasten_events_first(profiler, key, callable, self_arg);
        if (node == NULL) {
            return;
        }
    }
    struct hasten_call_frame *frame = hasten_calls_push(&profiler->calls, node);
    if (frame != NULL) {
        frame->start = hasten_ticks_read(&profiler->ticks);
    }
}

static inline void hasten_events_leave(struct hasten_profiler *profiler, const void *key) {
    int64_t now = hasten_ticks_read(&profiler->ticks);
    if (__builtin_expect(hasten_calls_is_top(&profiler->calls, key), 1)) {
        hasten_calls_leave(&profiler->calls, now);
    } else {
        hasten_events_unmatched(profiler, key);
    }
}

#endif
