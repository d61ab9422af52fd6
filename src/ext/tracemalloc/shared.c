/* SPDX-License-Identifier: MIT
 *
 * Blocks that are allocated without the main interpreter's GIL, or may be freed without
 * it. No lock is of all of them: a block's stripe has one, and so have a thread's lines.
 * Whoever has the latter may take the former, never the other way round. */
#include "ext/tracemalloc/tracer.h"

/* With the GIL of the main interpreter paths are made without a lock. */
static bool share_own(const PyThreadState *thread, struct hasten_block *block) {
    struct hasten_tracer *tracer = &hasten_tracer;
    struct hasten_spot spot;
    if (hasten_tracer_spot(thread, &spot) == 0) {
        block->path = hasten_tracer_step(&spot);
    }
    if (block->path == 0) {
        tracer->own.lost++;
        return false;
    }
    return hasten_stripes_put(&tracer->shared, block);
}

bool hasten_tracer_share(const PyThreadState *thread, uint32_t domain, uint64_t address,
                         size_t size_bytes) {
    struct hasten_tracer *tracer = &hasten_tracer;
    struct hasten_block block = {.address = address, .size_bytes = size_bytes, .domain = domain};
    if (thread != NULL && thread->interp == tracer->main) {
        return share_own(thread, &block);
    }
    bool is_there = false;
    struct hasten_lines *lines = hasten_lines_lock();
    /* It may have been stopped while we waited. */
    if (__atomic_load_n(&tracer->is_armed, __ATOMIC_ACQUIRE)) {
        block.path = hasten_lines_path(lines, thread, tracer->limit);
        /* With the lock still: the path is there until the block is. */
        is_there = block.path != 0 && hasten_stripes_put(&tracer->shared, &block);
        if (block.path == 0) {
            (void)__atomic_fetch_add(&tracer->shared.lost, 1, __ATOMIC_RELAXED);
        }
    }
    hasten_lines_unlock(lines);
    return is_there;
}

bool hasten_tracer_unshare(uint32_t domain, uint64_t address, struct hasten_block *ret_block) {
    return hasten_stripes_forget(&hasten_tracer.shared, domain, address, ret_block);
}

void hasten_tracer_restore(const struct hasten_block *block) {
    (void)hasten_stripes_put(&hasten_tracer.shared, block);
}
