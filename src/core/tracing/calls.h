/* SPDX-License-Identifier: MIT
 *
 * What a program calls: events "enter" and "leave" of functions become nodes with
 * counts and times. The caller says which function by a key, an address that
 * stays its own as long as the calls are kept, and reads the clock itself.
 *
 * A node is a function as called by another. In a *graph*, "by another" means by
 * a function: nodes are the edges from caller to callee, the view of cProfile. In
 * a *tree* it means by a node: nodes are paths from the outermost call. The two
 * differ in one pointer, where a node's own callees are looked up.
 *
 * Entering and leaving are inline and, for calls seen before, touch the frame,
 * the node and its function only. All of this belongs to one thread at a time. */
#ifndef HASTEN_TRACING_CALLS_H
#define HASTEN_TRACING_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/allocator.h"
#include "hasten/status.h"

struct hasten_call_node;
struct hasten_durations;

#define HASTEN_CALL_WAYS_BITS 2

/* Where the callees of one caller are looked up. Holds some of those found last,
 * by a few bits of their key's hash; all are in one table for all callers. */
struct hasten_call_scope {
    struct hasten_call_known {
        const void *key;
        struct hasten_call_node *node;
    } known[1 << HASTEN_CALL_WAYS_BITS];
};

static inline struct hasten_call_known *hasten_call_known_at(struct hasten_call_scope *scope,
                                                             const void *key) {
    uint64_t hash = (uint64_t)(uintptr_t)key * 0x9e3779b97f4a7c15u;
    return &scope->known[hash >> (64 - HASTEN_CALL_WAYS_BITS)];
}

/* Two cache lines: what all events touch, and what entering its callees does. */
struct hasten_call_function {
    const void *key;
    void *object;                   /* the user's, from hasten_calls_add */
    struct hasten_call_node *outer; /* of the outermost active call */
    int64_t inner_total;  /* what its nodes' totals have of calls made while another was active */
    uint64_t recursive;   /* calls made while another was active */
    int32_t level;        /* calls active on the current stack */
    uint32_t index : 30;  /* in order of first appearance */
    uint32_t marked : 1;  /* the user's */
    uint32_t settled : 1; /* the user's */
    char rest_of_line[16];
    struct hasten_call_scope callees;
};

/* One cache line. Times are in the unit of the clock that the user reads. */
struct hasten_call_node {
    struct hasten_call_function *function;
    struct hasten_call_scope *callees; /* in a graph its function's, in a tree its own */
    struct hasten_call_scope *home;    /* its caller's, in which it was found */
    int64_t total;                     /* of calls made while no other of the node was active */
    int64_t self;                      /* of all calls, without what they called */
    uint64_t calls;
    uint64_t recursive; /* calls made while another of the node was active */
    int32_t level;      /* active calls but the one that is its function's outermost */
    uint32_t index;     /* in order of first appearance */
};

/* A call that has not ended. */
struct hasten_call_frame {
    struct hasten_call_node *node;
    int64_t start;
    int64_t nested; /* time of ended callees */
};

/* Frame 0 is nobody's: below it is what was called before anyone looked. */
struct hasten_call_stack {
    struct hasten_call_frame *frames; /* NULL: not used yet */
    struct hasten_call_frame *top;
    struct hasten_call_frame *limit; /* the last there is room for */
    int64_t excluded;                /* the user's: what the clock counted but must not */
    uint32_t id;                     /* the user's */
};

struct hasten_call_slots {
    void **slots; /* power of two */
    size_t capacity;
    size_t count;
};

struct hasten_call_arena {
    void **blocks;
    size_t capacity; /* of the array of blocks */
    size_t item_bytes;
    uint32_t count; /* of items */
};

struct hasten_calls {
    struct hasten_call_stack stack; /* the current one */
    struct hasten_call_scope root;  /* of calls without a known caller */
    struct hasten_call_node nobody; /* frame 0's */
    struct hasten_call_function no_function;
    bool tree;
    bool callers; /* tell callers apart; without, all have the root's */
    bool ran_out; /* memory was missing: something is not counted */
    bool strict;  /* an event matched no call: see hasten_calls_be_strict */
    const struct hasten_allocator *allocator;
    struct hasten_call_slots functions_by_key;
    struct hasten_call_slots nodes_by_home;
    struct hasten_call_arena functions;
    struct hasten_call_arena nodes;
};

/* Makes `calls` ready. It must not move afterwards. */
void hasten_calls_init(struct hasten_calls *calls, bool tree,
                       const struct hasten_allocator *allocator);
void hasten_calls_done(struct hasten_calls *calls);
/* Forgets functions, nodes and active calls. The user's objects are the user's. */
void hasten_calls_clear(struct hasten_calls *calls);
/* Whether callers are told apart from now on. */
void hasten_calls_set_callers(struct hasten_calls *calls, bool callers);

/* The function with that key; NULL where there is none. */
struct hasten_call_function *hasten_calls_find(const struct hasten_calls *calls, const void *key);
/* Makes the function, which must not exist. NULL only where memory ran out. */
struct hasten_call_function *hasten_calls_add(struct hasten_calls *calls, const void *key,
                                              void *object);
/* Finds or makes the node of `function` as called by whom `scope` belongs to.
 * NULL only where memory ran out. */
struct hasten_call_node *hasten_calls_callee(struct hasten_calls *calls,
                                             struct hasten_call_scope *scope,
                                             struct hasten_call_function *function);
/* The known node of a key in a scope, which remembers it; NULL: none. */
struct hasten_call_node *hasten_calls_look_up(const struct hasten_calls *calls,
                                              struct hasten_call_scope *scope, const void *key);

/* A node to stand for nobody at the bottom of one stack, in a tree: what is called
 * from there is told apart from other stacks'. It is the parent of those calls, has
 * no counts and no caller, and its function has no key. NULL: memory ran out. */
struct hasten_call_node *hasten_calls_add_root(struct hasten_calls *calls);

/* All functions and nodes by index, from 0 to `calls->functions.count` and
 * `calls->nodes.count`. */
struct hasten_call_function *hasten_calls_function_at(const struct hasten_calls *calls,
                                                      uint32_t index);
struct hasten_call_node *hasten_calls_node_at(const struct hasten_calls *calls, uint32_t index);
/* Who called the node: in a graph a function, in a tree a node; NULL: nobody known. */
struct hasten_call_function *hasten_calls_caller(const struct hasten_calls *calls,
                                                 const struct hasten_call_node *node);
struct hasten_call_node *hasten_calls_parent(const struct hasten_calls *calls,
                                             const struct hasten_call_node *node);

/* Makes room for a frame more. */
bool hasten_calls_grow(struct hasten_calls *calls);
/* Makes `next` the current stack and keeps the current one in `ret_previous`.
 * Recursion is a matter of one stack: levels are of the current one only. */
void hasten_calls_switch(struct hasten_calls *calls, struct hasten_call_stack *next,
                         struct hasten_call_stack *ret_previous);
/* Gives a stack's memory back. It must not be the current one. */
void hasten_calls_free_stack(struct hasten_calls *calls, struct hasten_call_stack *stack);

/* What an interpreter tells may not nest: threads or greenlets may share a stack.
 * Then all there is to go by is which function ended, and levels must be counted
 * for every node. Entering and leaving inline, below, rely on nesting; once an
 * event did not match, use these two and hasten_calls_look_up instead. */
void hasten_calls_be_strict(struct hasten_calls *calls);
void hasten_calls_push_strictly(struct hasten_calls *calls, struct hasten_call_node *node);
/* Ends the current frame, as a call of `function` whoever's it is. Without
 * `function` nothing is counted. */
void hasten_calls_leave_strictly(struct hasten_calls *calls, struct hasten_call_function *function,
                                 int64_t now);

static inline bool hasten_calls_idle(const struct hasten_calls *calls) {
    return calls->stack.top == calls->stack.frames;
}

/* Puts a call of `node` on the stack, where there must be room. The caller sets
 * `start`, as the last thing it does. */
static inline struct hasten_call_frame *hasten_calls_push(struct hasten_calls *calls,
                                                          struct hasten_call_node *node) {
    struct hasten_call_frame *frame = ++calls->stack.top;
    struct hasten_call_function *function = node->function;
    frame->node = node;
    frame->nested = 0;
    if (__builtin_expect(function->level++ == 0, 1)) {
        function->outer = node;
    } else {
        node->level++;
    }
    return frame;
}

static inline bool hasten_calls_has_room(const struct hasten_calls *calls) {
    return __builtin_expect(calls->stack.top != calls->stack.limit, 1);
}

/* The node that a call of `key` would get now, if the caller remembers it. */
static inline struct hasten_call_node *hasten_calls_again(const struct hasten_calls *calls,
                                                          const void *key) {
    const struct hasten_call_known *known =
        hasten_call_known_at(calls->stack.top->node->callees, key);
    return __builtin_expect(known->key == key, 1) ? known->node : NULL;
}

/* The node that a call of `key` would get now; NULL where it is a new one. */
static inline struct hasten_call_node *hasten_calls_next(const struct hasten_calls *calls,
                                                         const void *key) {
    return hasten_calls_look_up(calls, calls->stack.top->node->callees, key);
}

/* Whether the current frame is a call of the function with that key. */
static inline bool hasten_calls_is_top(const struct hasten_calls *calls, const void *key) {
    return __builtin_expect(calls->stack.top->node->function->key == key, 1);
}

/* calls.h's leave for a function that is active once more. */
void hasten_calls_count_inner(struct hasten_call_node *node, int64_t total);

/* Ends the current frame, which must not be frame 0. Answers how long it took. */
static inline int64_t hasten_calls_leave(struct hasten_calls *calls, int64_t now) {
    struct hasten_call_frame *frame = calls->stack.top--;
    struct hasten_call_node *node = frame->node;
    int64_t total = now - frame->start;
    frame[-1].nested += total;
    node->self += total - frame->nested;
    node->calls++;
    if (__builtin_expect(--node->function->level == 0, 1)) {
        node->total += total;
    } else {
        hasten_calls_count_inner(node, total);
    }
    return total;
}

#endif
