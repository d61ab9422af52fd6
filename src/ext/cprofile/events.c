/* SPDX-License-Identifier: MIT
 *
 * Events that the fast path of events.h leaves over. */
#include "ext/cprofile/events.h"

struct hasten_call_node *hasten_events_first(struct hasten_profiler *profiler, const void *key,
                                             PyObject *callable, PyObject *self_arg) {
    struct hasten_calls *calls = &profiler->calls;
    struct hasten_call_function *function = hasten_calls_find(calls, key);
    if (function == NULL) {
        /* A generator may be entered with an exception set, and naming uses them. */
        struct hasten_py_exception exception = hasten_py_exception_take();
        PyObject *name = hasten_name_of(callable, self_arg);
        if (name == NULL) {
            PyErr_Clear();
            calls->ran_out = true;
        } else {
            /* Naming may have run code, and that code may have been profiled. */
            function = hasten_calls_find(calls, key);
            if (function == NULL) {
                function = hasten_calls_add(calls, key, name);
                name = function == NULL ? name : NULL;
            }
            Py_XDECREF(name);
        }
        hasten_py_exception_put(exception);
        if (function == NULL) {
            return NULL;
        }
    }
    return hasten_calls_callee(calls, calls->stack.top->node->callees, function);
}

/* The current call is not the one that ends. The interpreter says which function
 * ended, and the call's time is that function's. */
void hasten_events_unmatched(struct hasten_profiler *profiler, const void *key) {
    struct hasten_calls *calls = &profiler->calls;
    if (hasten_calls_idle(calls)) {
        return;
    }
    struct hasten_call_function *function = hasten_calls_find(calls, key);
    int64_t now = 0;
    if (function != NULL) {
        ptrdiff_t depth = calls->stack.top - calls->stack.frames;
        now = hasten_profiler_read_clock(profiler);
        calls->stack.top = calls->stack.frames + depth;
    }
    hasten_calls_leave_as(calls, function, now);
}

void hasten_events_enter_fully(struct hasten_profiler *profiler, const void *key,
                               PyObject *callable, PyObject *self_arg) {
    struct hasten_calls *calls = &profiler->calls;
    struct hasten_call_node *node = hasten_calls_next(calls, key);
    if (node == NULL) {
        node = hasten_events_first(profiler, key, callable, self_arg);
    }
    if (node == NULL || hasten_calls_push(calls, node) == NULL) {
        return;
    }
    /* Other threads may run in a user's timer, and move the stack. */
    ptrdiff_t depth = calls->stack.top - calls->stack.frames;
    int64_t now = hasten_profiler_read_clock(profiler);
    calls->stack.frames[depth].start = now;
}

void hasten_events_leave_fully(struct hasten_profiler *profiler, const void *key) {
    struct hasten_calls *calls = &profiler->calls;
    if (!hasten_calls_is_top(calls, key)) {
        hasten_events_unmatched(profiler, key);
        return;
    }
    ptrdiff_t depth = calls->stack.top - calls->stack.frames;
    int64_t now = hasten_profiler_read_clock(profiler);
    calls->stack.top = calls->stack.frames + depth;
    hasten_calls_leave(calls, now);
}

void hasten_events_flush(struct hasten_profiler *profiler) {
    struct hasten_calls *calls = &profiler->calls;
    while (!hasten_calls_idle(calls)) {
        ptrdiff_t depth = calls->stack.top - calls->stack.frames;
        int64_t now = hasten_profiler_read_clock(profiler);
        calls->stack.top = calls->stack.frames + depth;
        hasten_calls_leave(calls, now);
    }
}
