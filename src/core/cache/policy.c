/* SPDX-License-Identifier: MIT */
#include "core/cache/policy.h"

enum { SMALL = 0, MAIN = 1 };                      /* S3-FIFO */
enum { WINDOW = 0, PROBATION = 1, PROTECTED = 2 }; /* TinyLFU */

/* Shares of the capacity, as in the papers. */
static uint64_t small_share(const struct hasten_cache_policy *policy) {
    return policy->capacity < 10 ? 1 : policy->capacity / 10;
}

static uint64_t window_share(const struct hasten_cache_policy *policy) {
    return policy->capacity < 100 ? 1 : policy->capacity / 100;
}

static uint64_t protected_share(const struct hasten_cache_policy *policy) {
    const uint64_t main_share = policy->capacity - window_share(policy);
    return main_share / 5 * 4 + main_share % 5 * 4 / 5;
}

void hasten_cache_policy_init(struct hasten_cache_policy *policy,
                              enum hasten_cache_policy_kind kind, uint64_t capacity,
                              const struct hasten_allocator *allocator) {
    *policy = (struct hasten_cache_policy){.kind = kind, .capacity = capacity};
    hasten_cache_ghosts_init(&policy->ghosts, allocator);
    hasten_cache_sketch_init(&policy->sketch, allocator);
    hasten_cache_policy_clear(policy);
}

void hasten_cache_policy_done(struct hasten_cache_policy *policy) {
    hasten_cache_ghosts_done(&policy->ghosts);
    hasten_cache_sketch_done(&policy->sketch);
}

void hasten_cache_policy_clear(struct hasten_cache_policy *policy) {
    for (size_t i = 0; i < HASTEN_CACHE_QUEUES; i++) {
        hasten_cache_recency_init(&policy->queues[i].root);
        policy->queues[i].size = 0;
    }
    policy->size = 0;
    policy->count = 0;
    policy->hand = &policy->queues[0].root;
    policy->came_back = false;
    hasten_cache_ghosts_clear(&policy->ghosts);
    hasten_cache_sketch_clear(&policy->sketch);
}

/* For how many entries TinyLFU counts: a sketch that grows forgets. */
static size_t sketched(const struct hasten_cache_policy *policy) {
    return policy->count > policy->expected ? policy->count : policy->expected;
}

static struct hasten_cache_node *node_of(struct hasten_cache_turn *turn) {
    return (struct hasten_cache_node *)turn;
}

static void append(struct hasten_cache_policy *policy, uint8_t queue,
                   struct hasten_cache_node *node) {
    node->queue = queue;
    hasten_cache_recency_append(&policy->queues[queue].root, &node->turn);
    policy->queues[queue].size += node->size;
    policy->size += node->size;
    policy->count++;
}

static void unlink_node(struct hasten_cache_policy *policy, struct hasten_cache_node *node) {
    hasten_cache_recency_unlink(&node->turn);
    policy->queues[node->queue].size -= node->size;
    policy->size -= node->size;
    policy->count--;
}

static void move(struct hasten_cache_policy *policy, uint8_t queue,
                 struct hasten_cache_node *node) {
    unlink_node(policy, node);
    append(policy, queue, node);
}

/* The oldest of a queue, or NULL. */
static struct hasten_cache_node *oldest_of(struct hasten_cache_policy *policy, uint8_t queue) {
    struct hasten_cache_turn *root = &policy->queues[queue].root;
    return hasten_cache_recency_is_empty(root) ? NULL : node_of(root->newer);
}

void hasten_cache_policy_insert(struct hasten_cache_policy *policy,
                                struct hasten_cache_node *node) {
    node->uses = 0;
    uint8_t queue = 0;
    if (policy->kind == HASTEN_CACHE_S3FIFO) {
        queue = policy->came_back ? MAIN : SMALL;
        policy->came_back = false;
    }
    append(policy, queue, node);
    if (policy->kind == HASTEN_CACHE_TINYLFU) {
        struct hasten_cache_node *oldest = oldest_of(policy, WINDOW);
        while (policy->queues[WINDOW].size > window_share(policy) && oldest != node) {
            move(policy, PROBATION, oldest);
            oldest = oldest_of(policy, WINDOW);
        }
    }
}

static struct hasten_cache_node *sieve_victim(struct hasten_cache_policy *policy) {
    struct hasten_cache_turn *root = &policy->queues[0].root;
    struct hasten_cache_turn *hand = policy->hand == root ? root->newer : policy->hand;
    while (hand != root && node_of(hand)->uses != 0) {
        node_of(hand)->uses = 0;
        hand = hand->newer == root ? root->newer : hand->newer;
    }
    policy->hand = hand == root ? root : hand->newer;
    return hand == root ? NULL : node_of(hand);
}

static struct hasten_cache_node *small_victim(struct hasten_cache_policy *policy) {
    struct hasten_cache_node *node = oldest_of(policy, SMALL);
    while (node != NULL && node->uses >= 2) {
        node->uses = 0;
        move(policy, MAIN, node);
        node = oldest_of(policy, SMALL);
    }
    if (node != NULL) {
        hasten_cache_ghosts_put(&policy->ghosts, node->tag, policy->count - policy->count / 10);
    }
    return node;
}

static struct hasten_cache_node *main_victim(struct hasten_cache_policy *policy) {
    struct hasten_cache_node *node = oldest_of(policy, MAIN);
    while (node != NULL && node->uses > 0) {
        node->uses--;
        move(policy, MAIN, node);
        node = oldest_of(policy, MAIN);
    }
    return node;
}

static struct hasten_cache_node *s3fifo_victim(struct hasten_cache_policy *policy) {
    struct hasten_cache_node *node = NULL;
    if (policy->queues[MAIN].size <= policy->capacity - small_share(policy)) {
        node = small_victim(policy);
    }
    return node != NULL ? node : main_victim(policy);
}

static struct hasten_cache_node *tinylfu_victim(struct hasten_cache_policy *policy) {
    struct hasten_cache_node *candidate = oldest_of(policy, WINDOW);
    struct hasten_cache_node *victim = oldest_of(policy, PROBATION);
    if (victim == NULL) {
        victim = oldest_of(policy, PROTECTED);
    }
    if (candidate == NULL || victim == NULL) {
        return candidate != NULL ? candidate : victim;
    }
    if (hasten_cache_sketch_count(&policy->sketch, candidate->tag) <=
        hasten_cache_sketch_count(&policy->sketch, victim->tag)) {
        return candidate;
    }
    /* What it makes room for takes its place in the window. */
    move(policy, PROBATION, candidate);
    return victim;
}

struct hasten_cache_node *hasten_cache_policy_evict(struct hasten_cache_policy *policy) {
    struct hasten_cache_node *node = NULL;
    switch (policy->kind) {
    case HASTEN_CACHE_LRU:
        node = oldest_of(policy, 0);
        break;
    case HASTEN_CACHE_SIEVE:
        node = sieve_victim(policy);
        break;
    case HASTEN_CACHE_S3FIFO:
        node = s3fifo_victim(policy);
        break;
    case HASTEN_CACHE_TINYLFU:
        node = tinylfu_victim(policy);
        break;
    }
    if (node != NULL) {
        unlink_node(policy, node);
    }
    return node;
}

void hasten_cache_policy_remove(struct hasten_cache_policy *policy,
                                struct hasten_cache_node *node) {
    if (policy->hand == &node->turn) {
        policy->hand = node->turn.newer;
    }
    unlink_node(policy, node);
}

void hasten_cache_policy_miss(struct hasten_cache_policy *policy, uint32_t tag) {
    if (policy->kind == HASTEN_CACHE_TINYLFU) {
        hasten_cache_sketch_add(&policy->sketch, tag, sketched(policy));
    } else if (policy->kind == HASTEN_CACHE_S3FIFO) {
        /* Before there is room made for it, which may forget that it was there. */
        policy->came_back = hasten_cache_ghosts_take(&policy->ghosts, tag);
    }
}

void hasten_cache_policy_promote(struct hasten_cache_policy *policy,
                                 struct hasten_cache_node *node) {
    hasten_cache_sketch_add(&policy->sketch, node->tag, sketched(policy));
    switch (node->queue) {
    case PROBATION:
        move(policy, PROTECTED, node);
        while (policy->queues[PROTECTED].size > protected_share(policy)) {
            move(policy, PROBATION, oldest_of(policy, PROTECTED));
        }
        break;
    default:
        hasten_cache_recency_touch(&policy->queues[node->queue].root, &node->turn);
        break;
    }
}
