/* SPDX-License-Identifier: MIT
 *
 * Decides for each pair of frames whether the upper one really was called by the
 * lower one at the instant of copy 1, and which frame ran then. */
#include "core/sampling/links.h"

#include <string.h>

#include "core/sampling/extension.h"
#include "core/sampling/judge.h"

/* A frame at its return instruction is what every returned frame looks like until
 * its place is used again; the instruction itself takes two nanoseconds. A generator's
 * caller has told that it runs. */
static void drop_returned(const struct hasten_view *view) {
    struct hasten_walk *walk = view->walk;
    for (; walk->leaf + 1 < walk->count; walk->leaf++) {
        const struct hasten_frame *leaf = &walk->frames[walk->leaf];
        if (!(leaf->traits & HASTEN_UNIT_RETURN) || leaf->entered_from_c ||
            leaf->owner != view->layout->owner_thread)
            break;
    }
}

/* Cuts off what is above a frame that runs itself. */
static hasten_status judge_all(const struct hasten_view *view) {
    struct hasten_walk *walk = view->walk;
    for (size_t i = walk->count - 1; i-- > 0;) {
        switch (hasten_judge_call(view, &walk->frames[i + 1], &walk->frames[i])) {
        case HASTEN_LINKED:
            continue;
        case HASTEN_DOUBTFUL:
            return HASTEN_TORN;
        case HASTEN_UNKNOWN:
            return HASTEN_NOT_FOUND;
        case HASTEN_RETURNED:
            walk->count -= i + 1;
            memmove(walk->frames, walk->frames + i + 1, walk->count * sizeof *walk->frames);
            return HASTEN_OK;
        }
    }
    return HASTEN_OK;
}

hasten_status hasten_links_check(const struct hasten_view *view) {
    struct hasten_walk *walk = view->walk;
    if (walk->count == 0)
        return HASTEN_OK;
    hasten_status status = judge_all(view);
    if (status == HASTEN_OK)
        status = hasten_extend(view);
    if (status != HASTEN_OK)
        return status;
    drop_returned(view);
    walk->native = (walk->frames[walk->leaf].traits & HASTEN_UNIT_CALL) != 0;
    return HASTEN_OK;
}
