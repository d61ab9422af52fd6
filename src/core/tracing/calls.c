/* SPDX-License-Identifier: MIT
 *
 * The rare half of calls.h: functions and nodes that were not known, growing,
 * switching stacks, events that do not match. */
#include "core/tracing/calls.h"

#include <string.h>

#define FIRST_SLOTS 64        /* of a table; a power of two */
#define FIRST_FRAMES 256      /* of a stack */
#define BLOCK_ITEMS 256       /* in a block of an arena */
#define MOST_ITEMS (1u << 30) /* of an arena: indexes have 30 bits */
#define LINE_BYTES 64         /* of the processor's cache */

_Static_assert(sizeof(struct hasten_call_function) == 2 * LINE_BYTES, "two cache lines");
_Static_assert(sizeof(struct hasten_call_node) == LINE_BYTES, "one cache line");

/* A node with the scope of its own that it has in a tree. */
struct tree_node {
    struct hasten_call_node node;
    struct hasten_call_scope callees;
};

/* Items live in blocks that start at a line and never move. What malloc gave is
 * a line longer, so that there is a line to start at. */
static size_t block_bytes(const struct hasten_call_arena *arena) {
    return (size_t)BLOCK_ITEMS * arena->item_bytes;
}

static void *arena_at(const struct hasten_call_arena *arena, uint32_t index) {
    void *memory = arena->blocks[index / BLOCK_ITEMS];
    uintptr_t first = ((uintptr_t)memory + LINE_BYTES - 1) & ~(uintptr_t)(LINE_BYTES - 1);
    return (char *)memory + (first - (uintptr_t)memory) + index % BLOCK_ITEMS * arena->item_bytes;
}

static void *arena_add(struct hasten_call_arena *arena, const struct hasten_allocator *allocator) {
    size_t block = arena->count / BLOCK_ITEMS;
    if (arena->count == MOST_ITEMS) {
        return NULL;
    }
    if (arena->count % BLOCK_ITEMS == 0) {
        void *array = arena->blocks;
        if (hasten_grow(allocator, &array, &arena->capacity, block + 1, sizeof *arena->blocks) <
            0) {
            return NULL;
        }
        arena->blocks = array;
        arena->blocks[block] = hasten_allocate(allocator, block_bytes(arena) + LINE_BYTES);
        if (arena->blocks[block] == NULL) {
            return NULL;
        }
    }
    void *item = arena_at(arena, arena->count++);
    memset(item, 0, arena->item_bytes);
    return item;
}

static void arena_clear(struct hasten_call_arena *arena, const struct hasten_allocator *allocator) {
    for (size_t i = 0; i * BLOCK_ITEMS < arena->count; i++) {
        hasten_release(allocator, arena->blocks[i], block_bytes(arena) + LINE_BYTES);
    }
    hasten_release(allocator, arena->blocks, arena->capacity * sizeof *arena->blocks);
    arena->blocks = NULL;
    arena->capacity = 0;
    arena->count = 0;
}

static size_t mix(const void *low, const void *high) {
    uint64_t hash = ((uint64_t)(uintptr_t)low ^ ((uint64_t)(uintptr_t)high * 0xff51afd7ed558ccdu)) *
                    0x9e3779b97f4a7c15u;
    return (size_t)(hash ^ (hash >> 32));
}

static size_t function_hash(const void *item) {
    return mix(((const struct hasten_call_function *)item)->key, NULL);
}

static size_t node_hash(const void *item) {
    const struct hasten_call_node *node = item;
    return mix(node->function->key, node->home);
}

static void slots_put(struct hasten_call_slots *table, void *item, size_t hash) {
    size_t index = hash & (table->capacity - 1);
    while (table->slots[index] != NULL) {
        index = (index + 1) & (table->capacity - 1);
    }
    table->slots[index] = item;
}

/* Makes room for one item more, at most 3/4 full. */
static bool slots_reserve(struct hasten_call_slots *table, size_t (*hash)(const void *),
                          const struct hasten_allocator *allocator) {
    if (table->count + 1 <= table->capacity / 4 * 3) {
        return true;
    }
    struct hasten_call_slots grown = *table;
    grown.capacity = table->capacity == 0 ? FIRST_SLOTS : table->capacity * 2;
    grown.slots = hasten_allocate_zeroed(allocator, grown.capacity * sizeof *grown.slots);
    if (grown.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < table->capacity; i++) {
        if (table->slots[i] != NULL) {
            slots_put(&grown, table->slots[i], hash(table->slots[i]));
        }
    }
    hasten_release(allocator, table->slots, table->capacity * sizeof *table->slots);
    *table = grown;
    return true;
}

static void slots_clear(struct hasten_call_slots *table, const struct hasten_allocator *allocator) {
    hasten_release(allocator, table->slots, table->capacity * sizeof *table->slots);
    *table = (struct hasten_call_slots){0};
}

void hasten_calls_init(struct hasten_calls *calls, bool tree,
                       const struct hasten_allocator *allocator) {
    *calls = (struct hasten_calls){.tree = tree, .callers = true, .allocator = allocator};
    calls->functions.item_bytes = sizeof(struct hasten_call_function);
    calls->nodes.item_bytes = tree ? sizeof(struct tree_node) : sizeof(struct hasten_call_node);
    /* Its function has no key: no event can be about it. */
    calls->nobody.function = &calls->no_function;
    calls->nobody.callees = &calls->root;
}

void hasten_calls_clear(struct hasten_calls *calls) {
    slots_clear(&calls->functions_by_key, calls->allocator);
    slots_clear(&calls->nodes_by_home, calls->allocator);
    arena_clear(&calls->functions, calls->allocator);
    arena_clear(&calls->nodes, calls->allocator);
    calls->root = (struct hasten_call_scope){0};
    calls->strict = false;
    calls->stack.top = calls->stack.frames;
}

void hasten_calls_done(struct hasten_calls *calls) {
    hasten_calls_clear(calls);
    hasten_calls_free_stack(calls, &calls->stack);
}

static struct hasten_call_scope *callees_of(struct hasten_calls *calls,
                                            struct hasten_call_node *node) {
    if (!calls->callers) {
        return &calls->root;
    }
    return calls->tree ? &((struct tree_node *)node)->callees : &node->function->callees;
}

void hasten_calls_set_callers(struct hasten_calls *calls, bool callers) {
    if (calls->callers == callers) {
        return;
    }
    calls->callers = callers;
    for (uint32_t i = 0; i < calls->nodes.count; i++) {
        struct hasten_call_node *node = hasten_calls_node_at(calls, i);
        node->callees = callees_of(calls, node);
    }
}

struct hasten_call_function *hasten_calls_find(const struct hasten_calls *calls, const void *key) {
    const struct hasten_call_slots *table = &calls->functions_by_key;
    if (table->capacity == 0) {
        return NULL;
    }
    size_t index = mix(key, NULL) & (table->capacity - 1);
    struct hasten_call_function *function = table->slots[index];
    while (function != NULL && function->key != key) {
        index = (index + 1) & (table->capacity - 1);
        function = table->slots[index];
    }
    return function;
}

struct hasten_call_function *hasten_calls_add(struct hasten_calls *calls, const void *key,
                                              void *object) {
    struct hasten_call_function *function = NULL;
    if (slots_reserve(&calls->functions_by_key, function_hash, calls->allocator)) {
        function = arena_add(&calls->functions, calls->allocator);
    }
    if (function == NULL) {
        calls->ran_out = true;
        return NULL;
    }
    function->key = key;
    function->object = object;
    function->index = (calls->functions.count - 1) & (MOST_ITEMS - 1);
    slots_put(&calls->functions_by_key, function, function_hash(function));
    calls->functions_by_key.count++;
    return function;
}

struct hasten_call_node *hasten_calls_look_up(const struct hasten_calls *calls,
                                              struct hasten_call_scope *scope, const void *key) {
    const struct hasten_call_slots *table = &calls->nodes_by_home;
    if (table->capacity == 0) {
        return NULL;
    }
    size_t index = mix(key, scope) & (table->capacity - 1);
    struct hasten_call_node *node = table->slots[index];
    while (node != NULL && !(node->home == scope && node->function->key == key)) {
        index = (index + 1) & (table->capacity - 1);
        node = table->slots[index];
    }
    if (node != NULL) {
        *hasten_call_known_at(scope, key) = (struct hasten_call_known){.key = key, .node = node};
    }
    return node;
}

struct hasten_call_node *hasten_calls_callee(struct hasten_calls *calls,
                                             struct hasten_call_scope *scope,
                                             struct hasten_call_function *function) {
    struct hasten_call_node *node = hasten_calls_look_up(calls, scope, function->key);
    if (node != NULL) {
        return node;
    }
    if (slots_reserve(&calls->nodes_by_home, node_hash, calls->allocator)) {
        node = arena_add(&calls->nodes, calls->allocator);
    }
    if (node == NULL) {
        calls->ran_out = true;
        return NULL;
    }
    node->function = function;
    node->home = scope;
    node->index = calls->nodes.count - 1;
    node->callees = callees_of(calls, node);
    slots_put(&calls->nodes_by_home, node, node_hash(node));
    calls->nodes_by_home.count++;
    *hasten_call_known_at(scope, function->key) =
        (struct hasten_call_known){.key = function->key, .node = node};
    return node;
}

struct hasten_call_node *hasten_calls_add_root(struct hasten_calls *calls) {
    struct hasten_call_node *node = arena_add(&calls->nodes, calls->allocator);
    if (node == NULL) {
        calls->ran_out = true;
        return NULL;
    }
    node->function = &calls->no_function;
    node->home = &calls->root;
    node->index = calls->nodes.count - 1;
    node->callees = callees_of(calls, node);
    return node;
}

struct hasten_call_function *hasten_calls_function_at(const struct hasten_calls *calls,
                                                      uint32_t index) {
    return arena_at(&calls->functions, index);
}

struct hasten_call_node *hasten_calls_node_at(const struct hasten_calls *calls, uint32_t index) {
    return arena_at(&calls->nodes, index);
}

/* A node's home is a member of its caller. */
struct hasten_call_function *hasten_calls_caller(const struct hasten_calls *calls,
                                                 const struct hasten_call_node *node) {
    if (node->home == &calls->root) {
        return NULL;
    }
    if (calls->tree) {
        return hasten_calls_parent(calls, node)->function;
    }
    return (void *)((char *)node->home - offsetof(struct hasten_call_function, callees));
}

struct hasten_call_node *hasten_calls_parent(const struct hasten_calls *calls,
                                             const struct hasten_call_node *node) {
    if (!calls->tree || node->home == &calls->root) {
        return NULL;
    }
    return (void *)((char *)node->home - offsetof(struct tree_node, callees));
}

bool hasten_calls_grow(struct hasten_calls *calls) {
    struct hasten_call_stack *stack = &calls->stack;
    bool first = stack->frames == NULL;
    size_t depth = first ? 0 : (size_t)(stack->top - stack->frames);
    size_t capacity = first ? 0 : (size_t)(stack->limit - stack->frames) + 1;
    size_t wanted = first ? FIRST_FRAMES : capacity * 2;
    struct hasten_call_frame *frames = hasten_resize(
        calls->allocator, stack->frames, capacity * sizeof *frames, wanted * sizeof *frames);
    if (frames == NULL) {
        calls->ran_out = true;
        return false;
    }
    if (first) {
        frames[0] = (struct hasten_call_frame){.node = &calls->nobody};
    }
    stack->frames = frames;
    stack->top = frames + depth;
    stack->limit = frames + wanted - 1;
    return true;
}

/* The stack's calls are not active for now, from the innermost out; */
static void suspend(const struct hasten_call_stack *stack, bool strict) {
    if (stack->frames == NULL) {
        return;
    }
    for (struct hasten_call_frame *frame = stack->top; frame > stack->frames; frame--) {
        if (--frame->node->function->level != 0 || strict) {
            frame->node->level--;
        }
    }
}

/* and active again, in the order in which they were made. */
static void resume(const struct hasten_call_stack *stack, bool strict) {
    if (stack->frames == NULL) {
        return;
    }
    for (struct hasten_call_frame *frame = stack->frames + 1; frame <= stack->top; frame++) {
        if (frame->node->function->level++ == 0 && !strict) {
            frame->node->function->outer = frame->node;
        } else {
            frame->node->level++;
        }
    }
}

void hasten_calls_switch(struct hasten_calls *calls, struct hasten_call_stack *next,
                         struct hasten_call_stack *ret_previous) {
    struct hasten_call_stack incoming = *next;
    suspend(&calls->stack, calls->strict);
    *ret_previous = calls->stack;
    calls->stack = incoming;
    resume(&calls->stack, calls->strict);
}

void hasten_calls_free_stack(struct hasten_calls *calls, struct hasten_call_stack *stack) {
    if (stack->frames != NULL) {
        size_t capacity = (size_t)(stack->limit - stack->frames) + 1;
        hasten_release(calls->allocator, stack->frames, capacity * sizeof *stack->frames);
    }
    *stack = (struct hasten_call_stack){.id = stack->id};
}

/* Another call of the function is active still. If it is of the node too, the time
 * is in that call's; else it is the node's, but must not be the function's twice. */
void hasten_calls_count_inner(struct hasten_call_node *node, int64_t total) {
    struct hasten_call_function *function = node->function;
    function->recursive++;
    if (--node->level > 0 || function->outer == node) {
        node->recursive++;
    } else {
        node->total += total;
        function->inner_total += total;
    }
}

void hasten_calls_be_strict(struct hasten_calls *calls) {
    if (calls->strict) {
        return;
    }
    calls->strict = true;
    for (struct hasten_call_frame *frame = calls->stack.top; frame > calls->stack.frames; frame--) {
        frame->node->level = 0;
    }
    for (struct hasten_call_frame *frame = calls->stack.top; frame > calls->stack.frames; frame--) {
        frame->node->level++;
    }
}

void hasten_calls_push_strictly(struct hasten_calls *calls, struct hasten_call_node *node) {
    *++calls->stack.top = (struct hasten_call_frame){.node = node};
    node->level++;
    node->function->level++;
}

void hasten_calls_leave_strictly(struct hasten_calls *calls, struct hasten_call_function *function,
                                 int64_t now) {
    struct hasten_call_frame *frame = calls->stack.top--;
    if (function == NULL) {
        return;
    }
    int64_t total = now - frame->start;
    frame[-1].nested += total;
    /* Where nobody called it from there, it counts as called by nobody known. */
    struct hasten_call_scope *scope = frame[-1].node->callees;
    struct hasten_call_node *node = hasten_calls_look_up(calls, scope, function->key);
    if (node == NULL) {
        node = hasten_calls_callee(calls, &calls->root, function);
    }
    if (node == NULL) {
        return;
    }
    node->self += total - frame->nested;
    node->calls++;
    if (--node->level == 0) {
        node->total += total;
        function->inner_total += total;
    } else {
        node->recursive++;
    }
    if (--function->level == 0) {
        function->inner_total -= total;
    } else {
        function->recursive++;
    }
}
