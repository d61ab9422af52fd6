/* SPDX-License-Identifier: MIT
 *
 * Calls: random programs against a model that keeps every call by itself. */
#include "check.h"
#include "core/tracing/calls.h"
#include "failing_allocator.h"

#include <stdlib.h>

#define FUNCTIONS 12
#define DEEPEST 60
#define STEPS 40000

static const char keys[FUNCTIONS];

/* What the counts should be, by caller (the last one: nobody) and callee. */
struct expected {
    long long total, self;
    unsigned long long calls, recursive;
};

struct model {
    struct expected edges[FUNCTIONS + 1][FUNCTIONS];
    struct expected functions[FUNCTIONS];
    struct model_call {
        int function, caller;
        long long start, nested;
    } stack[DEEPEST];
    int depth;
};

static bool is_active(const struct model *model, int depth, int caller, int function) {
    for (int i = 0; i < depth; i++) {
        if (model->stack[i].function == function &&
            (caller < 0 || model->stack[i].caller == caller)) {
            return true;
        }
    }
    return false;
}

static void model_enter(struct model *model, int function, long long now) {
    int caller = model->depth == 0 ? FUNCTIONS : model->stack[model->depth - 1].function;
    model->stack[model->depth++] =
        (struct model_call){.function = function, .caller = caller, .start = now};
}

static void model_leave(struct model *model, long long now) {
    struct model_call call = model->stack[--model->depth];
    struct expected *edge = &model->edges[call.caller][call.function];
    struct expected *function = &model->functions[call.function];
    long long total = now - call.start;
    edge->calls++;
    function->calls++;
    edge->self += total - call.nested;
    function->self += total - call.nested;
    if (is_active(model, model->depth, call.caller, call.function)) {
        edge->recursive++;
    } else {
        edge->total += total;
    }
    if (is_active(model, model->depth, -1, call.function)) {
        function->recursive++;
    } else {
        function->total += total;
    }
    if (model->depth > 0) {
        model->stack[model->depth - 1].nested += total;
    }
}

static bool enter(struct hasten_calls *calls, int function, int64_t now, bool strictly) {
    const void *key = &keys[function];
    struct hasten_call_node *node = strictly ? NULL : hasten_calls_again(calls, key);
    if (node == NULL) {
        node = hasten_calls_next(calls, key);
    }
    if (node == NULL) {
        struct hasten_call_function *known = hasten_calls_find(calls, key);
        if (known == NULL) {
            known = hasten_calls_add(calls, key, NULL);
        }
        node = known == NULL ? NULL
                             : hasten_calls_callee(calls, calls->stack.top->node->callees, known);
    }
    if (node == NULL || (!hasten_calls_has_room(calls) && !hasten_calls_grow(calls))) {
        return false;
    }
    if (strictly) {
        hasten_calls_push_strictly(calls, node);
    } else {
        hasten_calls_push(calls, node);
    }
    calls->stack.top->start = now;
    return true;
}

/* Whether the call was on top, as far as that matters. */
static bool leave(struct hasten_calls *calls, int function, int64_t now, bool strictly) {
    if (strictly) {
        hasten_calls_leave_strictly(calls, hasten_calls_find(calls, &keys[function]), now);
        return true;
    }
    bool on_top = hasten_calls_is_top(calls, &keys[function]);
    hasten_calls_leave(calls, now);
    return on_top;
}

static int number_of(const struct hasten_call_function *function) {
    return function == NULL ? FUNCTIONS : (int)((const char *)function->key - keys);
}

/* Totals of functions are those of their nodes without what is counted twice. */
static unsigned compare(const struct hasten_calls *calls, const struct model *model) {
    struct expected functions[FUNCTIONS] = {{0}};
    unsigned wrong = 0;
    for (uint32_t i = 0; i < calls->nodes.count; i++) {
        const struct hasten_call_node *node = hasten_calls_node_at(calls, i);
        int callee = number_of(node->function);
        int caller = number_of(hasten_calls_caller(calls, node));
        const struct expected *edge = &model->edges[caller][callee];
        wrong += node->calls != edge->calls || node->recursive != edge->recursive ||
                 node->total != edge->total || node->self != edge->self;
        functions[callee].calls += node->calls;
        functions[callee].self += node->self;
        functions[callee].total += node->total;
    }
    for (uint32_t i = 0; i < calls->functions.count; i++) {
        const struct hasten_call_function *function = hasten_calls_function_at(calls, i);
        const struct expected *expected = &model->functions[number_of(function)];
        const struct expected *found = &functions[number_of(function)];
        wrong += found->calls != expected->calls || found->self != expected->self ||
                 found->total - function->inner_total != expected->total ||
                 function->recursive != expected->recursive || function->index != i ||
                 function->level != 0;
    }
    return wrong;
}

static unsigned next_random(unsigned *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* With `strict_after` events, the rest goes the strict way. */
static void test_graph(unsigned seed, int strict_after) {
    struct failing_allocator memory;
    failing_allocator_init(&memory, 0, false);
    struct hasten_calls calls;
    hasten_calls_init(&calls, false, &memory.allocator);
    CHECK(hasten_calls_grow(&calls));
    CHECK(hasten_calls_idle(&calls));
    static struct model model;
    model = (struct model){0};
    unsigned random = seed;
    unsigned wrong = 0;
    long long now = 0;
    for (int step = 0; step < STEPS || model.depth > 0; step++) {
        if (step == strict_after) {
            hasten_calls_be_strict(&calls);
        }
        now += next_random(&random) % 100;
        bool deeper = next_random(&random) % 2 == 0 || model.depth == 0;
        if (step < STEPS && model.depth < DEEPEST && deeper) {
            int function = (int)(next_random(&random) % FUNCTIONS);
            wrong += !enter(&calls, function, now, calls.strict);
            model_enter(&model, function, now);
        } else {
            int function = model.stack[model.depth - 1].function;
            wrong += !leave(&calls, function, now, calls.strict);
            model_leave(&model, now);
        }
    }
    CHECK(hasten_calls_idle(&calls));
    CHECK_EQ_INT(wrong, 0);
    CHECK_EQ_INT(compare(&calls, &model), 0);
    CHECK_EQ_INT(calls.functions.count, FUNCTIONS);
    CHECK(!calls.ran_out);
    hasten_calls_clear(&calls);
    CHECK_EQ_INT(calls.nodes.count, 0);
    CHECK(hasten_calls_find(&calls, &keys[0]) == NULL);
    hasten_calls_done(&calls);
    CHECK_EQ_INT(memory.live_blocks, 0);
    CHECK(!memory.wrong_size);
}

/* Nodes of a tree are paths: a function has one for each way it is reached. */
static void test_tree(void) {
    struct hasten_calls calls;
    hasten_calls_init(&calls, true, NULL);
    CHECK(hasten_calls_grow(&calls));
    static const int path[] = {0, 1, 2, 1};
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++) {
            CHECK(enter(&calls, path[i], 10 * i, false));
        }
        for (int i = 3; i >= 0; i--) {
            CHECK(leave(&calls, path[i], 100 - 10 * i, false));
        }
        CHECK(enter(&calls, 1, 0, false));
        CHECK(leave(&calls, 1, 5, false));
    }
    CHECK_EQ_INT(calls.functions.count, 3);
    CHECK_EQ_INT(calls.nodes.count, 5);
    const struct hasten_call_node *deepest = hasten_calls_node_at(&calls, 3);
    static const int up[] = {1, 2, 1, 0};
    for (int i = 0; i < 4; i++) {
        CHECK(deepest != NULL && number_of(deepest->function) == up[i]);
        CHECK_EQ_INT(deepest->calls, 3);
        deepest = hasten_calls_parent(&calls, deepest);
    }
    CHECK(deepest == NULL);
    const struct hasten_call_node *root = hasten_calls_node_at(&calls, 4);
    CHECK(hasten_calls_parent(&calls, root) == NULL);
    CHECK(hasten_calls_caller(&calls, root) == NULL);
    CHECK_EQ_INT(root->total, 15);
    CHECK_EQ_INT(root->function->recursive, 3);
    hasten_calls_done(&calls);
}

static void test_without_callers(void) {
    struct hasten_calls calls;
    hasten_calls_init(&calls, false, NULL);
    CHECK(hasten_calls_grow(&calls));
    CHECK(enter(&calls, 0, 0, false));
    hasten_calls_set_callers(&calls, false);
    CHECK(enter(&calls, 1, 1, false));
    CHECK(enter(&calls, 2, 2, false));
    CHECK(leave(&calls, 2, 3, false));
    CHECK(leave(&calls, 1, 5, false));
    CHECK(leave(&calls, 0, 9, false));
    CHECK_EQ_INT(calls.nodes.count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK(hasten_calls_caller(&calls, hasten_calls_node_at(&calls, i)) == NULL);
    }
    hasten_calls_set_callers(&calls, true);
    CHECK(enter(&calls, 1, 10, false));
    CHECK(enter(&calls, 2, 11, false));
    CHECK_EQ_INT(number_of(hasten_calls_caller(&calls, calls.stack.top->node)), 1);
    CHECK(leave(&calls, 2, 12, false));
    CHECK(leave(&calls, 1, 13, false));
    hasten_calls_done(&calls);
}

/* A call on another stack is no recursion, and time there is not nested here. */
static void test_stacks(bool strictly) {
    struct hasten_calls calls;
    hasten_calls_init(&calls, false, NULL);
    CHECK(hasten_calls_grow(&calls));
    if (strictly) {
        hasten_calls_be_strict(&calls);
    }
    struct hasten_call_stack other = {.id = 7};
    struct hasten_call_stack kept;
    CHECK(enter(&calls, 0, 0, strictly));
    CHECK(enter(&calls, 1, 10, strictly));
    hasten_calls_switch(&calls, &other, &kept);
    CHECK_EQ_INT(calls.stack.id, 7);
    CHECK(hasten_calls_grow(&calls));
    CHECK(enter(&calls, 1, 20, strictly));
    hasten_calls_switch(&calls, &kept, &other);
    CHECK(leave(&calls, 1, 30, strictly));
    CHECK(leave(&calls, 0, 40, strictly));
    hasten_calls_switch(&calls, &other, &kept);
    CHECK(leave(&calls, 1, 50, strictly));
    const struct hasten_call_function *function = hasten_calls_find(&calls, &keys[1]);
    CHECK_EQ_INT(function->recursive, 0);
    CHECK_EQ_INT(function->level, 0);
    const struct hasten_call_node *first = hasten_calls_node_at(&calls, 1);
    const struct hasten_call_node *second = hasten_calls_node_at(&calls, 2);
    CHECK_EQ_INT(first->total + second->total - function->inner_total, 20 + 30);
    CHECK_EQ_INT(hasten_calls_node_at(&calls, 0)->self, 40 - 20);
    hasten_calls_free_stack(&calls, &kept);
    CHECK_EQ_INT(kept.id, 0);
    hasten_calls_done(&calls);
}

/* An event that is about another function than the current call's. */
static void test_unmatched(void) {
    struct hasten_calls calls;
    hasten_calls_init(&calls, false, NULL);
    CHECK(hasten_calls_grow(&calls));
    CHECK(enter(&calls, 0, 0, false));
    CHECK(enter(&calls, 1, 10, false));
    CHECK(enter(&calls, 2, 20, false));
    CHECK(!hasten_calls_is_top(&calls, &keys[1]));
    hasten_calls_be_strict(&calls);
    CHECK(leave(&calls, 1, 30, true));
    hasten_calls_leave_strictly(&calls, NULL, 40);
    CHECK(leave(&calls, 0, 50, true));
    CHECK(hasten_calls_idle(&calls));
    /* Nobody ever saw 1 call 1: it counts as called by nobody known. */
    const struct hasten_call_function *one = hasten_calls_find(&calls, &keys[1]);
    const struct hasten_call_node *stray = hasten_calls_node_at(&calls, 3);
    CHECK(stray->function == one && hasten_calls_caller(&calls, stray) == NULL);
    CHECK_EQ_INT(stray->calls, 1);
    CHECK_EQ_INT(stray->self, 10);
    CHECK_EQ_INT(hasten_calls_find(&calls, &keys[2])->level, 1);
    hasten_calls_done(&calls);
}

static void test_out_of_memory(void) {
    for (size_t fail_at = 1; fail_at < 60; fail_at++) {
        struct failing_allocator memory;
        failing_allocator_init(&memory, fail_at, true);
        struct hasten_calls calls;
        hasten_calls_init(&calls, fail_at % 2 == 0, &memory.allocator);
        bool worked = hasten_calls_grow(&calls);
        int depth = 0;
        unsigned random = 1;
        while (worked && depth < 20000) {
            worked = enter(&calls, (int)(next_random(&random) % FUNCTIONS), depth, false);
            depth += worked;
        }
        CHECK(worked || calls.ran_out);
        while (calls.stack.frames != NULL && !hasten_calls_idle(&calls)) {
            hasten_calls_leave(&calls, depth);
        }
        hasten_calls_done(&calls);
        CHECK_EQ_INT(memory.live_blocks, 0);
        CHECK(!memory.wrong_size);
    }
}

/* A million distinct edges take 100 bytes each at most. */
static void test_memory(void) {
    struct failing_allocator memory;
    failing_allocator_init(&memory, 0, false);
    struct hasten_calls calls;
    hasten_calls_init(&calls, false, &memory.allocator);
    static char many[1000];
    for (int i = 0; i < 1000; i++) {
        CHECK(hasten_calls_add(&calls, &many[i], NULL) != NULL);
    }
    size_t before = memory.live_bytes;
    bool worked = true;
    for (uint32_t i = 0; i < 1000000; i++) {
        struct hasten_call_scope *scope = &hasten_calls_function_at(&calls, i / 1000)->callees;
        worked &=
            hasten_calls_callee(&calls, scope, hasten_calls_function_at(&calls, i % 1000)) != NULL;
    }
    CHECK(worked);
    CHECK_EQ_INT(calls.nodes.count, 1000000);
    CHECK((memory.live_bytes - before) / 1000000 <= 100);
    hasten_calls_done(&calls);
}

/* What two stacks call is told apart where they have roots of their own. */
static void test_roots(void) {
    struct hasten_calls calls;
    struct hasten_call_node *roots[2];
    hasten_calls_init(&calls, true, NULL);
    struct hasten_call_function *function = hasten_calls_add(&calls, &keys[0], NULL);
    for (int i = 0; i < 2; i++) {
        roots[i] = hasten_calls_add_root(&calls);
        struct hasten_call_node *node = hasten_calls_callee(&calls, roots[i]->callees, function);
        struct hasten_call_node *inner = hasten_calls_callee(&calls, node->callees, function);
        CHECK(hasten_calls_parent(&calls, roots[i]) == NULL);
        CHECK(hasten_calls_parent(&calls, node) == roots[i]);
        CHECK(hasten_calls_parent(&calls, inner) == node);
        CHECK_EQ_INT(inner->index, 3 * i + 2);
        CHECK(hasten_calls_node_at(&calls, inner->index) == inner);
    }
    CHECK_EQ_INT(calls.nodes.count, 6);
    hasten_calls_done(&calls);
}

int main(void) {
    for (unsigned seed = 1; seed <= 5; seed++) {
        test_graph(seed, -1);
        test_graph(seed, 0);
        test_graph(seed, STEPS / 3);
    }
    test_tree();
    test_roots();
    test_without_callers();
    test_stacks(false);
    test_stacks(true);
    test_unmatched();
    test_out_of_memory();
    test_memory();
    return check_done();
}
