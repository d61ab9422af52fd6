/* SPDX-License-Identifier: MIT
 *
 * Takes a snapshot: resolves the paths of live blocks to files and lines. Allocates
 * nothing of Python, so that nothing changes meanwhile. */
#include "ext/tracemalloc/table.h"

#include <stdlib.h>

#include "ext/tracemalloc/codes.h"
#include "ext/tracemalloc/text.h"
#include "ext/tracemalloc/tracer.h"

/* What the tracer's numbers are in the snapshot; 0: not asked for yet. */
struct taking {
    struct hasten_traces *traces;
    uint32_t *own_paths;
    uint32_t *shared_paths;
    uint32_t *code_files;   /* + 1 */
    uint32_t *shared_files; /* + 1 */
    struct hasten_buffer name;
};

static const char unknown[] = "<unknown>";

static hasten_status unknown_place(struct taking *taking, uint32_t *ret_file) {
    return hasten_traces_add_file(taking->traces, unknown, sizeof unknown - 1, ret_file);
}

static hasten_status file_of_code(struct taking *taking, uint32_t index, uint32_t *ret_file) {
    uint32_t *file = &taking->code_files[index];
    if (*file == 0) {
        hasten_buffer_clear(&taking->name);
        hasten_status status = HASTEN_OK;
        uint32_t number = 0;
        if (hasten_py_text_append(&taking->name, hasten_tracer.codes[index]->co_filename) == 0) {
            status = hasten_traces_add_file(taking->traces, taking->name.data, taking->name.size,
                                            &number);
        } else {
            status = unknown_place(taking, &number);
        }
        if (status != HASTEN_OK) {
            return status;
        }
        *file = number + 1;
    }
    *ret_file = *file - 1;
    return HASTEN_OK;
}

static hasten_status file_of_name(struct taking *taking, uint32_t index, uint32_t *ret_file) {
    uint32_t *file = &taking->shared_files[index];
    if (*file == 0) {
        const struct hasten_tracer_file *known = &hasten_tracer.files[index];
        uint32_t number = 0;
        hasten_status status =
            hasten_traces_add_file(taking->traces, known->name, known->size, &number);
        if (status != HASTEN_OK) {
            return status;
        }
        *file = number + 1;
    }
    *ret_file = *file - 1;
    return HASTEN_OK;
}

static hasten_status own_place(struct taking *taking, const struct hasten_path *step,
                               uint32_t *ret_file, uint32_t *ret_line) {
    *ret_line = 0;
    if (step->code == HASTEN_TRACER_NO_CODE) {
        return unknown_place(taking, ret_file);
    }
    if (step->code >= HASTEN_TRACER_LET_GO) {
        *ret_line = hasten_codes_line(step->place);
        return file_of_name(taking, step->code - HASTEN_TRACER_LET_GO, ret_file);
    }
    PyCodeObject *code = hasten_tracer.codes[step->code];
    *ret_line = (uint32_t)hasten_py_code_line(code, (uintptr_t)step->place);
    return file_of_code(taking, step->code, ret_file);
}

static hasten_status shared_place(struct taking *taking, const struct hasten_path *step,
                                  uint32_t *ret_file, uint32_t *ret_line) {
    *ret_line = 0;
    if (step->code == HASTEN_TRACER_NO_CODE) {
        return unknown_place(taking, ret_file);
    }
    *ret_line = hasten_traces_place_line(step->place);
    return file_of_name(taking, step->code, ret_file);
}

/* The snapshot's path. Parents have smaller numbers: those that are missing are found
 * by going up and made by coming down. */
static hasten_status resolve(struct taking *taking, uint32_t path, uint32_t *ret_path) {
    const bool is_shared = (path & HASTEN_TRACER_SHARED_PATH) != 0;
    path &= ~HASTEN_TRACER_SHARED_PATH;
    const struct hasten_path *items =
        is_shared ? hasten_tracer.shared.paths.items : hasten_tracer.own.paths.items;
    uint32_t *known = is_shared ? taking->shared_paths : taking->own_paths;
    while (known[path] == 0) {
        uint32_t missing = path;
        while (items[missing].parent < HASTEN_PATHS_ROOT && known[items[missing].parent] == 0) {
            missing = items[missing].parent;
        }
        const struct hasten_path *step = &items[missing];
        uint32_t parent = step->parent < HASTEN_PATHS_ROOT ? known[step->parent] : step->parent;
        uint32_t file = 0;
        uint32_t line = 0;
        hasten_status status = is_shared ? shared_place(taking, step, &file, &line)
                                         : own_place(taking, step, &file, &line);
        if (status == HASTEN_OK) {
            status = hasten_traces_add_step(taking->traces, parent, file, line, &known[missing]);
        }
        if (status != HASTEN_OK) {
            return status;
        }
    }
    *ret_path = known[path];
    return HASTEN_OK;
}

static hasten_status add(struct taking *taking, uint32_t path, uint32_t domain, uint64_t size_bytes,
                         uint64_t count) {
    uint32_t resolved = 0;
    hasten_status status = resolve(taking, path, &resolved);
    return status == HASTEN_OK
               ? hasten_traces_add_row(taking->traces, resolved, domain, size_bytes, count)
               : status;
}

static hasten_status add_blocks(struct taking *taking, const struct hasten_blocks *blocks) {
    for (size_t i = 0; i < HASTEN_BLOCK_SHARDS; i++) {
        const struct hasten_block_shard *shard = &blocks->shards[i];
        for (size_t k = 0; k < shard->capacity; k++) {
            const struct hasten_block *block = &shard->slots[k];
            if (block->path != 0) {
                hasten_status status =
                    add(taking, block->path, block->domain, block->size_bytes, 1);
                if (status != HASTEN_OK) {
                    return status;
                }
            }
        }
    }
    return HASTEN_OK;
}

static hasten_status add_all(struct taking *taking) {
    const struct hasten_kinds *kinds = &hasten_tracer.own.kinds;
    /* What was seen last comes first. */
    for (size_t i = kinds->count; i > 1; i--) {
        const struct hasten_kind *kind = &kinds->items[i - 1];
        if (kind->live != 0) {
            hasten_status status = add(taking, kind->path, 0, kind->size_bytes, kind->live);
            if (status != HASTEN_OK) {
                return status;
            }
        }
    }
    hasten_status status = add_blocks(taking, &hasten_tracer.own.blocks);
    return status == HASTEN_OK ? add_blocks(taking, &hasten_tracer.shared.blocks) : status;
}

/* With the lock held, so that numbers stay what they are. */
static hasten_status prepare(struct taking *taking, struct hasten_traces *traces) {
    const struct hasten_tracer *tracer = &hasten_tracer;
    *taking = (struct taking){
        .traces = traces,
        .own_paths = calloc(tracer->own.paths.count + 1, sizeof(uint32_t)),
        .shared_paths = calloc(tracer->shared.paths.count + 1, sizeof(uint32_t)),
        .code_files = calloc(tracer->code_count + 1, sizeof(uint32_t)),
        .shared_files = calloc(tracer->file_count + 1, sizeof(uint32_t)),
    };
    hasten_buffer_init(&taking->name, NULL);
    return taking->own_paths == NULL || taking->shared_paths == NULL ||
                   taking->code_files == NULL || taking->shared_files == NULL
               ? HASTEN_NO_MEMORY
               : HASTEN_OK;
}

static void release(struct taking *taking) {
    free(taking->own_paths);
    free(taking->shared_paths);
    free(taking->code_files);
    free(taking->shared_files);
    hasten_buffer_done(&taking->name);
}

hasten_status hasten_table_take(struct hasten_traces *traces) {
    struct taking taking;
    pthread_mutex_lock(&hasten_tracer.lock);
    hasten_status status = prepare(&taking, traces);
    if (status == HASTEN_OK && hasten_tracer.is_armed) {
        status = add_all(&taking);
    }
    pthread_mutex_unlock(&hasten_tracer.lock);
    release(&taking);
    return status;
}

/* Of one block only its own path is looked at: numbers are not remembered. */
static hasten_status take_path(struct hasten_traces *traces, uint32_t path, uint32_t *ret_path) {
    struct taking taking;
    hasten_status status = prepare(&taking, traces);
    if (status == HASTEN_OK) {
        status = resolve(&taking, path, ret_path);
    }
    release(&taking);
    return status;
}

hasten_status hasten_table_take_block(struct hasten_traces *traces, uint32_t domain,
                                      uint64_t address, uint32_t *ret_path) {
    struct hasten_tracer *tracer = &hasten_tracer;
    struct hasten_block block;
    hasten_status status = HASTEN_OK;
    *ret_path = 0;
    if (!tracer->is_armed) {
        return HASTEN_OK;
    }
    pthread_mutex_lock(&tracer->lock);
    if ((domain == 0 && hasten_ledger_find(&tracer->own, 0, address, &block)) ||
        hasten_ledger_find(&tracer->shared, domain, address, &block)) {
        status = take_path(traces, block.path, ret_path);
    }
    pthread_mutex_unlock(&tracer->lock);
    return status;
}
