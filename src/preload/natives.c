/* SPDX-License-Identifier: MIT
 *
 * Native functions by return address. The dynamic linker knows them, but must not be
 * asked: whoever loads a library has its lock and allocates, so that we would wait for
 * each other. The kernel says in which file the address is; which function that is, is
 * found out when the recording is put together. */
#include <inttypes.h>
#include <stdio.h>

#include "core/os/process.h"
#include "preload/heap.h"

/* A mapping of code, in order of addresses. */
struct hasten_native_code {
    uint64_t start, end, file_offset;
    size_t path; /* where in `paths` */
};

static int keep(void *context, const struct hasten_mapping *mapping) {
    struct hasten_natives *natives = context;
    void *codes = natives->codes;
    if (!mapping->executable || mapping->path[0] != '/') {
        return 0;
    }
    if (hasten_grow(natives->paths.allocator, &codes, &natives->capacity, natives->count + 1,
                    sizeof *natives->codes) != 0) {
        return 1;
    }
    natives->codes = codes;
    natives->codes[natives->count++] = (struct hasten_native_code){
        mapping->start, mapping->end, mapping->file_offset, natives->paths.size};
    hasten_buffer_text(&natives->paths, mapping->path);
    hasten_buffer_byte(&natives->paths, 0);
    return natives->paths.failed ? 1 : 0;
}

static const struct hasten_native_code *find(const struct hasten_natives *natives,
                                             uint64_t address) {
    size_t low = 0, high = natives->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (address >= natives->codes[middle].end) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < natives->count && address >= natives->codes[low].start ? &natives->codes[low]
                                                                        : NULL;
}

void hasten_natives_init(struct hasten_natives *natives, const struct hasten_allocator *allocator) {
    *natives = (struct hasten_natives){0};
    hasten_buffer_init(&natives->paths, allocator);
}

void hasten_natives_done(struct hasten_natives *natives) {
    hasten_release(natives->paths.allocator, natives->codes,
                   natives->capacity * sizeof *natives->codes);
    hasten_buffer_done(&natives->paths);
}

void hasten_natives_forget(struct hasten_natives *natives) {
    natives->count = 0;
    natives->is_read = false;
    hasten_buffer_clear(&natives->paths);
}

hasten_status hasten_natives_record(struct hasten_heap *heap, uint64_t address,
                                    uint32_t *ret_code) {
    struct hasten_natives *natives = &heap->book.natives;
    char name[32] = "?";
    const char *path = "";
    uint64_t call = address == 0 ? 0 : address - 1; /* not what follows it */
    if (!natives->is_read) {
        natives->is_read = true;
        if (hasten_process_mappings(heap->pid, keep, natives, NULL) != HASTEN_OK) {
            natives->count = 0;
        }
    }
    const struct hasten_native_code *code = find(natives, call);
    if (code != NULL) {
        path = natives->paths.data + code->path;
        snprintf(name, sizeof name, "+0x%" PRIx64, code->file_offset + (call - code->start));
    }
    const struct hasten_code_info info = {
        .process = heap->process,
        .file = path,
        .name = name,
        .qualname = name,
        .first_line = -1,
    };
    return hasten_recorder_code(heap->recorder, &info, ret_code);
}
