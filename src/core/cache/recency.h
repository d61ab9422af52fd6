/* SPDX-License-Identifier: MIT
 *
 * The order in which entries were used: a ring of them around a root, whose `newer` is
 * the oldest entry and whose `older` is the newest. A root alone points at itself. */
#ifndef HASTEN_CACHE_RECENCY_H
#define HASTEN_CACHE_RECENCY_H

#include <stdbool.h>

struct hasten_cache_turn {
    struct hasten_cache_turn *newer, *older;
};

static inline void hasten_cache_recency_init(struct hasten_cache_turn *root) {
    root->newer = root;
    root->older = root;
}

static inline bool hasten_cache_recency_is_empty(const struct hasten_cache_turn *root) {
    return root->newer == root;
}

/* Makes the turn, which is in no ring, the newest. */
static inline void hasten_cache_recency_append(struct hasten_cache_turn *root,
                                               struct hasten_cache_turn *turn) {
    struct hasten_cache_turn *newest = root->older;
    turn->newer = root;
    turn->older = newest;
    newest->newer = turn;
    root->older = turn;
}

static inline void hasten_cache_recency_unlink(struct hasten_cache_turn *turn) {
    turn->older->newer = turn->newer;
    turn->newer->older = turn->older;
}

static inline void hasten_cache_recency_touch(struct hasten_cache_turn *root,
                                              struct hasten_cache_turn *turn) {
    if (root->older != turn) {
        hasten_cache_recency_unlink(turn);
        hasten_cache_recency_append(root, turn);
    }
}

#endif
