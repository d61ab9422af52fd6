/* SPDX-License-Identifier: MIT
 *
 * A thread's stack as it was at its last allocation. The next allocation finds
 * nearly the same stack: instead of walking it, each level is compared with what
 * the mirror has, which the processor does for many levels at a time because no
 * address waits for the one before. A frame is only read after the one above it
 * has named it as its caller, so that the mirror may hold frames that are gone.
 *
 * Of the frames that a path shows, the instruction is compared too. Of those below,
 * which are only counted, the links are. Whoever uses a mirror has the GIL. */
#ifndef HASTEN_EXT_TRACEMALLOC_MIRROR_H
#define HASTEN_EXT_TRACEMALLOC_MIRROR_H

#include "ext/tracemalloc/python.h"

/* Windows that are remembered: paths of stacks of so many depths, as in a recursion. */
#define HASTEN_MIRROR_WAYS 16

struct hasten_mirror_level {
    const hasten_py_frame *frame;
    uintptr_t place; /* as it was when a path was made of it */
    uint32_t depth;  /* visible frames up to and with this one */
    uint32_t is_visible;
};

/* A level's path in each window. */
struct hasten_mirror_paths {
    uint32_t of[HASTEN_MIRROR_WAYS];
};

struct hasten_mirror {
    const PyThreadState *thread;
    struct hasten_mirror_level *levels; /* the oldest first */
    struct hasten_mirror_paths *paths;  /* of the levels */
    size_t count;
    size_t capacity;
    const hasten_py_frame **chain; /* room for a stack, the newest first */
    size_t chain_capacity;
    /* Each window leaves out so many of the oldest frames. The paths of its levels
     * below `valid` that are not left out are known. Arrays, because all of `valid` is
     * looked at whenever a level changes. */
    uint32_t left_out[HASTEN_MIRROR_WAYS];
    int32_t valid[HASTEN_MIRROR_WAYS];
};

void hasten_mirror_done(struct hasten_mirror *mirror);
/* Forgets all, for other frames may lie where these did. */
void hasten_mirror_forget(struct hasten_mirror *mirror);
/* Makes `frame` the newest level, where it is not. -1: no memory. */
int hasten_mirror_turn(struct hasten_mirror *mirror, const PyThreadState *thread,
                       const hasten_py_frame *frame);
/* Reads the whole stack anew. -1: no memory. */
int hasten_mirror_rebuild(struct hasten_mirror *mirror, const hasten_py_frame *frame);
/* The level's frame is at another place. Whether levels above are still right. */
bool hasten_mirror_moved(struct hasten_mirror *mirror, size_t index, uintptr_t place);

/* Whether all levels are what the stack is now. */
static inline bool hasten_mirror_check(struct hasten_mirror *mirror, uint32_t limit) {
    struct hasten_mirror_level *level = &mirror->levels[mirror->count - 1];
    const struct hasten_mirror_level *oldest = mirror->levels;
    const uint32_t left_out = level->depth > limit ? level->depth - limit : 0;
    while (level->depth > left_out) {
        uintptr_t place = hasten_py_frame_place(level->frame);
        if (place != level->place &&
            !hasten_mirror_moved(mirror, (size_t)(level - oldest), place)) {
            return false;
        }
        if (level == oldest) {
            return hasten_py_frame_previous(level->frame) == NULL;
        }
        if (hasten_py_frame_previous(level->frame) != level[-1].frame) {
            return false;
        }
        level--;
    }
    while (level != oldest) {
        if (hasten_py_frame_previous(level->frame) != level[-1].frame) {
            return false;
        }
        level--;
    }
    return hasten_py_frame_previous(level->frame) == NULL;
}

/* Looks at the running thread's stack, whose newest frame is given. -1: no memory. */
static inline int hasten_mirror_look(struct hasten_mirror *mirror, const PyThreadState *thread,
                                     const hasten_py_frame *frame, uint32_t limit) {
    if (__builtin_expect(mirror->thread != thread || mirror->count == 0 ||
                             mirror->levels[mirror->count - 1].frame != frame,
                         0) &&
        hasten_mirror_turn(mirror, thread, frame) < 0) {
        return -1;
    }
    if (__builtin_expect(!hasten_mirror_check(mirror, limit), 0)) {
        return hasten_mirror_rebuild(mirror, frame);
    }
    return 0;
}

#endif
