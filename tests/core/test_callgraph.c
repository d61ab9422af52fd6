/* SPDX-License-Identifier: MIT
 *
 * Functions and edges of a known tree, and as a table of statistics. */
#include "core/report/callgraph.h"

#include "check.h"
#include "core/pstats/table.h"
#include "failing_allocator.h"
#include "hasten/pstats.h"
#include "traced_fixture.h"

/* By number of code in the fixture. */
enum { MAIN, EVEN, ODD, LENGTH, SLEEP, APPEND, WORK };

static const struct hasten_call_sums *edge(const struct hasten_callgraph *graph, uint32_t caller,
                                           uint32_t callee) {
    static const struct hasten_call_sums none;
    for (size_t i = 0; i < graph->edge_count; i++) {
        if (graph->edges[i].caller == caller && graph->edges[i].callee == callee) {
            return &graph->edges[i].sums;
        }
    }
    return &none;
}

static void check_sums(const struct hasten_call_sums *sums, int64_t calls, int64_t primitive,
                       int64_t self_ms, int64_t total_ms) {
    CHECK_EQ_INT(sums->calls, calls);
    CHECK_EQ_INT(sums->primitive_calls, primitive);
    CHECK_EQ_INT(sums->self_ns / MS, self_ms);
    CHECK_EQ_INT(sums->total_ns / MS, total_ms);
}

static void test_known_tree(void) {
    struct hasten_profile *profile = traced_profile();
    struct hasten_aggregate *aggregate = NULL;
    struct hasten_callgraph graph;
    CHECK_STATUS(hasten_aggregate_new(profile, NULL, NULL, &aggregate, NULL), HASTEN_OK);
    CHECK_STATUS(hasten_callgraph_init(&graph, aggregate, NULL, 0), HASTEN_OK);
    CHECK(aggregate->is_traced);
    check_sums(&graph.functions[MAIN], 1, 1, 200, 1690);
    check_sums(&graph.functions[EVEN], 5, 3, 343, 493);
    check_sums(&graph.functions[ODD], 4, 2, 60, 190);
    check_sums(edge(&graph, MAIN, EVEN), 2, 2, 300, 490);
    check_sums(edge(&graph, EVEN, ODD), 4, 2, 60, 190);
    check_sums(edge(&graph, ODD, EVEN), 2, 2, 40, 140);
    check_sums(edge(&graph, WORK, EVEN), 1, 1, 3, 3);
    CHECK_EQ_INT(graph.edge_count, 7);
    for (size_t i = 0; i < aggregate->function_count; i++) {
        CHECK_EQ_INT(aggregate->functions[i].calls, graph.functions[i].calls);
        CHECK_EQ_INT(aggregate->functions[i].primitive_calls, graph.functions[i].primitive_calls);
        CHECK_EQ_INT(aggregate->functions[i].total.traced_ns, graph.functions[i].total_ns);
    }
    hasten_callgraph_done(&graph);
    hasten_aggregate_free(aggregate);
    hasten_profile_free(profile);
}

static void test_codes_of_one_function(void) {
    struct hasten_profile *profile = traced_profile();
    struct hasten_aggregate *aggregate = NULL;
    struct hasten_callgraph graph;
    static const uint32_t one_of[] = {0, 1, 1, 2, 2, 2, 0};
    CHECK_STATUS(hasten_aggregate_new(profile, NULL, NULL, &aggregate, NULL), HASTEN_OK);
    CHECK_STATUS(hasten_callgraph_init(&graph, aggregate, one_of, 3), HASTEN_OK);
    check_sums(&graph.functions[1], 9, 3, 403, 493);
    check_sums(edge(&graph, 1, 1), 6, 2, 100, 190);
    hasten_callgraph_done(&graph);
    hasten_aggregate_free(aggregate);
    hasten_profile_free(profile);
}

static void test_table(void) {
    struct hasten_profile *profile = traced_profile();
    struct hasten_pstats *table = NULL;
    struct hasten_pstats_sums sums;
    CHECK_STATUS(hasten_pstats_new(NULL, &table, NULL), HASTEN_OK);
    hasten_pstats_begin(table);
    CHECK_STATUS(hasten_pstats_stage_profile(table, profile, NULL), HASTEN_OK);
    CHECK_STATUS(hasten_pstats_commit(table, false, &sums), HASTEN_OK);
    CHECK_EQ_INT(sums.row_count, 7);
    CHECK_EQ_INT(sums.calls, 1000015);
    CHECK_EQ_INT(sums.primitive_calls, 1000011);
    hasten_pstats_free(table);
    hasten_profile_free(profile);
}

static void test_out_of_memory(void) {
    struct hasten_profile *profile = traced_profile();
    const struct hasten_allocator *before = profile->allocator;
    bool succeeded = false;
    for (size_t fail_at = 1; !succeeded && fail_at < 1000; fail_at++) {
        struct failing_allocator memory;
        struct hasten_pstats *table = NULL;
        CHECK_STATUS(hasten_pstats_new(NULL, &table, NULL), HASTEN_OK);
        hasten_pstats_begin(table);
        failing_allocator_init(&memory, fail_at, true);
        profile->allocator = &memory.allocator;
        hasten_status status = hasten_pstats_stage_profile(table, profile, NULL);
        succeeded = status == HASTEN_OK;
        CHECK(succeeded || status == HASTEN_NO_MEMORY);
        CHECK_EQ_INT(memory.live_blocks, 0);
        CHECK(!memory.wrong_size);
        hasten_pstats_free(table);
    }
    CHECK(succeeded);
    profile->allocator = before;
    hasten_profile_free(profile);
}

/* Stacks that only allocated say nothing of time, and who called whom is told by it. */
static void test_memory_is_no_call(void) {
    struct fixture fixture;
    fixture_init(&fixture);
    uint32_t thread =
        fixture_thread(&fixture, fixture_process(&fixture, 1, 1, "main"), "t", true, 1);
    uint32_t caller = fixture_code(&fixture, "a.py", "caller", 1);
    uint32_t callee = fixture_code(&fixture, "a.py", "callee", 9);
    uint32_t allocating = fixture_code(&fixture, "a.py", "allocating", 20);
    uint32_t node = fixture_node(&fixture, 0, caller, 0);
    uint32_t timed = fixture_node(&fixture, node, callee, 0);
    fixture_value(&fixture, timed, thread, "time.running_gil", 5 * MS);
    fixture_value(&fixture, fixture_node(&fixture, timed, allocating, 0), thread,
                  "heap.allocated.bytes", 4096);
    struct hasten_profile *profile = fixture_take(&fixture);
    struct hasten_aggregate *aggregate = NULL;
    struct hasten_callgraph graph;
    CHECK_STATUS(hasten_aggregate_new(profile, NULL, NULL, &aggregate, NULL), HASTEN_OK);
    CHECK_STATUS(hasten_callgraph_init(&graph, aggregate, NULL, 0), HASTEN_OK);
    CHECK_EQ_INT(graph.edge_count, 1);
    CHECK_EQ_INT(graph.edges[0].callee, 1);
    hasten_callgraph_done(&graph);
    hasten_aggregate_free(aggregate);
    hasten_profile_free(profile);
}

int main(void) {
    test_memory_is_no_call();
    test_known_tree();
    test_codes_of_one_function();
    test_table();
    test_out_of_memory();
    return check_done();
}
