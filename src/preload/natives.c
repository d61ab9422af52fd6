/* SPDX-License-Identifier: MIT
 *
 * Native functions by return address. The dynamic linker knows them, but must not be
 * asked: whoever loads a library has its lock and allocates, so that we would wait for
 * each other. The kernel says in which file the address is; which function that is, is
 * found out when the recording is put together. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/os/process.h"
#include "preload/heap.h"

struct search {
    uint64_t address, offset;
    bool found;
    char path[PATH_MAX];
};

/* Guarded by the lock, used while writing. */
static struct search search;

static int visit(void *context, const struct hasten_mapping *mapping) {
    struct search *wanted = context;
    if (wanted->address < mapping->start || wanted->address >= mapping->end) {
        return 0;
    }
    wanted->found = true;
    wanted->offset = mapping->file_offset + (wanted->address - mapping->start);
    snprintf(wanted->path, sizeof wanted->path, "%s", mapping->path);
    return 1;
}

hasten_status hasten_natives_record(struct hasten_heap *heap, uint64_t address,
                                    uint32_t *ret_code) {
    char name[32] = "?";
    search.found = false;
    search.path[0] = '\0';
    search.address = address == 0 ? 0 : address - 1; /* the call's, not what follows it */
    if (hasten_process_mappings(heap->pid, visit, &search, NULL) == HASTEN_OK && search.found &&
        search.path[0] == '/') {
        snprintf(name, sizeof name, "+0x%" PRIx64, search.offset);
    }
    const struct hasten_code_info info = {
        .process = heap->process,
        .file = search.path,
        .name = name,
        .qualname = name,
        .first_line = -1,
    };
    return hasten_recorder_code(heap->recorder, &info, ret_code);
}
