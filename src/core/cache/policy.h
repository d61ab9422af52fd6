/* SPDX-License-Identifier: MIT
 *
 * Which entry a full cache gives up. The owner has a node in each of its entries, tells
 * of insertions, hits and removals, and asks for a victim until there is room.
 *
 *   LRU      the one that was not used for the longest time
 *   SIEVE    a hand goes from old to new and takes the first not used since it passed
 *            (Zhang et al., NSDI 2024)
 *   S3-FIFO  a small queue on probation, a main one for what was used there again, and a
 *            memory of what was given up lately (Yang et al., SOSP 2023)
 *   TinyLFU  a small LRU window, in front of a main part that admits who was asked for
 *            more often than whom it would replace (W-TinyLFU, Einziger et al., 2017)
 *
 * Sizes are in the owner's unit: entries or bytes. Nodes are the owner's. */
#ifndef HASTEN_CACHE_POLICY_H
#define HASTEN_CACHE_POLICY_H

#include "core/cache/recency.h"
#include "core/cache/sketch.h"

enum hasten_cache_policy_kind {
    HASTEN_CACHE_LRU,
    HASTEN_CACHE_SIEVE,
    HASTEN_CACHE_S3FIFO,
    HASTEN_CACHE_TINYLFU,
};

struct hasten_cache_node {
    struct hasten_cache_turn turn;
    uint64_t size;
    uint32_t tag; /* the key's hash */
    uint8_t queue;
    uint8_t uses; /* since it came to its queue, as far as the policy counts */
};

/* Of nodes, the oldest first. */
struct hasten_cache_queue {
    struct hasten_cache_turn root;
    uint64_t size;
};

#define HASTEN_CACHE_QUEUES 3

struct hasten_cache_policy {
    enum hasten_cache_policy_kind kind;
    uint64_t capacity;
    uint64_t size; /* of all nodes */
    size_t count;
    size_t expected; /* how many there will be, as far as the owner knows and says */
    /* LRU and SIEVE have one; S3-FIFO small and main; TinyLFU window, probation and
     * protected. */
    struct hasten_cache_queue queues[HASTEN_CACHE_QUEUES];
    struct hasten_cache_turn *hand;    /* SIEVE; the root: begins at the oldest */
    bool came_back;                    /* S3-FIFO: what is missed was given up lately */
    struct hasten_cache_ghosts ghosts; /* S3-FIFO: given up by the small queue */
    struct hasten_cache_sketch sketch; /* TinyLFU: how often was asked for what */
};

/* The policy must not move afterwards. Memory is taken as it is needed; without any,
 * S3-FIFO and TinyLFU forget what they know of entries that are gone. */
void hasten_cache_policy_init(struct hasten_cache_policy *policy,
                              enum hasten_cache_policy_kind kind, uint64_t capacity,
                              const struct hasten_allocator *allocator);
void hasten_cache_policy_done(struct hasten_cache_policy *policy);
/* Forgets all nodes. */
void hasten_cache_policy_clear(struct hasten_cache_policy *policy);

/* `node` has its size and its tag. Tell of the miss and ask for victims first, until it fits. */
void hasten_cache_policy_insert(struct hasten_cache_policy *policy, struct hasten_cache_node *node);
/* Takes a node out for which there is no room: NULL where there is none. */
struct hasten_cache_node *hasten_cache_policy_evict(struct hasten_cache_policy *policy);
/* Takes out one that the owner does not want any more. */
void hasten_cache_policy_remove(struct hasten_cache_policy *policy, struct hasten_cache_node *node);
/* Somebody asked for a key that is not there. */
void hasten_cache_policy_miss(struct hasten_cache_policy *policy, uint32_t tag);
/* Somebody asked for a node: the part that a hit may need a function for. */
void hasten_cache_policy_promote(struct hasten_cache_policy *policy,
                                 struct hasten_cache_node *node);

static inline bool hasten_cache_policy_has_room(const struct hasten_cache_policy *policy,
                                                uint64_t size) {
    return policy->size + size <= policy->capacity;
}

/* Somebody asked for a node. */
static inline void hasten_cache_policy_hit(struct hasten_cache_policy *policy,
                                           struct hasten_cache_node *node) {
    switch (policy->kind) {
    case HASTEN_CACHE_LRU:
        hasten_cache_recency_touch(&policy->queues[0].root, &node->turn);
        break;
    case HASTEN_CACHE_SIEVE:
        node->uses = 1;
        break;
    case HASTEN_CACHE_S3FIFO:
        node->uses = (uint8_t)(node->uses + (node->uses < 3));
        break;
    case HASTEN_CACHE_TINYLFU:
        hasten_cache_policy_promote(policy, node);
        break;
    }
}

#endif
