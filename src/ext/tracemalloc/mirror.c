/* SPDX-License-Identifier: MIT
 *
 * What a mirror does when the stack is not what it was. */
#include "ext/tracemalloc/mirror.h"

#include <stdlib.h>
#include <string.h>

/* How far a stack may have moved to be worth comparing with what is known. */
#define NEAR 8
/* No stack is as deep: levels are counted in 31 bits. */
#define MOST_LEVELS ((size_t)INT32_MAX)

void hasten_mirror_done(struct hasten_mirror *mirror) {
    free(mirror->levels);
    free(mirror->paths);
    free(mirror->chain);
    *mirror = (struct hasten_mirror){0};
}

void hasten_mirror_forget(struct hasten_mirror *mirror) {
    mirror->thread = NULL;
    mirror->count = 0;
    memset(mirror->valid, 0, sizeof mirror->valid);
    mirror->most_valid = 0;
}

void hasten_mirror_forget_paths(struct hasten_mirror *mirror, size_t index) {
    const int32_t most = (int32_t)index;
    if (mirror->most_valid <= most) {
        return;
    }
    mirror->most_valid = most;
    for (size_t way = 0; way < HASTEN_MIRROR_WAYS; way++) {
        mirror->valid[way] = mirror->valid[way] < most ? mirror->valid[way] : most;
    }
}

static void set_level(struct hasten_mirror *mirror, size_t index, const hasten_py_frame *frame) {
    struct hasten_mirror_level *level = &mirror->levels[index];
    level->frame = frame;
    level->place = hasten_py_frame_place(frame);
    level->executable = hasten_py_frame_executable(frame);
    level->owner = hasten_py_frame_owner(frame);
    level->first_visible = hasten_py_frame_first_visible(frame);
    level->is_visible = level->place >= level->first_visible;
    level->depth = (index == 0 ? 0 : level[-1].depth) + level->is_visible;
    level->counted = (index == 0 ? 0 : level[-1].counted) + hasten_py_frame_is_counted(frame);
}

bool hasten_mirror_is_linked(const struct hasten_mirror *mirror,
                             const struct hasten_mirror_level *level) {
    for (;; level--) {
        const hasten_py_frame *frame = level->frame;
        if (!level->is_visible && hasten_py_frame_executable(frame) != level->executable) {
            return false;
        }
        if (level == mirror->levels) {
            return hasten_py_frame_previous(frame) == NULL;
        }
        if (hasten_py_frame_previous(frame) != level[-1].frame) {
            return false;
        }
    }
}

static int reserve(struct hasten_mirror *mirror, size_t count) {
    if (count > mirror->capacity) {
        size_t capacity = count + count / 2 + 64;
        if (capacity > MOST_LEVELS) {
            return -1;
        }
        struct hasten_mirror_level *levels =
            realloc(mirror->levels, capacity * sizeof *mirror->levels);
        if (levels == NULL) {
            return -1;
        }
        mirror->levels = levels;
        struct hasten_mirror_paths *paths =
            realloc(mirror->paths, capacity * sizeof *mirror->paths);
        if (paths == NULL) {
            return -1;
        }
        mirror->paths = paths;
        mirror->capacity = capacity;
    }
    return 0;
}

static int reserve_chain(struct hasten_mirror *mirror, size_t count) {
    if (count > mirror->chain_capacity) {
        size_t capacity = count * 2 + 64;
        const hasten_py_frame **chain =
            realloc((void *)mirror->chain, capacity * sizeof *mirror->chain);
        if (chain == NULL) {
            return -1;
        }
        mirror->chain = chain;
        mirror->chain_capacity = capacity;
    }
    return 0;
}

int hasten_mirror_rebuild(struct hasten_mirror *mirror, const hasten_py_frame *frame) {
    size_t depth = 0;
    for (; frame != NULL; frame = hasten_py_frame_previous(frame)) {
        if (reserve_chain(mirror, depth + 1) < 0) {
            hasten_mirror_forget(mirror);
            return -1;
        }
        mirror->chain[depth++] = frame;
    }
    if (reserve(mirror, depth) < 0) {
        hasten_mirror_forget(mirror);
        return -1;
    }
    /* What the old stack had at its bottom keeps its paths. */
    size_t same = 0;
    while (same < mirror->count && same < depth) {
        const struct hasten_mirror_level *level = &mirror->levels[same];
        const hasten_py_frame *known = mirror->chain[depth - 1 - same];
        if (level->frame != known || level->place != hasten_py_frame_place(known) ||
            level->is_visible != hasten_py_frame_is_visible(known)) {
            break;
        }
        same++;
    }
    hasten_mirror_forget_paths(mirror, same);
    for (size_t i = same; i < depth; i++) {
        set_level(mirror, i, mirror->chain[depth - 1 - i]);
    }
    mirror->count = depth;
    return 0;
}

/* The number of levels up to and with `frame`, which is one of the newest; 0: it is not. */
static size_t find_near(const struct hasten_mirror *mirror, const hasten_py_frame *frame) {
    size_t least = mirror->count > NEAR ? mirror->count - NEAR : 0;
    for (size_t count = mirror->count; count > least; count--) {
        if (mirror->levels[count - 1].frame == frame) {
            return count;
        }
    }
    return 0;
}

int hasten_mirror_turn(struct hasten_mirror *mirror, const PyThreadState *thread,
                       const hasten_py_frame *frame) {
    if (mirror->thread != thread) {
        hasten_mirror_forget(mirror);
        mirror->thread = thread;
    }
    const hasten_py_frame *added[NEAR];
    size_t count = 0;
    const hasten_py_frame *next = frame;
    while (mirror->count != 0 && next != NULL && count < NEAR) {
        size_t kept = find_near(mirror, next);
        if (kept != 0) {
            if (reserve(mirror, kept + count) < 0) {
                hasten_mirror_forget(mirror);
                return -1;
            }
            hasten_mirror_forget_paths(mirror, kept);
            for (size_t i = 0; i < count; i++) {
                set_level(mirror, kept + i, added[count - 1 - i]);
            }
            mirror->count = kept + count;
            return 0;
        }
        added[count++] = next;
        next = hasten_py_frame_previous(next);
    }
    return hasten_mirror_rebuild(mirror, frame);
}
