/* SPDX-License-Identifier: MIT
 *
 * Coroutines on the stack, in the order of their frames, and coroutines aside. */
#include "ext/cprofile/tasks.h"

#include "core/base/map.h"

#include <stddef.h>
#include <string.h>

struct coroutine {
    PyObject *frame;               /* a reference: who it is */
    struct hasten_call_frame call; /* while it is suspended */
    uint32_t stack;                /* while it runs: on which stack, */
    ptrdiff_t depth;               /* and where there */
    int64_t step;                  /* when it was resumed or suspended */
    bool awaits;                   /* suspended because what it awaits is */
};

/* Running ones are in the order in which they were resumed, those of all threads
 * together. */
struct hasten_tasks {
    bool waiting_counts;
    struct coroutine *running;
    size_t running_capacity;
    uint32_t running_count;
    struct coroutine *aside;
    size_t aside_capacity;
    uint32_t aside_count;
    struct hasten_map places; /* frame -> index in aside */
};

static struct hasten_map_key key_of(const PyObject *frame) {
    return (struct hasten_map_key){.low = (uint64_t)(uintptr_t)frame};
}

struct hasten_tasks *hasten_tasks_new(bool waiting_counts) {
    struct hasten_tasks *tasks = PyMem_Calloc(1, sizeof *tasks);
    if (tasks == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    tasks->waiting_counts = waiting_counts;
    hasten_map_init(&tasks->places, NULL);
    return tasks;
}

void hasten_tasks_clear(struct hasten_tasks *tasks) {
    /* Releasing a frame may run code, which may come back here. */
    while (tasks->running_count > 0) {
        Py_DECREF(tasks->running[--tasks->running_count].frame);
    }
    while (tasks->aside_count > 0) {
        PyObject *frame = tasks->aside[--tasks->aside_count].frame;
        hasten_map_remove(&tasks->places, key_of(frame));
        Py_DECREF(frame);
    }
}

void hasten_tasks_free(struct hasten_tasks *tasks) {
    if (tasks != NULL) {
        hasten_tasks_clear(tasks);
        hasten_release(NULL, tasks->running, tasks->running_capacity * sizeof *tasks->running);
        hasten_release(NULL, tasks->aside, tasks->aside_capacity * sizeof *tasks->aside);
        hasten_map_done(&tasks->places);
        PyMem_Free(tasks);
    }
}

/* A place for one more at the end; NULL without memory. */
static struct coroutine *append(struct coroutine **array, size_t *capacity, uint32_t *count) {
    void *grown = *array;
    if (hasten_grow(NULL, &grown, capacity, *count + 1u, sizeof **array) < 0) {
        return NULL;
    }
    *array = grown;
    return &(*array)[(*count)++];
}

/* The running coroutine whose call is the current one; NULL: it is none's. */
static struct coroutine *top_of(const struct hasten_tasks *tasks,
                                const struct hasten_calls *calls) {
    ptrdiff_t depth = calls->stack.top - calls->stack.frames;
    for (uint32_t i = tasks->running_count; i-- > 0;) {
        struct coroutine *coroutine = &tasks->running[i];
        if (coroutine->stack == calls->stack.id) {
            return coroutine->depth == depth ? coroutine : NULL;
        }
    }
    return NULL;
}

/* Takes a running one out. */
static struct coroutine stop(struct hasten_tasks *tasks, struct coroutine *coroutine) {
    struct coroutine stopped = *coroutine;
    struct coroutine *end = tasks->running + tasks->running_count--;
    memmove(coroutine, coroutine + 1, (size_t)(end - coroutine - 1) * sizeof *coroutine);
    return stopped;
}

bool hasten_tasks_on_top(const struct hasten_tasks *tasks, const struct hasten_calls *calls) {
    return top_of(tasks, calls) != NULL;
}

void hasten_tasks_began(struct hasten_tasks *tasks, struct hasten_calls *calls, PyObject *frame,
                        int64_t now) {
    struct coroutine *coroutine =
        append(&tasks->running, &tasks->running_capacity, &tasks->running_count);
    if (coroutine == NULL) {
        calls->ran_out = true;
        return;
    }
    *coroutine = (struct coroutine){
        .frame = Py_NewRef(frame),
        .stack = calls->stack.id,
        .depth = calls->stack.top - calls->stack.frames,
        .step = now,
    };
}

static void put_down(struct hasten_call_node *node) {
    if (--node->function->level != 0) {
        node->level--;
    }
}

PyObject *hasten_tasks_suspend(struct hasten_tasks *tasks, struct hasten_calls *calls,
                               int64_t now) {
    struct coroutine *coroutine = top_of(tasks, calls);
    struct coroutine *aside = append(&tasks->aside, &tasks->aside_capacity, &tasks->aside_count);
    if (aside != NULL && hasten_map_insert(&tasks->places, key_of(coroutine->frame),
                                           tasks->aside_count - 1, NULL) == NULL) {
        tasks->aside_count--;
        aside = NULL;
    }
    if (aside == NULL) {
        /* Its call ends here, then. */
        calls->ran_out = true;
        int64_t total;
        return hasten_tasks_leave(tasks, calls, now, &total);
    }
    *aside = stop(tasks, coroutine);
    aside->call = *calls->stack.top--;
    calls->stack.top->nested += now - aside->step;
    put_down(aside->call.node);
    aside->step = now;
    /* Who awaits it will be suspended next, because of it. */
    struct coroutine *awaiting = top_of(tasks, calls);
    if (awaiting != NULL) {
        awaiting->awaits = true;
    }
    return NULL;
}

/* Takes one out of those aside. */
static struct coroutine take(struct hasten_tasks *tasks, uint32_t index) {
    struct coroutine taken = tasks->aside[index];
    hasten_map_remove(&tasks->places, key_of(taken.frame));
    uint32_t last = --tasks->aside_count;
    if (index != last) {
        tasks->aside[index] = tasks->aside[last];
        *hasten_map_find(&tasks->places, key_of(tasks->aside[index].frame)) = index;
    }
    return taken;
}

bool hasten_tasks_resume(struct hasten_tasks *tasks, struct hasten_calls *calls, PyObject *frame,
                         int64_t now) {
    const uint32_t *index = hasten_map_find(&tasks->places, key_of(frame));
    if (index == NULL || (!hasten_calls_has_room(calls) && !hasten_calls_grow(calls))) {
        return false;
    }
    struct coroutine *running =
        append(&tasks->running, &tasks->running_capacity, &tasks->running_count);
    if (running == NULL) {
        calls->ran_out = true;
        return false;
    }
    *running = take(tasks, *index);
    int64_t waited = now - running->step;
    struct hasten_call_frame *call = hasten_calls_push(calls, running->call.node);
    call->start = running->call.start;
    call->nested = running->call.nested;
    if (!tasks->waiting_counts) {
        call->start += waited;
    } else if (running->awaits) {
        call->nested += waited;
    }
    running->awaits = false;
    running->stack = calls->stack.id;
    running->depth = call - calls->stack.frames;
    running->step = now;
    return true;
}

PyObject *hasten_tasks_leave(struct hasten_tasks *tasks, struct hasten_calls *calls, int64_t now,
                             int64_t *ret_total) {
    struct coroutine coroutine = stop(tasks, top_of(tasks, calls));
    int64_t total = hasten_calls_leave(calls, now);
    /* Its caller was not there all the time. */
    calls->stack.top->nested -= total - (now - coroutine.step);
    *ret_total = total;
    return coroutine.frame;
}

bool hasten_tasks_flush(struct hasten_tasks *tasks, struct hasten_calls *calls, int64_t now) {
    if (tasks->aside_count == 0) {
        return false;
    }
    struct coroutine *last = &tasks->aside[tasks->aside_count - 1];
    /* One that is gone was closed when nobody looked, but not later than now. */
    PyObject *generator = PyFrame_GetGenerator((PyFrameObject *)last->frame);
    int64_t end = generator == NULL ? last->step : now;
    Py_XDECREF(generator);
    if (!hasten_tasks_resume(tasks, calls, last->frame, end)) {
        return false;
    }
    int64_t total;
    Py_DECREF(hasten_tasks_leave(tasks, calls, end, &total));
    return true;
}
