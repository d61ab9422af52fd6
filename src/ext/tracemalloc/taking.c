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
    uint32_t *code_files; /* + 1 */
    uint32_t *name_files; /* + 1: of code objects that were let go */
    uint32_t *line_paths[HASTEN_LINES];
    uint32_t *line_files[HASTEN_LINES]; /* + 1 */
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

/* `file` is where the name's number is remembered. */
static hasten_status file_of_name(struct taking *taking, const struct hasten_tracer_name *name,
                                  uint32_t *file, uint32_t *ret_file) {
    if (*file == 0) {
        uint32_t number = 0;
        hasten_status status =
            hasten_traces_add_file(taking->traces, name->text, name->size, &number);
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
        const uint32_t index = step->code - HASTEN_TRACER_LET_GO;
        return file_of_name(taking, &hasten_tracer.names.items[index], &taking->name_files[index],
                            ret_file);
    }
    PyCodeObject *code = hasten_tracer.codes[step->code];
    *ret_line = (uint32_t)hasten_py_code_line(code, (uintptr_t)step->place);
    return file_of_code(taking, step->code, ret_file);
}

static hasten_status line_place(struct taking *taking, uint32_t number,
                                const struct hasten_path *step, uint32_t *ret_file,
                                uint32_t *ret_line) {
    *ret_line = 0;
    if (step->code == HASTEN_TRACER_NO_CODE) {
        return unknown_place(taking, ret_file);
    }
    *ret_line = hasten_traces_place_line(step->place);
    return file_of_name(taking, &hasten_lines_at(number)->names.items[step->code],
                        &taking->line_files[number][step->code], ret_file);
}

/* The snapshot's path. Parents have smaller numbers: those that are missing are found
 * by going up and made by coming down. */
static hasten_status resolve(struct taking *taking, uint32_t path, uint32_t *ret_path) {
    const bool is_of_lines = (path & HASTEN_LINES_PATH) != 0;
    const uint32_t number = is_of_lines ? hasten_lines_number(path) : 0;
    path = is_of_lines ? hasten_lines_path_there(path) : path;
    const struct hasten_path *items =
        is_of_lines ? hasten_lines_at(number)->paths.items : hasten_tracer.own.paths.items;
    uint32_t *known = is_of_lines ? taking->line_paths[number] : taking->own_paths;
    while (known[path] == 0) {
        uint32_t missing = path;
        while (items[missing].parent < HASTEN_PATHS_ROOT && known[items[missing].parent] == 0) {
            missing = items[missing].parent;
        }
        const struct hasten_path *step = &items[missing];
        uint32_t parent = step->parent < HASTEN_PATHS_ROOT ? known[step->parent] : step->parent;
        uint32_t file = 0;
        uint32_t line = 0;
        hasten_status status = is_of_lines ? line_place(taking, number, step, &file, &line)
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
    struct hasten_block block;
    for (struct hasten_blocks_cursor cursor = {0}; hasten_blocks_next(blocks, &cursor, &block);) {
        hasten_status status = add(taking, block.path, block.domain, block.size_bytes, 1);
        if (status != HASTEN_OK) {
            return status;
        }
    }
    return HASTEN_OK;
}

static hasten_status add_shared(struct taking *taking) {
    hasten_status status = HASTEN_OK;
    for (size_t i = 0; status == HASTEN_OK && i < HASTEN_STRIPES; i++) {
        struct hasten_stripe *stripe = &hasten_tracer.shared.items[i];
        pthread_mutex_lock(&stripe->lock);
        status = add_blocks(taking, &stripe->blocks);
        pthread_mutex_unlock(&stripe->lock);
    }
    return status;
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
    return status == HASTEN_OK ? add_shared(taking) : status;
}

static uint32_t *numbers(size_t count) {
    return calloc(count + 1, sizeof(uint32_t));
}

/* With the locks of all lines, so that numbers stay what they are. */
static hasten_status prepare(struct taking *taking, struct hasten_traces *traces) {
    const struct hasten_tracer *tracer = &hasten_tracer;
    *taking = (struct taking){
        .traces = traces,
        .own_paths = numbers(tracer->own.paths.count),
        .code_files = numbers(tracer->code_count),
        .name_files = numbers(tracer->names.count),
    };
    hasten_buffer_init(&taking->name, NULL);
    bool is_ready =
        taking->own_paths != NULL && taking->code_files != NULL && taking->name_files != NULL;
    for (uint32_t i = 0; is_ready && i < HASTEN_LINES; i++) {
        taking->line_paths[i] = numbers(hasten_lines_at(i)->paths.count);
        taking->line_files[i] = numbers(hasten_lines_at(i)->names.count);
        is_ready = taking->line_paths[i] != NULL && taking->line_files[i] != NULL;
    }
    return is_ready ? HASTEN_OK : HASTEN_NO_MEMORY;
}

static void release(struct taking *taking) {
    free(taking->own_paths);
    free(taking->code_files);
    free(taking->name_files);
    for (size_t i = 0; i < HASTEN_LINES; i++) {
        free(taking->line_paths[i]);
        free(taking->line_files[i]);
    }
    hasten_buffer_done(&taking->name);
}

hasten_status hasten_table_take(struct hasten_traces *traces) {
    struct taking taking;
    if (!hasten_tracer.is_armed) {
        return HASTEN_OK;
    }
    hasten_lines_lock_all();
    hasten_status status = prepare(&taking, traces);
    if (status == HASTEN_OK) {
        status = add_all(&taking);
    }
    hasten_lines_unlock_all();
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
    hasten_lines_lock_all();
    if ((domain == 0 && hasten_ledger_find(&tracer->own, 0, address, &block)) ||
        hasten_stripes_find(&tracer->shared, domain, address, &block)) {
        status = take_path(traces, block.path, ret_path);
    }
    hasten_lines_unlock_all();
    return status;
}
