/* SPDX-License-Identifier: MIT
 *
 * Holding code objects, and letting them go. */
#include "ext/tracemalloc/codes.h"

#include <stdlib.h>

#include "ext/tracemalloc/tracer.h"

/* Functions within functions, as deep as anybody writes them. */
#define MOST_LEVELS 10

/* A place that is no address, for those are even: line, number of the path, 1. */
static uint64_t place_of_line(uint32_t line, size_t path) {
    return ((uint64_t)line << 33) | ((uint64_t)path << 1) | 1;
}

uint32_t hasten_codes_line(uint64_t place) {
    return (uint32_t)(place >> 33);
}

static int review_later(void *Py_UNUSED(unused)) {
    if (hasten_tracer.is_armed) {
        hasten_codes_review();
    }
    return 0;
}

int hasten_codes_hold(PyCodeObject *code, uint32_t *ret_index) {
    struct hasten_tracer *tracer = &hasten_tracer;
    const struct hasten_map_key key = {.low = (uint64_t)(uintptr_t)code};
    if (hasten_grow(NULL, (void **)&tracer->codes, &tracer->code_capacity, tracer->code_count + 1,
                    sizeof *tracer->codes) != 0 ||
        tracer->code_count >= HASTEN_TRACER_LET_GO) {
        return -1;
    }
    bool inserted = false;
    const uint32_t *index =
        hasten_map_insert(&tracer->code_map, key, (uint32_t)tracer->code_count, &inserted);
    if (index == NULL) {
        return -1;
    }
    *ret_index = *index;
    if (inserted) {
        tracer->codes[tracer->code_count++] = (PyCodeObject *)Py_NewRef((PyObject *)code);
        if (++tracer->codes_held > tracer->codes_before_review &&
            Py_AddPendingCall(review_later, NULL) == 0) {
            /* Not again before it is done. */
            tracer->codes_before_review = SIZE_MAX;
        }
    }
    return 0;
}

/* What is to be let go: for each code object its file + 1, or 0. */
static uint32_t *find_unneeded(struct hasten_tracer *tracer) {
    uint32_t *files = calloc(tracer->code_count + 1, sizeof *files);
    size_t found = 0;
    for (size_t i = 0; files != NULL && i < tracer->code_count; i++) {
        PyCodeObject *code = tracer->codes[i];
        uint32_t file = 0;
        if (code != NULL && Py_REFCNT(code) == 1 &&
            hasten_tracer_names_add(&tracer->names, code->co_filename, &file) == 0) {
            files[i] = file + 1;
            found++;
        }
    }
    if (found == 0) {
        free(files);
        files = NULL;
    }
    return files;
}

static void replace_places(struct hasten_tracer *tracer, const uint32_t *files) {
    struct hasten_paths *paths = &tracer->own.paths;
    for (size_t i = 1; i < paths->count; i++) {
        struct hasten_path *path = &paths->items[i];
        if (path->code < HASTEN_TRACER_LET_GO && files[path->code] != 0) {
            int line = hasten_py_code_line(tracer->codes[path->code], (uintptr_t)path->place);
            path->place = place_of_line((uint32_t)line, i);
            path->code = HASTEN_TRACER_LET_GO | (files[path->code] - 1);
        }
    }
    hasten_paths_find_again(paths);
    hasten_kinds_forget_cached(&tracer->own.kinds);
    hasten_mirror_forget(&tracer->mirror);
}

/* Lets go once: how many. */
static size_t let_go(struct hasten_tracer *tracer) {
    const size_t count = tracer->code_count;
    uint32_t *files = find_unneeded(tracer);
    PyCodeObject **unneeded = files == NULL ? NULL : malloc(count * sizeof *unneeded);
    size_t unneeded_count = 0;
    if (unneeded != NULL) {
        replace_places(tracer, files);
        for (size_t i = 0; i < count; i++) {
            if (files[i] != 0) {
                const struct hasten_map_key key = {.low = (uint64_t)(uintptr_t)tracer->codes[i]};
                hasten_map_remove(&tracer->code_map, key);
                unneeded[unneeded_count++] = tracer->codes[i];
                tracer->codes[i] = NULL;
            }
        }
    }
    free(files);
    tracer->codes_held -= unneeded_count;
    /* Last: what is released may run anything. */
    for (size_t i = 0; i < unneeded_count; i++) {
        Py_DECREF(unneeded[i]);
    }
    free((void *)unneeded);
    return unneeded_count;
}

void hasten_codes_review(void) {
    struct hasten_tracer *tracer = &hasten_tracer;
    /* A module's code holds that of its functions: those come next. */
    for (int level = 0; level < MOST_LEVELS && let_go(tracer) != 0; level++) {
    }
    tracer->codes_before_review = tracer->codes_held * 2 > HASTEN_CODES_FIRST_REVIEW
                                      ? tracer->codes_held * 2
                                      : HASTEN_CODES_FIRST_REVIEW;
}
