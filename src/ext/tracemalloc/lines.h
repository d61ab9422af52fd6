/* SPDX-License-Identifier: MIT
 *
 * Paths of lines: where threads allocate that do not have the main interpreter's GIL. No
 * code object can be held for them, and so the lines of the running thread's frames, which
 * hold their code themselves, are read at once and names are kept by their contents. Each
 * thread has its own lines, with a lock that it shares with nobody up to HASTEN_LINES
 * threads, and with every HASTEN_LINES-th thread beyond. */
#ifndef HASTEN_EXT_TRACEMALLOC_LINES_H
#define HASTEN_EXT_TRACEMALLOC_LINES_H

#include <pthread.h>

#include "ext/common/pycompat_frames.h"
#include "ext/tracemalloc/names.h"

#include "core/heap/paths.h"

#define HASTEN_LINES_BITS 4
#define HASTEN_LINES (1 << HASTEN_LINES_BITS)
/* A path of lines as a block has it: this, the number of the lines, the path there. Paths
 * of the tracer's own trie do not have it. */
#define HASTEN_LINES_PATH UINT32_C(0x80000000)
#define HASTEN_LINES_PATH_BITS (31 - HASTEN_LINES_BITS)

struct hasten_lines {
    _Alignas(64) pthread_mutex_t lock; /* of its own line: others do not slow it */
    uint32_t number;
    struct hasten_paths paths; /* code is an index into `names` */
    struct hasten_tracer_names names;
    const hasten_py_frame **frames; /* room for a stack */
    size_t frame_capacity;
};

/* Those of the running thread, their lock taken; to be given back soon. */
struct hasten_lines *hasten_lines_lock(void);
void hasten_lines_unlock(struct hasten_lines *lines);
/* Where the running thread is, as a block has it, of up to `limit` frames; 0: no memory.
 * `thread` is NULL where it has no GIL at all. With the lock. */
uint32_t hasten_lines_path(struct hasten_lines *lines, const PyThreadState *thread, uint32_t limit);

/* Of all threads. Once, before anything else; */
void hasten_lines_init(void);
/* ... all are emptied, one after the other; */
void hasten_lines_clear(void);
/* ... their locks are taken and given back, so that what blocks say stays true; */
void hasten_lines_lock_all(void);
void hasten_lines_unlock_all(void);
/* ... and with these locks: one of them, and what it has of a block's path. */
const struct hasten_lines *hasten_lines_at(uint32_t number);
static inline uint32_t hasten_lines_number(uint32_t path) {
    return (path & ~HASTEN_LINES_PATH) >> HASTEN_LINES_PATH_BITS;
}
static inline uint32_t hasten_lines_path_there(uint32_t path) {
    return path & ((UINT32_C(1) << HASTEN_LINES_PATH_BITS) - 1);
}
/* Bytes that were allocated for them. */
size_t hasten_lines_bytes(void);

#endif
