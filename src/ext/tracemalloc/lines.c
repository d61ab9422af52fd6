/* SPDX-License-Identifier: MIT
 *
 * See lines.h. */
#include "ext/tracemalloc/lines.h"

#include <stdlib.h>

#include "core/heap/traces.h"

/* Read and written by the hooks, which have nothing else to find them by. */
static struct hasten_lines of_threads[HASTEN_LINES];
/* Threads that have some. */
static uint32_t thread_count;
/* Of this thread: the number of its own + 1, or 0. */
static __thread uint32_t own_number __attribute__((tls_model("initial-exec")));

struct hasten_lines *hasten_lines_lock(void) {
    if (own_number == 0) {
        own_number = __atomic_fetch_add(&thread_count, 1, __ATOMIC_RELAXED) % HASTEN_LINES + 1;
    }
    struct hasten_lines *lines = &of_threads[own_number - 1];
    pthread_mutex_lock(&lines->lock);
    return lines;
}

void hasten_lines_unlock(struct hasten_lines *lines) {
    pthread_mutex_unlock(&lines->lock);
}

/* The thread whose frames tell where this one is; NULL: none. */
static const PyThreadState *thread_to_read(const PyThreadState *thread) {
    if (thread == NULL) {
        thread = hasten_py_attached_thread();
    }
    /* While the interpreter goes away, so may the states of detached threads. */
    if (thread == NULL && !hasten_py_is_finalizing()) {
        thread = PyGILState_GetThisThreadState();
    }
    return thread;
}

/* Collects the newest frames that a path shows: how many; -1: no memory. `*ret_left_out`
 * are those that it does not show. */
static int64_t collect(struct hasten_lines *lines, const hasten_py_frame *frame, uint32_t limit,
                       uint32_t *ret_left_out) {
    size_t total = 0;
    for (; frame != NULL; frame = hasten_py_frame_previous(frame)) {
        if (!hasten_py_frame_is_visible(frame)) {
            continue;
        }
        if (total < limit) {
            if (hasten_grow(NULL, (void **)&lines->frames, &lines->frame_capacity, total + 1,
                            sizeof *lines->frames) != 0) {
                return -1;
            }
            lines->frames[total] = frame;
        }
        total++;
    }
    const size_t count = total < limit ? total : limit;
    *ret_left_out = (uint32_t)(total - count);
    return (int64_t)count;
}

static uint32_t add_frame(struct hasten_lines *lines, uint32_t parent,
                          const hasten_py_frame *frame) {
    PyCodeObject *code = hasten_py_frame_code(frame);
    uint32_t file = 0;
    if (hasten_tracer_names_add(&lines->names, code->co_filename, &file) < 0) {
        return 0;
    }
    const int line = hasten_py_code_line(code, hasten_py_frame_place(frame));
    /* File 0 at line 0 is what no frame has. */
    return hasten_paths_add(&lines->paths, parent, hasten_traces_place(file + 1, (uint32_t)line),
                            file);
}

uint32_t hasten_lines_path(struct hasten_lines *lines, const PyThreadState *thread,
                           uint32_t limit) {
    thread = thread_to_read(thread);
    const hasten_py_frame *frame = thread == NULL ? NULL : hasten_py_current_frame(thread);
    uint32_t left_out = 0;
    int64_t count = collect(lines, frame, limit, &left_out);
    if (count < 0) {
        return 0;
    }
    uint32_t path = HASTEN_PATHS_ROOT | left_out;
    if (count == 0) {
        path = hasten_paths_add(&lines->paths, path, 0, UINT32_MAX);
    }
    while (count > 0 && path != 0) {
        path = add_frame(lines, path, lines->frames[--count]);
    }
    return path == 0 || path >> HASTEN_LINES_PATH_BITS != 0
               ? 0
               : HASTEN_LINES_PATH | lines->number << HASTEN_LINES_PATH_BITS | path;
}

void hasten_lines_init(void) {
    for (uint32_t i = 0; i < HASTEN_LINES; i++) {
        pthread_mutex_init(&of_threads[i].lock, NULL);
        of_threads[i].number = i;
        hasten_paths_init(&of_threads[i].paths, NULL);
        hasten_tracer_names_init(&of_threads[i].names);
    }
}

void hasten_lines_clear(void) {
    for (size_t i = 0; i < HASTEN_LINES; i++) {
        pthread_mutex_lock(&of_threads[i].lock);
        hasten_paths_done(&of_threads[i].paths);
        hasten_tracer_names_done(&of_threads[i].names);
        free((void *)of_threads[i].frames);
        of_threads[i].frames = NULL;
        of_threads[i].frame_capacity = 0;
        pthread_mutex_unlock(&of_threads[i].lock);
    }
}

void hasten_lines_lock_all(void) {
    for (size_t i = 0; i < HASTEN_LINES; i++) {
        pthread_mutex_lock(&of_threads[i].lock);
    }
}

void hasten_lines_unlock_all(void) {
    for (size_t i = HASTEN_LINES; i > 0; i--) {
        pthread_mutex_unlock(&of_threads[i - 1].lock);
    }
}

const struct hasten_lines *hasten_lines_at(uint32_t number) {
    return &of_threads[number];
}

size_t hasten_lines_bytes(void) {
    size_t bytes = 0;
    for (size_t i = 0; i < HASTEN_LINES; i++) {
        pthread_mutex_lock(&of_threads[i].lock);
        bytes += hasten_paths_bytes(&of_threads[i].paths) +
                 hasten_tracer_names_bytes(&of_threads[i].names) +
                 of_threads[i].frame_capacity * sizeof *of_threads[i].frames;
        pthread_mutex_unlock(&of_threads[i].lock);
    }
    return bytes;
}
