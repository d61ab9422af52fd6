/* SPDX-License-Identifier: MIT
 *
 * A thread's stack as it was at its last allocation. The next allocation finds
 * nearly the same stack: instead of walking it, each level is compared with what
 * the mirror has, which the processor does for many levels at a time because no
 * address waits for the one before. A frame is only read after the one above it
 * has named it as its caller, so that the mirror may hold frames that are gone.
 *
 * Of the frames that a path shows, the instruction is compared too. Those below are only
 * counted, and from 3.12 on the interpreter counts them itself. Its count is believed where
 * it is that of the mirror and all frames of the mirror are visible: a stack in which one is
 * not (the interpreter's own, at the call of a class) cannot have taken its place unseen,
 * because the class's new object was allocated below that frame. Where the count differs,
 * and where greenlets switch stacks, links are compared. Whoever uses a mirror has the GIL. */
#ifndef HASTEN_EXT_TRACEMALLOC_MIRROR_H
#define HASTEN_EXT_TRACEMALLOC_MIRROR_H

#include "ext/common/pycompat_frames.h"

/* Windows that are remembered: paths of stacks of so many depths, as in a recursion. */
#define HASTEN_MIRROR_WAYS 16

struct hasten_mirror_level {
    const hasten_py_frame *frame;
    uintptr_t place;         /* as it was when a path was made of it */
    uintptr_t first_visible; /* as long as the frame has this executable and this owner */
    uintptr_t executable;
    uint32_t depth;   /* visible frames up to and with this one */
    uint32_t counted; /* frames that the interpreter counts, likewise */
    uint8_t owner;
    bool is_visible;
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
    int32_t most_valid; /* none of `valid` is larger */
};

void hasten_mirror_done(struct hasten_mirror *mirror);
/* Forgets all, for other frames may lie where these did. */
void hasten_mirror_forget(struct hasten_mirror *mirror);
/* Makes `frame` the newest level, where it is not. -1: no memory. */
int hasten_mirror_turn(struct hasten_mirror *mirror, const PyThreadState *thread,
                       const hasten_py_frame *frame);
/* Reads the whole stack anew. -1: no memory. */
int hasten_mirror_rebuild(struct hasten_mirror *mirror, const hasten_py_frame *frame);
/* The paths of levels from `index` on are not known any more. */
void hasten_mirror_forget_paths(struct hasten_mirror *mirror, size_t index);

/* The level's frame is at another place. Whether levels above are still right. */
static inline bool hasten_mirror_moved(struct hasten_mirror *mirror, size_t index,
                                       uintptr_t place) {
    struct hasten_mirror_level *level = &mirror->levels[index];
    const hasten_py_frame *frame = level->frame;
    level->place = place;
    if (__builtin_expect((int64_t)index < mirror->most_valid, 0)) {
        hasten_mirror_forget_paths(mirror, index);
    }
    const uintptr_t executable = hasten_py_frame_executable(frame);
    const uint8_t owner = hasten_py_frame_owner(frame);
    if (executable != level->executable || owner != level->owner) {
        level->executable = executable;
        level->owner = owner;
        level->first_visible = hasten_py_frame_first_visible(frame);
    }
    return (place >= level->first_visible) == level->is_visible;
}

/* Whether the levels from this one down are linked as they were, and those that are not
 * visible are what they were: a visible frame may have come to lie there. */
bool hasten_mirror_is_linked(const struct hasten_mirror *mirror,
                             const struct hasten_mirror_level *level);

/* Whether the interpreter's count says that the levels from this one down are what they were. */
static inline bool hasten_mirror_is_counted(const struct hasten_mirror *mirror,
                                            const struct hasten_mirror_level *level) {
    return HASTEN_PY_COUNTS_FRAMES && level->counted == level->depth &&
           mirror->levels[mirror->count - 1].counted == hasten_py_frame_count(mirror->thread);
}

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
    if (__builtin_expect(hasten_mirror_is_counted(mirror, level), HASTEN_PY_COUNTS_FRAMES)) {
        return true;
    }
    return hasten_mirror_is_linked(mirror, level);
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
