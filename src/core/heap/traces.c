/* SPDX-License-Identifier: MIT
 *
 * A snapshot's rows, files and paths. */
#include "core/heap/traces.h"

#include <string.h>

#include "core/base/hash.h"

void hasten_traces_init(struct hasten_traces *traces, const struct hasten_allocator *allocator) {
    memset(traces, 0, sizeof *traces);
    traces->allocator = allocator;
    hasten_buffer_init(&traces->names, allocator);
    hasten_map_init(&traces->file_map, allocator);
    hasten_paths_init(&traces->paths, allocator);
}

void hasten_traces_done(struct hasten_traces *traces) {
    hasten_buffer_done(&traces->names);
    hasten_map_done(&traces->file_map);
    hasten_paths_done(&traces->paths);
    hasten_release(traces->allocator, traces->files, traces->file_capacity * sizeof *traces->files);
    hasten_release(traces->allocator, traces->rows, traces->row_capacity * sizeof *traces->rows);
    hasten_traces_init(traces, traces->allocator);
}

hasten_status hasten_traces_add_file(struct hasten_traces *traces, const char *name, size_t size,
                                     uint32_t *ret_file) {
    const struct hasten_map_key key = hasten_hash((struct hasten_map_key){0}, name, size);
    const uint32_t *known = hasten_map_find(&traces->file_map, key);
    if (known != NULL) {
        *ret_file = *known;
        return HASTEN_OK;
    }
    const size_t offset = traces->names.size;
    if (traces->file_count >= UINT32_MAX) {
        return HASTEN_LIMIT;
    }
    if (hasten_grow(traces->allocator, (void **)&traces->files, &traces->file_capacity,
                    traces->file_count + 1, sizeof *traces->files) != 0) {
        return HASTEN_NO_MEMORY;
    }
    hasten_buffer_append(&traces->names, name, size);
    if (traces->names.failed ||
        hasten_map_insert(&traces->file_map, key, (uint32_t)traces->file_count, NULL) == NULL) {
        return HASTEN_NO_MEMORY;
    }
    traces->files[traces->file_count] = (struct hasten_traces_file){offset, size};
    *ret_file = (uint32_t)traces->file_count++;
    return HASTEN_OK;
}

hasten_status hasten_traces_add_step(struct hasten_traces *traces, uint32_t parent, uint32_t file,
                                     uint32_t line, uint32_t *ret_path) {
    const uint32_t path =
        hasten_paths_add(&traces->paths, parent, hasten_traces_place(file, line), file);
    if (path == 0) {
        return HASTEN_NO_MEMORY;
    }
    *ret_path = path;
    return HASTEN_OK;
}

hasten_status hasten_traces_add_row(struct hasten_traces *traces, uint32_t path, uint32_t domain,
                                    uint64_t size_bytes, uint64_t count) {
    if (count == 0) {
        return HASTEN_OK;
    }
    if (hasten_grow(traces->allocator, (void **)&traces->rows, &traces->row_capacity,
                    traces->row_count + 1, sizeof *traces->rows) != 0) {
        return HASTEN_NO_MEMORY;
    }
    traces->rows[traces->row_count] = (struct hasten_traces_row){
        .path = path,
        .domain = domain,
        .size_bytes = size_bytes,
        .count = count,
        .end = hasten_traces_count(traces) + count,
    };
    traces->row_count++;
    return HASTEN_OK;
}

size_t hasten_traces_row_of(const struct hasten_traces *traces, uint64_t number) {
    size_t low = 0;
    size_t high = traces->row_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (traces->rows[middle].end <= number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const char *hasten_traces_name(const struct hasten_traces *traces, uint32_t file,
                               size_t *ret_size) {
    *ret_size = traces->files[file].size;
    return traces->names.data == NULL ? "" : traces->names.data + traces->files[file].offset;
}

uint32_t hasten_traces_depth(const struct hasten_traces *traces, uint32_t path,
                             uint32_t *ret_left_out) {
    uint32_t depth = 0;
    while (path < HASTEN_PATHS_ROOT) {
        path = traces->paths.items[path].parent;
        depth++;
    }
    *ret_left_out = hasten_paths_left_out(path);
    return depth;
}

static bool place_matches(const struct hasten_traces_filter *filter, uint64_t place) {
    return filter->files[hasten_traces_place_file(place)] != 0 &&
           (!filter->has_line || hasten_traces_place_line(place) == filter->line);
}

static bool path_matches(const struct hasten_traces *traces,
                         const struct hasten_traces_filter *filter, uint32_t path) {
    bool matches = false;
    do {
        const struct hasten_path *step = &traces->paths.items[path];
        matches = place_matches(filter, step->place);
        path = step->parent;
    } while (!matches && filter->all_frames && path < HASTEN_PATHS_ROOT);
    return matches;
}

/* Whether the filter lets the row pass. An exclusive filter names what may not. */
static bool passes(const struct hasten_traces *traces, const struct hasten_traces_filter *filter,
                   const struct hasten_traces_row *row) {
    bool matches = !filter->has_domain || row->domain == filter->domain;
    if (matches && filter->has_files) {
        matches = path_matches(traces, filter, row->path);
    }
    return matches == filter->is_inclusive;
}

static bool all_pass(const struct hasten_traces *traces, const struct hasten_traces_filter *filters,
                     size_t filter_count, const struct hasten_traces_row *row) {
    bool has_inclusive = false;
    bool included = false;
    for (size_t i = 0; i < filter_count; i++) {
        bool passed = passes(traces, &filters[i], row);
        if (filters[i].is_inclusive) {
            has_inclusive = true;
            included |= passed;
        } else if (!passed) {
            return false;
        }
    }
    return included || !has_inclusive;
}

/* Files and paths keep their numbers, and so do those that are not needed any more. */
static hasten_status copy_names(const struct hasten_traces *traces, struct hasten_traces *copy) {
    hasten_status status = HASTEN_OK;
    for (uint32_t i = 0; status == HASTEN_OK && i < traces->file_count; i++) {
        size_t size = 0;
        const char *name = hasten_traces_name(traces, i, &size);
        uint32_t file = 0;
        status = hasten_traces_add_file(copy, name, size, &file);
    }
    for (size_t i = 1; status == HASTEN_OK && i < traces->paths.count; i++) {
        const struct hasten_path *path = &traces->paths.items[i];
        if (hasten_paths_add(&copy->paths, path->parent, path->place, path->code) == 0) {
            status = HASTEN_NO_MEMORY;
        }
    }
    return status;
}

hasten_status hasten_traces_select(const struct hasten_traces *traces,
                                   const struct hasten_traces_filter *filters, size_t filter_count,
                                   struct hasten_traces *selected) {
    hasten_status status = copy_names(traces, selected);
    for (size_t i = 0; status == HASTEN_OK && i < traces->row_count; i++) {
        const struct hasten_traces_row *row = &traces->rows[i];
        if (all_pass(traces, filters, filter_count, row)) {
            status = hasten_traces_add_row(selected, row->path, row->domain, row->size_bytes,
                                           row->count);
        }
    }
    return status;
}
