/* SPDX-License-Identifier: MIT
 *
 * What traces a process's allocations, in two halves:
 *
 * - `own` has the blocks of the mem and object domains that the main interpreter
 *   allocated. Whoever touches it has the main interpreter's GIL; no lock is
 *   taken. A path's places are addresses of instructions. Each code object that is in a path
 *   is held by a reference, so that no other code can come to lie at its address, until
 *   nobody else holds it: see codes.h.
 * - `shared` has all else: the raw domain, which needs no GIL, what other
 *   interpreters allocate, and what extensions track in domains of their own. It holds
 *   blocks one by one, in stripes with a lock each. Where the GIL is not ours no reference
 *   can be taken, and so a path's places are lines of files, read at once (lines.h). A block
 *   that was allocated with the main interpreter's GIL has a path of `own`.
 *
 * Hooks call nothing of CPython but readers of fields. */
#ifndef HASTEN_EXT_TRACEMALLOC_TRACER_H
#define HASTEN_EXT_TRACEMALLOC_TRACER_H

#include "ext/tracemalloc/lines.h"
#include "ext/tracemalloc/mirror.h"
#include "ext/tracemalloc/names.h"

#include "core/heap/ledger.h"
#include "core/heap/stripes.h"

/* Most frames that a path may show, as in the standard module. */
#define HASTEN_TRACER_MOST_FRAMES 65535
/* The code of a path with no Python frame, ... */
#define HASTEN_TRACER_NO_CODE UINT32_MAX
/* ... and this with the index of a file where the code object is not held any more: the
 * place then is no address, but has the line. */
#define HASTEN_TRACER_LET_GO UINT32_C(0x80000000)

struct hasten_tracer {
    bool is_armed; /* whether hooks do anything */
    bool is_installed;
    bool has_foreign; /* other interpreters' blocks are in `shared`; atomic */
    bool knows_end;   /* at_end is registered with this runtime */
    uint32_t limit;   /* frames a path shows */
    const PyInterpreterState *main;
    PyMemAllocatorEx original[3]; /* by PyMemAllocatorDomain */

    struct hasten_ledger own;
    struct hasten_mirror mirror;
    PyCodeObject **codes; /* held, NULL: was let go; paths of `own` have their index */
    size_t code_count;
    size_t codes_held;
    size_t codes_before_review; /* how many may be held until it is looked which are needed */
    size_t code_capacity;
    struct hasten_map code_map;       /* address -> index */
    struct hasten_tracer_names names; /* of files whose code objects were let go */

    struct hasten_stripes shared;
};

/* The process's allocators are one thing, and so is what traces them. */
extern struct hasten_tracer hasten_tracer;

/* Where an allocation happens, told as the path of its caller and a last step. */
struct hasten_spot {
    const hasten_py_frame *frame; /* NULL: no Python frame */
    uint64_t place;
    uint32_t parent;
};

/* A path of `own`, made where it is not known; 0: no memory. */
uint32_t hasten_tracer_step(const struct hasten_spot *spot);
/* A kind of small blocks of `own`; 0: no memory. */
uint32_t hasten_tracer_kind(const struct hasten_spot *spot, uint32_t size_bytes);
/* The path of the frames that call the newest visible one, the mirror's level `top`. -1:
 * no memory. */
int hasten_tracer_parent(size_t top, uint32_t *ret_parent);

/* The spot of the thread that has the main interpreter's GIL. -1: no memory. */
static inline int hasten_tracer_spot(const PyThreadState *thread, struct hasten_spot *ret_spot) {
    struct hasten_mirror *mirror = &hasten_tracer.mirror;
    const uint32_t limit = hasten_tracer.limit;
    const hasten_py_frame *frame = hasten_py_current_frame(thread);
    if (frame != NULL) {
        if (hasten_mirror_look(mirror, thread, frame, limit) < 0) {
            return -1;
        }
        size_t count = mirror->count;
        while (count > 0 && !mirror->levels[count - 1].is_visible) {
            count--;
        }
        if (count > 0) {
            const struct hasten_mirror_level *top = &mirror->levels[count - 1];
            ret_spot->frame = top->frame;
            ret_spot->place = top->place;
            if (limit == 1) {
                ret_spot->parent = HASTEN_PATHS_ROOT | (top->depth - 1);
                return 0;
            }
            return hasten_tracer_parent(count - 1, &ret_spot->parent);
        }
    }
    *ret_spot = (struct hasten_spot){.parent = HASTEN_PATHS_ROOT};
    return 0;
}

/* Remembers a block of `shared`. `thread` is the main interpreter's that has the GIL,
 * or NULL. Answers false where there was no memory or nothing is traced. */
bool hasten_tracer_share(const PyThreadState *thread, uint32_t domain, uint64_t address,
                         size_t size_bytes);
/* Forgets it: whether it was there. */
bool hasten_tracer_unshare(uint32_t domain, uint64_t address, struct hasten_block *ret_block);
/* Puts back what was forgotten. */
void hasten_tracer_restore(const struct hasten_block *block);

/* With the GIL of the main interpreter: all return 0, or -1 with an exception set. */
int hasten_tracer_start(uint32_t limit);
void hasten_tracer_stop(void);
void hasten_tracer_clear(void);
size_t hasten_tracer_bytes(void);

/* Hooks: installed once, never removed. */
void hasten_hooks_install(void);
/* What the hooks do, for who tracks blocks by other ways. */
void hasten_hooks_remember(const PyThreadState *thread, uint64_t address, size_t size_bytes);
bool hasten_hooks_forget(const PyThreadState *thread, uint64_t address);
/* An object was made, perhaps of memory that an object had before: its block is now
 * allocated here. */
void hasten_hooks_created(PyObject *object);

/* The running thread where it has the GIL of the main interpreter, else NULL. */
static inline const PyThreadState *hasten_tracer_owner(void) {
    const PyThreadState *thread = hasten_py_attached_thread();
    return thread != NULL && thread->interp == hasten_tracer.main ? thread : NULL;
}

#endif
