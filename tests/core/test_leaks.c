/* SPDX-License-Identifier: MIT
 *
 * The heap as a graph, its shortest chains, the history of its objects, and the rule
 * that tells growth from what looks like it. */
#include "check.h"
#include "core/leaks/growth.h"
#include "core/leaks/heap.h"
#include "core/leaks/history.h"
#include "core/leaks/routes.h"
#include "failing_allocator.h"

static uint32_t add(struct hasten_heap *heap, uint64_t address, uint32_t type) {
    uint32_t node = HASTEN_HEAP_NONE;
    bool is_new = false;
    if (hasten_heap_add(heap, address, &node, &is_new) != HASTEN_OK) {
        return HASTEN_HEAP_NONE;
    }
    heap->nodes[node].type = type;
    heap->nodes[node].grains = 2;
    return node;
}

/* Nodes 0..count-1 at 16, 32, ...; `edges` are pairs, in order of the holder. */
static bool build(struct hasten_heap *heap, uint32_t count, const uint32_t (*edges)[2],
                  size_t edge_count) {
    for (uint32_t i = 0; i < count; i++) {
        if (add(heap, 16 * (uint64_t)(i + 1), 0) != i) {
            return false;
        }
    }
    size_t next = 0;
    for (uint32_t i = 0; i < count; i++) {
        hasten_heap_begin(heap, i);
        for (; next < edge_count && edges[next][0] == i; next++) {
            if (hasten_heap_edge(heap, edges[next][1]) != HASTEN_OK) {
                return false;
            }
        }
    }
    return next == edge_count;
}

static void test_nodes_are_found_again(void) {
    struct failing_allocator memory;
    failing_allocator_init(&memory, 0, false);
    struct hasten_heap heap;
    hasten_heap_init(&heap, &memory.allocator);
    CHECK_EQ_INT(hasten_heap_find(&heap, 16), HASTEN_HEAP_NONE);
    unsigned wrong = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t node = 0;
        bool is_new = false;
        uint64_t address = 8 * (uint64_t)(i % 10000) + 0x7f0000000000u;
        wrong += hasten_heap_add(&heap, address, &node, &is_new) != HASTEN_OK;
        wrong += node != i % 10000 || is_new != (i < 10000);
        wrong += hasten_heap_find(&heap, address) != node;
    }
    CHECK_EQ_INT(wrong, 0);
    CHECK_EQ_INT(heap.node_count, 10000);
    CHECK_EQ_INT(hasten_heap_find(&heap, 8), HASTEN_HEAP_NONE);
    CHECK(heap.node_count * 2 <= heap.slot_capacity);
    hasten_heap_done(&heap);
    CHECK_EQ_INT(memory.live_blocks, 0);
    CHECK(!memory.wrong_size);
}

static void test_edges_belong_to_their_node(void) {
    static const uint32_t edges[][2] = {{0, 1}, {0, 2}, {2, 2}, {2, 1}};
    struct hasten_heap heap;
    hasten_heap_init(&heap, NULL);
    CHECK(build(&heap, 4, edges, 4));
    CHECK_EQ_INT(hasten_heap_edges_end(&heap, 0) - heap.nodes[0].edges, 2);
    CHECK_EQ_INT(hasten_heap_edges_end(&heap, 1) - heap.nodes[1].edges, 0);
    CHECK_EQ_INT(hasten_heap_extent(&heap, 2), 2);
    CHECK_EQ_INT(hasten_heap_extent(&heap, 3), 2); /* its grains */
    CHECK_EQ_INT(heap.nodes[1].references, 2);
    CHECK_EQ_INT(heap.nodes[2].references, 2);
    CHECK_EQ_INT(hasten_heap_bytes(&heap, 3), 32);
    CHECK_EQ_INT(hasten_heap_grains(17), 2);
    CHECK_EQ_INT(hasten_heap_grains(UINT64_C(1) << 50), UINT32_MAX);
    hasten_heap_done(&heap);
}

/* 0 -> 1 -> 2 -> 3, 4 -> 3, 5 <-> 6, 7 -> 5 */
static const uint32_t chain[][2] = {{0, 1}, {1, 2}, {2, 3}, {4, 3}, {5, 6}, {6, 5}, {7, 5}};

static void test_shortest_chains(void) {
    struct failing_allocator memory;
    failing_allocator_init(&memory, 0, false);
    struct hasten_heap heap;
    struct hasten_routes paths;
    hasten_heap_init(&heap, &memory.allocator);
    hasten_routes_init(&paths, &memory.allocator);
    CHECK(build(&heap, 8, chain, 7));
    /* The worse root is nearer by two and loses by one. */
    const struct hasten_route_root roots[] = {{0, 0}, {4, 3}, {0, 4}};
    CHECK_STATUS(hasten_routes_begin(&paths, &heap), HASTEN_OK);
    hasten_routes_extend(&paths, &heap, roots, 3);
    CHECK_EQ_INT(paths.parents[3], 2);
    CHECK(hasten_routes_is_root(&paths, 0) && hasten_routes_is_root(&paths, 4));
    CHECK_EQ_INT(paths.reached, 5);
    CHECK_EQ_INT(paths.parents[5], HASTEN_HEAP_NONE);
    /* What is left is reached later, and what was reached stays. */
    const struct hasten_route_root more[] = {{7, 0}, {3, 0}};
    hasten_routes_extend(&paths, &heap, more, 2);
    CHECK_EQ_INT(paths.reached, 8);
    CHECK_EQ_INT(paths.parents[6], 5);
    CHECK_EQ_INT(paths.parents[3], 2);
    /* A root that is no worse wins. */
    const struct hasten_route_root near[] = {{0, 0}, {4, 1}};
    CHECK_STATUS(hasten_routes_begin(&paths, &heap), HASTEN_OK);
    hasten_routes_extend(&paths, &heap, near, 2);
    CHECK_EQ_INT(paths.parents[3], 4);
    for (size_t i = 1; i < paths.reached; i++) {
        uint32_t parent = paths.parents[paths.order[i]];
        size_t at = 0;
        while (paths.order[at] != parent) {
            at++;
        }
        CHECK(at <= i);
    }
    hasten_routes_done(&paths);
    hasten_heap_done(&heap);
    CHECK_EQ_INT(memory.live_blocks, 0);
    CHECK(!memory.wrong_size);
}

static bool is_type_one(void *data, uint32_t type) {
    (void)data;
    return type == 1;
}

/* A mark of a heap with these addresses; type 1 holds the first. */
static void mark(struct hasten_history *history, struct hasten_heap *before,
                 const uint64_t *addresses, size_t count, uint32_t type) {
    struct hasten_heap heap;
    hasten_heap_init(&heap, before->allocator);
    for (size_t i = 0; i < count; i++) {
        add(&heap, addresses[i], i == 0 ? 0 : type);
    }
    for (size_t i = 0; i < count; i++) {
        hasten_heap_begin(&heap, (uint32_t)i);
        if (i > 0) {
            CHECK_STATUS(hasten_heap_edge(&heap, 0), HASTEN_OK);
        }
    }
    CHECK_STATUS(hasten_history_follow(history, before, &heap, is_type_one, NULL), HASTEN_OK);
    hasten_history_mark(history, &heap);
    hasten_heap_done(before);
    *before = heap;
}

static uint32_t birth(const struct hasten_heap *heap, uint64_t address) {
    return heap->past[hasten_heap_find(heap, address)].birth;
}

static void test_births(void) {
    struct hasten_history history;
    struct hasten_heap heap;
    hasten_history_init(&history);
    hasten_heap_init(&heap, NULL);
    mark(&history, &heap, (const uint64_t[]){16, 32}, 2, 2);
    mark(&history, &heap, (const uint64_t[]){16, 32, 48}, 3, 2);
    mark(&history, &heap, (const uint64_t[]){16, 48, 64}, 3, 2);
    mark(&history, &heap, (const uint64_t[]){16, 32, 48, 64}, 4, 2);
    CHECK_EQ_INT(birth(&heap, 16), 0);
    CHECK_EQ_INT(birth(&heap, 48), 1);
    CHECK_EQ_INT(birth(&heap, 64), 2);
    CHECK_EQ_INT(birth(&heap, 32), 3); /* was away */
    /* Another type at the same place is another object. */
    mark(&history, &heap, (const uint64_t[]){16, 32, 48, 64}, 4, 3);
    CHECK_EQ_INT(birth(&heap, 16), 0);
    CHECK_EQ_INT(birth(&heap, 48), 4);
    CHECK_EQ_INT(history.marks, 5);
    hasten_heap_done(&heap);
}

/* A container that holds something else at both ends is another one. */
static void test_containers_by_their_ends(void) {
    struct hasten_history history;
    struct hasten_heap heap;
    hasten_history_init(&history);
    hasten_heap_init(&heap, NULL);
    mark(&history, &heap, (const uint64_t[]){160, 32, 48}, 3, 1);
    mark(&history, &heap, (const uint64_t[]){160, 32, 64}, 3, 1);
    CHECK_EQ_INT(birth(&heap, 32), 0);
    mark(&history, &heap, (const uint64_t[]){176, 32, 64}, 3, 1);
    CHECK_EQ_INT(birth(&heap, 32), 2);
    mark(&history, &heap, (const uint64_t[]){192, 32, 64}, 3, 2);
    mark(&history, &heap, (const uint64_t[]){208, 32, 64}, 3, 2);
    CHECK_EQ_INT(birth(&heap, 32), 3); /* no container, known by its place */
    hasten_heap_done(&heap);
}

static void test_references(void) {
    static const struct {
        uint32_t marks, early, middle;
    } cases[] = {{4, 1, 2}, {5, 1, 2}, {6, 1, 2}, {7, 2, 4}, {11, 2, 4}, {13, 4, 8}, {17, 4, 8}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hasten_history history;
        struct hasten_heap heap;
        size_t early = 0;
        size_t middle = 0;
        hasten_history_init(&history);
        hasten_heap_init(&heap, NULL);
        for (uint32_t k = 0; k < cases[i].marks; k++) {
            uint64_t addresses[40] = {16};
            for (uint32_t n = 0; n <= k; n++) {
                addresses[n] = 16 * (uint64_t)(n + 1);
            }
            mark(&history, &heap, addresses, k + 1, 2);
        }
        CHECK(hasten_history_references(&history, &early, &middle));
        CHECK_EQ_INT(history.referred[early], cases[i].early);
        CHECK_EQ_INT(history.referred[middle], cases[i].middle);
        CHECK_EQ_INT(heap.past[0].extents[middle], 2); /* its grains: it holds nothing */
        hasten_heap_done(&heap);
    }
    struct hasten_history none;
    size_t unused = 0;
    hasten_history_init(&none);
    CHECK(!hasten_history_references(&none, &unused, &unused));
}

static enum hasten_growth survivors(const char *digits) {
    uint64_t counts[64];
    size_t count = strlen(digits);
    for (size_t i = 0; i < count; i++) {
        counts[i] = (uint64_t)(digits[i] - '0');
    }
    return hasten_growth_of_survivors(counts, count);
}

static void test_growth_of_survivors(void) {
    static const struct {
        const char *survivors; /* of each iteration, a digit each */
        enum hasten_growth growth;
    } cases[] = {
        {"111", HASTEN_GROWTH_TOO_FEW},
        {"1111", HASTEN_GROWTH_GROWING},
        {"444444444444", HASTEN_GROWTH_GROWING},
        {"000444444444", HASTEN_GROWTH_GROWING},  /* warming up does not count */
        {"999111111111", HASTEN_GROWTH_GROWING},  /* likewise */
        {"020202020202", HASTEN_GROWTH_GROWING},  /* every other time */
        {"001223456789", HASTEN_GROWTH_GROWING},  /* faster and faster */
        {"555555000000", HASTEN_GROWTH_LEVELLED}, /* a cache that is full */
        {"986543322100", HASTEN_GROWTH_LEVELLED}, /* a table that is filled when used */
        {"999988776443", HASTEN_GROWTH_LEVELLED}, /* less than half as much at last */
        {"000100100100", HASTEN_GROWTH_LEVELLED}, /* rarely */
        {"000000000555", HASTEN_GROWTH_REPLACED}, /* the latest only: evicted, flushed */
        {"000000055555", HASTEN_GROWTH_REPLACED},
        {"000000000000", HASTEN_GROWTH_REPLACED},
        {"111111111110", HASTEN_GROWTH_GROWING}, /* in use at the last marks, or not yet */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (!CHECK_EQ_STR(hasten_growth_word(survivors(cases[i].survivors)),
                          hasten_growth_word(cases[i].growth))) {
            fprintf(stderr, "    of %s\n", cases[i].survivors);
        }
    }
}

static void test_growth_of_sizes(void) {
    static const struct {
        struct hasten_growth_sizes sizes;
        enum hasten_growth growth;
    } cases[] = {
        {{10, 20, 30, 4, 4}, HASTEN_GROWTH_GROWING},  {{10, 20, 25, 4, 4}, HASTEN_GROWTH_GROWING},
        {{10, 20, 24, 4, 4}, HASTEN_GROWTH_LEVELLED}, {{10, 20, 24, 4, 1}, HASTEN_GROWTH_GROWING},
        {{10, 20, 20, 4, 4}, HASTEN_GROWTH_LEVELLED}, {{10, 20, 15, 4, 4}, HASTEN_GROWTH_LEVELLED},
        {{20, 10, 30, 4, 4}, HASTEN_GROWTH_GROWING},  {{20, 20, 20, 4, 4}, HASTEN_GROWTH_REPLACED},
        {{20, 40, 10, 4, 4}, HASTEN_GROWTH_REPLACED}, {{0, 0, 1, 4, 4}, HASTEN_GROWTH_GROWING},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_EQ_STR(hasten_growth_word(hasten_growth_of_sizes(&cases[i].sizes)),
                     hasten_growth_word(cases[i].growth));
    }
}

/* Everything once, with memory that runs out at the N-th request. */
static bool run_with(const struct hasten_allocator *allocator) {
    struct hasten_heap before;
    struct hasten_heap heap;
    struct hasten_routes paths;
    struct hasten_history history;
    const struct hasten_route_root root = {0, 0};
    hasten_heap_init(&before, allocator);
    hasten_heap_init(&heap, allocator);
    hasten_routes_init(&paths, allocator);
    hasten_history_init(&history);
    bool done = build(&heap, 8, chain, 7) && hasten_routes_begin(&paths, &heap) == HASTEN_OK &&
                hasten_history_follow(&history, &before, &heap, NULL, NULL) == HASTEN_OK;
    if (done) {
        hasten_routes_extend(&paths, &heap, &root, 1);
        hasten_history_mark(&history, &heap);
    }
    hasten_heap_drop_edges(&heap);
    hasten_routes_done(&paths);
    hasten_heap_done(&heap);
    hasten_heap_done(&before);
    return done;
}

static void test_out_of_memory(void) {
    bool done = false;
    size_t failed = 0;
    for (size_t fail_at = 1; !done && fail_at < 50; fail_at++) {
        struct failing_allocator memory;
        failing_allocator_init(&memory, fail_at, false);
        done = run_with(&memory.allocator);
        failed += !done;
        CHECK_EQ_INT(memory.live_blocks, 0);
        CHECK(!memory.wrong_size);
    }
    CHECK(done);
    CHECK(failed >= 6);
}

int main(void) {
    test_nodes_are_found_again();
    test_edges_belong_to_their_node();
    test_shortest_chains();
    test_births();
    test_containers_by_their_ends();
    test_references();
    test_growth_of_survivors();
    test_growth_of_sizes();
    test_out_of_memory();
    return check_done();
}
