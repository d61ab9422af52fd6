/* SPDX-License-Identifier: MIT
 *
 * The ledger that a lock guards. Without the main interpreter's GIL no code object
 * can be held: the lines of the running thread's frames, which hold their code
 * themselves, are read at once, and names are kept by their contents. */
#include "ext/tracemalloc/tracer.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"
#include "core/heap/traces.h"
#include "ext/tracemalloc/text.h"

int hasten_tracer_file(PyObject *name, uint32_t *ret_file) {
    struct hasten_tracer *tracer = &hasten_tracer;
    hasten_buffer_clear(&tracer->name);
    if (hasten_py_text_append(&tracer->name, name) < 0) {
        return -1;
    }
    const struct hasten_map_key key =
        hasten_hash((struct hasten_map_key){0}, tracer->name.data, tracer->name.size);
    const uint32_t *known = hasten_map_find(&tracer->file_map, key);
    if (known != NULL) {
        *ret_file = *known;
        return 0;
    }
    if (hasten_grow(NULL, (void **)&tracer->files, &tracer->file_capacity, tracer->file_count + 1,
                    sizeof *tracer->files) != 0) {
        return -1;
    }
    char *copy = malloc(tracer->name.size + 1);
    if (copy == NULL ||
        hasten_map_insert(&tracer->file_map, key, (uint32_t)tracer->file_count, NULL) == NULL) {
        free(copy);
        return -1;
    }
    memcpy(copy, tracer->name.data, tracer->name.size);
    tracer->files[tracer->file_count] = (struct hasten_tracer_file){copy, tracer->name.size};
    *ret_file = (uint32_t)tracer->file_count++;
    return 0;
}

static int reserve_frames(struct hasten_tracer *tracer, size_t count) {
    return hasten_grow(NULL, (void **)&tracer->frames, &tracer->frame_capacity, count,
                       sizeof *tracer->frames);
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

/* The path of lines of a thread's stack; 0: no memory. */
static uint32_t path_of_lines(struct hasten_tracer *tracer, const PyThreadState *thread) {
    const hasten_py_frame *frame = thread == NULL ? NULL : hasten_py_current_frame(thread);
    size_t total = 0;
    for (; frame != NULL; frame = hasten_py_frame_previous(frame)) {
        if (!hasten_py_frame_is_visible(frame)) {
            continue;
        }
        if (total < tracer->limit) {
            if (reserve_frames(tracer, total + 1) != 0) {
                return 0;
            }
            tracer->frames[total] = frame;
        }
        total++;
    }
    size_t count = total < tracer->limit ? total : tracer->limit;
    uint32_t path = HASTEN_PATHS_ROOT | (uint32_t)(total - count);
    if (count == 0) {
        return hasten_paths_add(&tracer->shared.paths, path, 0, HASTEN_TRACER_NO_CODE);
    }
    while (count > 0 && path != 0) {
        frame = tracer->frames[--count];
        PyCodeObject *code = hasten_py_frame_code(frame);
        uint32_t file = 0;
        if (hasten_tracer_file(code->co_filename, &file) < 0) {
            return 0;
        }
        int line = hasten_py_code_line(code, hasten_py_frame_place(frame));
        /* File 0 at line 0 is what no frame has. */
        path = hasten_paths_add(&tracer->shared.paths, path,
                                hasten_traces_place(file + 1, (uint32_t)line), file);
    }
    return path;
}

bool hasten_tracer_share(const PyThreadState *thread, uint32_t domain, uint64_t address,
                         size_t size_bytes) {
    struct hasten_tracer *tracer = &hasten_tracer;
    struct hasten_block block = {.address = address, .size_bytes = size_bytes, .domain = domain};
    struct hasten_spot spot;
    const bool is_own = thread != NULL && thread->interp == tracer->main;
    if (is_own && hasten_tracer_spot(thread, &spot) == 0) {
        block.path = hasten_tracer_step(&spot);
    }
    pthread_mutex_lock(&tracer->lock);
    /* It may have been stopped while we waited. */
    const bool is_armed = __atomic_load_n(&tracer->is_armed, __ATOMIC_ACQUIRE);
    if (is_armed && !is_own) {
        block.path = path_of_lines(tracer, thread_to_read(thread));
        block.path |= block.path == 0 ? 0 : HASTEN_TRACER_SHARED_PATH;
    }
    const uint64_t lost = tracer->shared.lost;
    if (is_armed && block.path != 0) {
        hasten_ledger_put_block(&tracer->shared, &block);
    } else if (is_armed) {
        tracer->shared.lost++;
    }
    const bool is_there = is_armed && tracer->shared.lost == lost;
    pthread_mutex_unlock(&tracer->lock);
    return is_there;
}

bool hasten_tracer_unshare(uint32_t domain, uint64_t address, struct hasten_block *ret_block) {
    struct hasten_tracer *tracer = &hasten_tracer;
    pthread_mutex_lock(&tracer->lock);
    bool was_there = __atomic_load_n(&tracer->is_armed, __ATOMIC_ACQUIRE) &&
                     hasten_ledger_forget_block(&tracer->shared, domain, address, ret_block);
    pthread_mutex_unlock(&tracer->lock);
    return was_there;
}

void hasten_tracer_restore(const struct hasten_block *block) {
    struct hasten_tracer *tracer = &hasten_tracer;
    pthread_mutex_lock(&tracer->lock);
    if (__atomic_load_n(&tracer->is_armed, __ATOMIC_ACQUIRE)) {
        hasten_ledger_put_block(&tracer->shared, block);
    }
    pthread_mutex_unlock(&tracer->lock);
}
