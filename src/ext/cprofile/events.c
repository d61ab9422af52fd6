/* SPDX-License-Identifier: MIT
 *
 * Events in every configuration: other clocks, a stack for each thread, waiting
 * coroutines, durations, overhead. */
#include "ext/cprofile/events.h"

#include <stddef.h>

#include "core/tracing/durations.h"
#include "ext/cprofile/stacks.h"
#include "ext/cprofile/tasks.h"
#include "ext/trace/trace.h"

static struct hasten_callable *make_callable(const struct hasten_profiler *profiler,
                                             PyObject *callable, PyObject *self_arg) {
    PyObject *name = hasten_name_of(callable, self_arg);
    struct hasten_callable *made = name == NULL ? NULL : PyMem_Calloc(1, sizeof *made);
    if (made == NULL) {
        Py_XDECREF(name);
        return NULL;
    }
    made->name = name;
    if (profiler->histogram) {
        made->durations = PyMem_Calloc(1, sizeof *made->durations);
    }
    return made;
}

void hasten_callable_free(struct hasten_callable *callable) {
    PyMem_Free(callable->durations);
    PyMem_Free(callable);
}

/* The node of the first call from a caller. */
static struct hasten_call_node *first_call(struct hasten_profiler *profiler, const void *key,
                                           PyObject *callable, PyObject *self_arg) {
    struct hasten_calls *calls = &profiler->calls;
    struct hasten_call_function *function = hasten_calls_find(calls, key);
    if (function == NULL) {
        /* A generator may be entered with an exception set, and naming uses them. */
        struct hasten_py_exception exception = hasten_py_exception_take();
        struct hasten_callable *made = make_callable(profiler, callable, self_arg);
        PyErr_Clear();
        /* Naming may have run code, and in another thread that may have been counted. */
        function = made == NULL ? NULL : hasten_calls_find(calls, key);
        if (made != NULL && function == NULL) {
            function = hasten_calls_add(calls, key, made);
            made = function == NULL ? made : NULL;
        }
        if (made != NULL) {
            Py_DECREF(made->name);
            hasten_callable_free(made);
        }
        hasten_py_exception_put(exception);
        if (function == NULL) {
            calls->ran_out = true;
            return NULL;
        }
    }
    struct hasten_call_scope *scope = calls->stack.top->node->callees;
    if (profiler->trace != NULL && calls->nodes.count >= HASTEN_TRACE_MOST_NODES) {
        scope = hasten_trace_fold(profiler);
    }
    return hasten_calls_callee(calls, scope, function);
}

/* The time on the current stack, and that the current call is what it was before:
 * other threads may run in a user's timer. */
static int64_t read_clock(struct hasten_profiler *profiler) {
    struct hasten_call_stack *stack = &profiler->calls.stack;
    if (profiler->clock != HASTEN_CLOCK_TIMER) {
        return hasten_profiler_read_clock(profiler) - stack->excluded;
    }
    uint32_t id = stack->id;
    ptrdiff_t depth = stack->top - stack->frames;
    int64_t now = hasten_profiler_read_clock(profiler);
    if (profiler->stacks != NULL) {
        hasten_stacks_select_id(profiler->stacks, &profiler->calls, id);
    }
    stack->top = stack->frames + depth;
    return now - stack->excluded;
}

/* Makes the running thread's stack the current one; false: it has none. */
static bool select_stack(struct hasten_profiler *profiler) {
    if (profiler->stacks == NULL) {
        return true;
    }
    return hasten_stacks_select(profiler->stacks, &profiler->calls) &&
           (profiler->trace == NULL || hasten_trace_knows_stack(profiler));
}

static bool enter(struct hasten_profiler *profiler, const void *key, PyObject *callable,
                  PyObject *self_arg) {
    struct hasten_calls *calls = &profiler->calls;
    struct hasten_call_node *node = hasten_calls_again(calls, key);
    if (node == NULL) {
        node = hasten_calls_next(calls, key);
    }
    if (node == NULL) {
        node = first_call(profiler, key, callable, self_arg);
    }
    if (node == NULL || (!hasten_calls_has_room(calls) && !hasten_calls_grow(calls))) {
        return false;
    }
    if (calls->strict) {
        hasten_calls_push_strictly(calls, node);
    } else {
        hasten_calls_push(calls, node);
    }
    int64_t now = read_clock(profiler);
    calls->stack.top->start = now;
    return true;
}

static void keep_duration(const struct hasten_profiler *profiler,
                          const struct hasten_call_function *function, int64_t duration) {
    const struct hasten_callable *callable = function->object;
    if (profiler->histogram && callable->durations != NULL) {
        hasten_durations_add(callable->durations, duration);
    }
}

/* A call ended of which nobody saw the beginning, or another than the current one
 * ended. The interpreter says which function it was; the time of the current call
 * is that function's. */
static void leave_unmatched(struct hasten_profiler *profiler, const void *key) {
    struct hasten_calls *calls = &profiler->calls;
    if (hasten_calls_idle(calls)) {
        return;
    }
    if (!calls->strict) {
        hasten_calls_be_strict(calls);
        hasten_mechanism_be_full(profiler);
    }
    struct hasten_call_function *function = hasten_calls_find(calls, key);
    int64_t now = function == NULL ? 0 : read_clock(profiler);
    int64_t start = calls->stack.top->start;
    hasten_calls_leave_strictly(calls, function, now);
    if (function != NULL) {
        keep_duration(profiler, function, now - start);
    }
}

/* The current call ends as it should. */
static PyObject *leave_matched(struct hasten_profiler *profiler) {
    struct hasten_calls *calls = &profiler->calls;
    struct hasten_call_function *function = calls->stack.top->node->function;
    PyObject *released = NULL;
    int64_t now = read_clock(profiler);
    int64_t total;
    if (profiler->tasks != NULL && hasten_tasks_on_top(profiler->tasks, calls)) {
        released = hasten_tasks_leave(profiler->tasks, calls, now, &total);
    } else {
        total = hasten_calls_leave(calls, now);
    }
    keep_duration(profiler, function, total);
    return released;
}

static void leave(struct hasten_profiler *profiler, const void *key) {
    if (profiler->calls.strict || !hasten_calls_is_top(&profiler->calls, key)) {
        leave_unmatched(profiler, key);
    } else {
        Py_XDECREF(leave_matched(profiler));
    }
}

static bool is_coroutine(const PyObject *code) {
    return (((const PyCodeObject *)code)->co_flags & CO_COROUTINE) != 0;
}

/* A coroutine's step, where its call is to last. False: treat it as any other. */
static bool step_coroutine(struct hasten_profiler *profiler, PyObject *code, enum hasten_step step,
                           PyObject *frame) {
    struct hasten_calls *calls = &profiler->calls;
    if (calls->strict) {
        return false;
    }
    if (step == HASTEN_STEP_BEGIN || step == HASTEN_STEP_RESUME) {
        int64_t now = read_clock(profiler);
        if (hasten_tasks_resume(profiler->tasks, calls, frame, now)) {
            return true;
        }
        if (enter(profiler, code, code, NULL)) {
            hasten_tasks_began(profiler->tasks, calls, frame, calls->stack.top->start);
        }
        return true;
    }
    if (step == HASTEN_STEP_SUSPEND && hasten_calls_is_top(calls, code) &&
        hasten_tasks_on_top(profiler->tasks, calls)) {
        Py_XDECREF(hasten_tasks_suspend(profiler->tasks, calls, read_clock(profiler)));
        return true;
    }
    return false;
}

void hasten_events_step(struct hasten_profiler *profiler, PyObject *code, enum hasten_step step,
                        PyFrameObject *frame) {
    if (!select_stack(profiler)) {
        return;
    }
    bool enters = step == HASTEN_STEP_BEGIN || step == HASTEN_STEP_RESUME;
    bool done = false;
    if (profiler->tasks != NULL && is_coroutine(code)) {
        PyObject *own = frame == NULL ? (PyObject *)PyThreadState_GetFrame(hasten_py_thread())
                                      : Py_NewRef((PyObject *)frame);
        done = own != NULL && step_coroutine(profiler, code, step, own);
        Py_XDECREF(own);
    }
    if (!done && enters) {
        enter(profiler, code, code, NULL);
    } else if (!done) {
        leave(profiler, code);
    }
    const struct hasten_overhead *overhead = &profiler->overhead[0];
    profiler->calls.stack.excluded += enters ? overhead->inner : overhead->outer;
    hasten_trace_look(profiler);
}

void hasten_events_enter_c(struct hasten_profiler *profiler, PyMethodDef *function,
                           PyObject *callable, PyObject *self_arg) {
    if (select_stack(profiler)) {
        enter(profiler, function, callable, self_arg);
        profiler->calls.stack.excluded += profiler->overhead[1].inner;
        hasten_trace_look(profiler);
    }
}

void hasten_events_leave_c(struct hasten_profiler *profiler, PyMethodDef *function) {
    if (select_stack(profiler)) {
        leave(profiler, function);
        profiler->calls.stack.excluded += profiler->overhead[1].outer;
    }
}

static void flush_stack(struct hasten_profiler *profiler) {
    struct hasten_calls *calls = &profiler->calls;
    while (!hasten_calls_idle(calls)) {
        if (calls->strict) {
            leave_unmatched(profiler, calls->stack.top->node->function->key);
        } else {
            Py_XDECREF(leave_matched(profiler));
        }
    }
}

void hasten_events_flush(struct hasten_profiler *profiler) {
    struct hasten_calls *calls = &profiler->calls;
    flush_stack(profiler);
    while (profiler->stacks != NULL && hasten_stacks_select_busy(profiler->stacks, calls)) {
        flush_stack(profiler);
    }
    if (profiler->tasks != NULL) {
        int64_t now = read_clock(profiler);
        while (hasten_tasks_flush(profiler->tasks, calls, now)) {
        }
    }
}
