/* SPDX-License-Identifier: MIT
 *
 * Starting, stopping, and what is learned when an allocation is the first of its
 * kind. */
#include "ext/tracemalloc/tracer.h"

#include <stdlib.h>

#include "ext/tracemalloc/codes.h"
#include "ext/tracemalloc/imports.h"
#include "ext/tracemalloc/references.h"

struct hasten_tracer hasten_tracer;

uint32_t hasten_tracer_step(const struct hasten_spot *spot) {
    struct hasten_tracer *tracer = &hasten_tracer;
    uint32_t path = hasten_paths_find(&tracer->own.paths, spot->parent, spot->place);
    if (path != 0) {
        return path;
    }
    uint32_t code = HASTEN_TRACER_NO_CODE;
    if (spot->frame != NULL && hasten_codes_hold(hasten_py_frame_code(spot->frame), &code) < 0) {
        return 0;
    }
    return hasten_paths_add(&tracer->own.paths, spot->parent, spot->place, code);
}

uint32_t hasten_tracer_kind(const struct hasten_spot *spot, uint32_t size_bytes) {
    struct hasten_kinds *kinds = &hasten_tracer.own.kinds;
    uint32_t path = hasten_tracer_step(spot);
    uint32_t kind = path == 0 ? 0 : hasten_kinds_add(kinds, path, size_bytes);
    if (kind != 0) {
        struct hasten_kinds_line *line =
            hasten_kinds_line_of(kinds, spot->parent, spot->place, size_bytes);
        *line = (struct hasten_kinds_line){spot->place, spot->parent, size_bytes, kind};
    }
    return kind;
}

int hasten_tracer_parent(size_t top, uint32_t *ret_parent) {
    struct hasten_mirror *mirror = &hasten_tracer.mirror;
    const uint32_t limit = hasten_tracer.limit;
    const uint32_t depth = mirror->levels[top].depth;
    const uint32_t left_out = depth > limit ? depth - limit : 0;
    const size_t number = left_out % HASTEN_MIRROR_WAYS;
    struct hasten_mirror_paths *paths = mirror->paths;
    if (mirror->left_out[number] != left_out) {
        mirror->left_out[number] = left_out;
        mirror->valid[number] = 0;
    }
    size_t first = top;
    while (first > (size_t)mirror->valid[number] && mirror->levels[first - 1].depth > left_out) {
        first--;
    }
    uint32_t parent = HASTEN_PATHS_ROOT | left_out;
    if (first > 0 && mirror->levels[first - 1].depth > left_out) {
        parent = paths[first - 1].of[number];
    }
    for (size_t i = first; i < top; i++) {
        const struct hasten_mirror_level *level = &mirror->levels[i];
        if (level->is_visible) {
            const struct hasten_spot spot = {level->frame, level->place, parent};
            parent = hasten_tracer_step(&spot);
            if (parent == 0) {
                return -1;
            }
        }
        paths[i].of[number] = parent;
        mirror->valid[number] = (int32_t)i + 1;
        mirror->most_valid =
            mirror->most_valid > (int32_t)i + 1 ? mirror->most_valid : (int32_t)i + 1;
    }
    *ret_parent = parent;
    return 0;
}

/* A fork while another thread has a lock must not leave it locked for ever. */
static void before_fork(void) {
    hasten_lines_lock_all();
    hasten_stripes_lock_all(&hasten_tracer.shared);
}

static void after_fork(void) {
    hasten_stripes_unlock_all(&hasten_tracer.shared);
    hasten_lines_unlock_all();
}

/* The interpreter is gone, and with it all code objects: none is released. */
static void at_end(void) {
    hasten_tracer.is_armed = false;
    hasten_tracer.knows_end = false;
    hasten_tracer.code_count = 0;
}

/* Forgets all blocks and paths. Releasing code objects can run the program's own
 * code, so that everything is empty before. */
static void empty(struct hasten_tracer *tracer) {
    PyCodeObject **codes = tracer->codes;
    const size_t count = tracer->code_count;
    tracer->codes = NULL;
    tracer->code_count = 0;
    tracer->code_capacity = 0;
    tracer->codes_held = 0;
    tracer->codes_before_review = HASTEN_CODES_FIRST_REVIEW;
    hasten_map_clear(&tracer->code_map);
    hasten_mirror_forget(&tracer->mirror);
    hasten_ledger_done(&tracer->own);
    tracer->own.other_bytes = &tracer->shared.size_bytes;
    hasten_tracer_names_done(&tracer->names);
    /* Paths first: whoever makes one puts its block before the next may come. */
    hasten_lines_clear();
    hasten_stripes_clear(&tracer->shared);
    for (size_t i = 0; i < count; i++) {
        Py_XDECREF(codes[i]);
    }
    free((void *)codes);
}

/* The standard module, when it stops, puts back the allocator that it found: hooks
 * that were put over its own would go with them. */
static int check_standard(void) {
    PyObject *standard = PyImport_ImportModule("_tracemalloc");
    PyObject *answer = standard == NULL ? NULL : PyObject_CallMethod(standard, "is_tracing", NULL);
    const int is_tracing = answer == NULL ? -1 : PyObject_IsTrue(answer);
    if (is_tracing > 0) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the standard tracemalloc module is tracing: stop it first");
    }
    Py_XDECREF(answer);
    Py_XDECREF(standard);
    return is_tracing == 0 ? 0 : -1;
}

static int install(struct hasten_tracer *tracer) {
    if (check_standard() < 0) {
        return -1;
    }
    hasten_ledger_init(&tracer->own, NULL);
    hasten_stripes_init(&tracer->shared, &tracer->own.size_bytes, NULL);
    hasten_lines_init();
    hasten_map_init(&tracer->code_map, NULL);
    hasten_tracer_names_init(&tracer->names);
    tracer->own.other_bytes = &tracer->shared.size_bytes;
    if (pthread_atfork(before_fork, after_fork, after_fork) != 0) {
        PyErr_NoMemory();
        return -1;
    }
    hasten_hooks_install();
    tracer->is_installed = true;
    return 0;
}

int hasten_tracer_start(uint32_t limit) {
    struct hasten_tracer *tracer = &hasten_tracer;
    if (tracer->is_armed) {
        return 0;
    }
    if (!tracer->is_installed && install(tracer) < 0) {
        return -1;
    }
    if (!tracer->knows_end && Py_AtExit(at_end) < 0) {
        PyErr_SetString(PyExc_RuntimeError, "there are too many functions to call at exit");
        return -1;
    }
    tracer->knows_end = true;
    tracer->main = PyInterpreterState_Main();
    empty(tracer);
    /* Those who read it see that it is armed, or were done when all was emptied. */
    tracer->limit = limit;
    hasten_imports_patch();
    hasten_references_watch();
    hasten_stripes_open(&tracer->shared);
    __atomic_store_n(&tracer->is_armed, true, __ATOMIC_RELEASE);
    return 0;
}

void hasten_tracer_stop(void) {
    struct hasten_tracer *tracer = &hasten_tracer;
    if (tracer->is_armed) {
        __atomic_store_n(&tracer->is_armed, false, __ATOMIC_RELEASE);
        hasten_stripes_close(&tracer->shared);
        hasten_references_unwatch();
        empty(tracer);
        hasten_mirror_done(&tracer->mirror);
    }
}

void hasten_tracer_clear(void) {
    if (hasten_tracer.is_armed) {
        empty(&hasten_tracer);
    }
}

size_t hasten_tracer_bytes(void) {
    struct hasten_tracer *tracer = &hasten_tracer;
    size_t bytes = 0;
    if (tracer->is_installed) {
        bytes = hasten_ledger_bytes(&tracer->own) + hasten_stripes_own_bytes(&tracer->shared) +
                hasten_lines_bytes() + hasten_tracer_names_bytes(&tracer->names) +
                tracer->code_capacity * sizeof *tracer->codes +
                tracer->code_map.capacity * sizeof(struct hasten_map_slot) +
                tracer->mirror.capacity *
                    (sizeof *tracer->mirror.levels + sizeof *tracer->mirror.paths) +
                tracer->mirror.chain_capacity * sizeof *tracer->mirror.chain;
    }
    return bytes;
}
