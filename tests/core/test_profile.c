/* SPDX-License-Identifier: MIT
 *
 * Building a profile: what is refused, what is grouped, and sums with recursion
 * worked out by hand. */
#include "check.h"
#include "core/profile/tally.h"
#include "core/profile/totals.h"
#include "failing_allocator.h"

/* Two lines of 4 code units each. */
static const uint8_t linetable[] = {0xeb, 0x00, 0xeb, 0x04};

static hasten_status add_string(struct hasten_builder *builder, const char *text) {
    return hasten_builder_string(builder, text, strlen(text));
}

/* Strings 1 "a.py", 2 "f", 3 "g"; codes 0 f, 1 g, 2 f again; one process, two
 * threads. Nodes: 1 f, 2 f>g, 3 f>g>f, 4 f>g>f>g, 5 g. */
static hasten_status build(struct hasten_builder *builder) {
    static const char *const texts[] = {"a.py", "f", "g"};
    static const struct hasten_node nodes[] = {
        {0, 0, 1}, {1, 1, 0}, {2, 2, 5}, {3, 1, 1}, {0, 1, 4}};
    hasten_status status = hasten_builder_init(builder, builder->allocator);
    for (size_t i = 0; i < 3 && status == HASTEN_OK; i++) {
        status = add_string(builder, texts[i]);
    }
    if (status == HASTEN_OK) {
        status = hasten_builder_process(builder, &(struct hasten_process){.pid = 7, .start_ns = 3});
    }
    for (uint32_t i = 0; i < 2 && status == HASTEN_OK; i++) {
        status = hasten_builder_thread(builder, &(struct hasten_thread){.tid = 7 + i});
    }
    for (uint32_t i = 0; i < 3 && status == HASTEN_OK; i++) {
        const struct hasten_code code = {.file = 1,
                                         .name = i == 1 ? 3 : 2,
                                         .qualname = i == 1 ? 3 : 2,
                                         .first_line = i == 1 ? 20 : 10,
                                         .linetable = linetable,
                                         .linetable_size = sizeof linetable};
        status = hasten_builder_code(builder, &code);
    }
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0] && status == HASTEN_OK; i++) {
        status = hasten_builder_node(builder, &nodes[i]);
    }
    return status;
}

static void test_refusals(void) {
    struct hasten_builder builder = {0};
    CHECK_STATUS(build(&builder), HASTEN_OK);
    CHECK_STATUS(hasten_builder_string(&builder, "a\0b", 3), HASTEN_INVALID);
    CHECK_EQ_STR(builder.complaint, "a string contains a zero byte");
    CHECK_STATUS(hasten_builder_process(&builder, &(struct hasten_process){.label = 4}),
                 HASTEN_INVALID);
    CHECK_STATUS(hasten_builder_process_end(&builder, 1, 5), HASTEN_INVALID);
    CHECK_STATUS(hasten_builder_thread(&builder, &(struct hasten_thread){.process = 1}),
                 HASTEN_INVALID);
    CHECK_STATUS(hasten_builder_thread(&builder, &(struct hasten_thread){.name = 4}),
                 HASTEN_INVALID);
    CHECK_STATUS(hasten_builder_thread_name(&builder, 2, 0), HASTEN_INVALID);
    CHECK_STATUS(hasten_builder_thread_name(&builder, 0, 4), HASTEN_INVALID);
    CHECK_STATUS(hasten_builder_code(&builder, &(struct hasten_code){.process = 1}),
                 HASTEN_INVALID);
    CHECK_STATUS(hasten_builder_code(&builder, &(struct hasten_code){.qualname = 9}),
                 HASTEN_INVALID);
    CHECK_STATUS(hasten_builder_code(&builder, &(struct hasten_code){.linetable = linetable,
                                                                     .linetable_size = UINT32_MAX}),
                 HASTEN_LIMIT);
    CHECK_STATUS(hasten_builder_node(&builder, &(struct hasten_node){.parent = 6}), HASTEN_INVALID);
    CHECK_EQ_STR(builder.complaint, "a stack node refers to a parent that is not before it");
    CHECK_STATUS(hasten_builder_node(&builder, &(struct hasten_node){.code = 3}), HASTEN_INVALID);
    CHECK_STATUS(hasten_builder_metric(&builder, &(struct hasten_metric){.unit = 4}),
                 HASTEN_INVALID);
    CHECK_STATUS(hasten_builder_metric(&builder, &(struct hasten_metric){.name = 1}), HASTEN_OK);
    CHECK_STATUS(hasten_builder_metric(&builder, &(struct hasten_metric){.name = 1}),
                 HASTEN_INVALID);
    CHECK_STATUS(hasten_builder_value(&builder, &(struct hasten_value){.metric = 1}),
                 HASTEN_INVALID);
    CHECK_STATUS(hasten_builder_value(&builder, &(struct hasten_value){.node = 6}), HASTEN_INVALID);
    CHECK_STATUS(hasten_builder_fact(&builder, 0, 4), HASTEN_INVALID);
    hasten_builder_done(&builder);
}

static void test_profile(void) {
    struct hasten_builder builder = {0};
    CHECK_STATUS(build(&builder), HASTEN_OK);
    CHECK_STATUS(hasten_builder_fact_text(&builder, "mode", 4, "wall", 4), HASTEN_OK);
    CHECK_STATUS(hasten_builder_fact_text(&builder, "mode", 4, "cpu", 3), HASTEN_OK);
    struct hasten_profile *profile = hasten_builder_take(&builder);
    hasten_builder_done(&builder);
    CHECK_EQ_STR(profile->strings[0], "");
    CHECK_EQ_INT(profile->nodes[0].parent, 0);
    CHECK_EQ_INT(profile->nodes[0].code, HASTEN_NONE);
    CHECK_EQ_INT(profile->fact_count, 1);
    CHECK_EQ_STR(hasten_profile_fact(profile, "mode"), "cpu");
    CHECK(hasten_profile_fact(profile, "none") == NULL);
    CHECK_EQ_INT(hasten_profile_metric(profile, "samples"), HASTEN_NONE);
    CHECK_EQ_INT(profile->function_count, 2);
    CHECK_EQ_INT(profile->codes[2].function, profile->codes[0].function);
    CHECK_EQ_INT(hasten_code_location(&profile->codes[1], 5).line, 22);
    hasten_profile_free(profile);
    hasten_profile_free(NULL);
}

static int64_t amount_of(const struct hasten_profile *profile, uint32_t node, uint32_t thread,
                         const char *metric) {
    uint32_t index = hasten_profile_metric(profile, metric);
    int64_t amount = 0;
    for (size_t i = 0; i < profile->value_count; i++) {
        const struct hasten_value *value = &profile->values[i];
        if (value->node == node && value->thread == thread && value->metric == index) {
            amount += value->amount;
        }
    }
    return amount;
}

static hasten_status add_samples(struct hasten_tally *tally) {
    static const struct {
        uint64_t slot;
        uint32_t thread, node, state, weight;
    } samples[] = {
        {4, 0, 4, HASTEN_STATE_RUNNING_GIL, 1},
        {4, 1, 5, HASTEN_STATE_WAIT_FILE | HASTEN_FLAG_NATIVE, 2},
        {6, 0, 4, HASTEN_STATE_RUNNING_GIL | HASTEN_FLAG_GC, 1},
        {7, 0, 4, HASTEN_STATE_RUNNING_GIL, 3},
        {9, 0, 1, HASTEN_STATE_WAIT_LOCK, 1},
        {9, 0, 3, HASTEN_STATE_RUNNING_GIL, UINT32_MAX},
    };
    hasten_status status = HASTEN_OK;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0] && status == HASTEN_OK; i++) {
        status = hasten_tally_sample(tally, samples[i].slot, samples[i].thread, samples[i].node,
                                     samples[i].state, samples[i].weight);
    }
    return status;
}

static void check_values(const struct hasten_profile *profile) {
    CHECK_EQ_INT(amount_of(profile, 4, 0, "samples"), 3);
    CHECK_EQ_INT(amount_of(profile, 4, 0, "time.running_gil"), 50);
    CHECK_EQ_INT(amount_of(profile, 4, 0, "time.gc"), 10);
    CHECK_EQ_INT(amount_of(profile, 5, 1, "time.wait_file"), 20);
    CHECK_EQ_INT(amount_of(profile, 5, 1, "time.native"), 20);
    CHECK_EQ_INT(amount_of(profile, 1, 0, "time.wait_lock"), 10);
    CHECK_EQ_INT(amount_of(profile, 3, 0, "time.running_gil"), 10 * (int64_t)UINT32_MAX);
    CHECK_EQ_INT(profile->threads[0].samples, 5);
    CHECK_EQ_INT(profile->threads[0].start_ns, 40);
    CHECK_EQ_INT(profile->threads[0].end_ns, 100);
    CHECK_EQ_INT(profile->threads[1].end_ns, 50);
    CHECK_EQ_INT(profile->processes[0].end_ns, 100);
    bool sorted = true;
    for (size_t i = 1; i < profile->value_count; i++) {
        const struct hasten_value *left = &profile->values[i - 1];
        const struct hasten_value *right = &profile->values[i];
        sorted = sorted && (left->node < right->node ||
                            (left->node == right->node &&
                             (left->thread < right->thread ||
                              (left->thread == right->thread && left->metric < right->metric))));
    }
    CHECK(sorted);
}

/* By function and by line: amounts count once a stack, whatever recurs. */
static hasten_status check_totals(const struct hasten_profile *profile,
                                  const struct hasten_allocator *allocator, bool checking) {
    struct hasten_totals totals;
    hasten_status status = hasten_totals_init(&totals, profile, allocator);
    if (status != HASTEN_OK) {
        return status;
    }
    hasten_totals_metric(&totals, hasten_profile_metric(profile, "samples"));
    if (checking) {
        uint32_t f = profile->codes[0].function;
        uint32_t g = profile->codes[1].function;
        CHECK_EQ_INT(totals.function_self[f], 2);  /* nodes 1, 3 */
        CHECK_EQ_INT(totals.function_total[f], 5); /* all but node 5 */
        CHECK_EQ_INT(totals.function_self[g], 4);  /* nodes 4, 5 */
        CHECK_EQ_INT(totals.function_total[g], 5); /* all but node 1 */
        CHECK_EQ_INT(totals.node_total[0], 6);
        CHECK_EQ_INT(totals.line_count, 4); /* f 10, f 12, g 20, g 22 */
        int64_t line_self = 0;
        for (size_t i = 0; i < totals.line_count; i++) {
            line_self += totals.line_self[i];
            if (totals.lines[i].line == 20) { /* g's first line, at nodes 2 and 4 */
                CHECK_EQ_INT(totals.line_self[i], 3);
                CHECK_EQ_INT(totals.line_total[i], 4);
            }
        }
        CHECK_EQ_INT(line_self, 6);
    }
    hasten_totals_done(&totals);
    return HASTEN_OK;
}

static hasten_status sum_all(const struct hasten_allocator *allocator, bool checking) {
    struct hasten_builder builder = {.allocator = allocator};
    struct hasten_tally tally;
    hasten_tally_init(&tally, allocator);
    hasten_status status = build(&builder);
    uint32_t calls = 0;
    if (status == HASTEN_OK) {
        status = hasten_builder_metric_named(&builder, "calls", "1", "calls", &calls);
    }
    if (status == HASTEN_OK) {
        status = add_samples(&tally);
    }
    for (int i = 0; i < 3 && status == HASTEN_OK; i++) {
        status = hasten_tally_amount(&tally, 2, 1, calls, i == 0 ? INT64_MAX : 5);
    }
    if (status == HASTEN_OK) {
        status = hasten_tally_finish(&tally, &builder, 10);
    }
    if (status == HASTEN_OK) {
        status = check_totals(builder.profile, allocator, checking);
    }
    if (status == HASTEN_OK && checking) {
        check_values(builder.profile);
        CHECK(amount_of(builder.profile, 2, 1, "calls") == INT64_MAX);
    }
    hasten_tally_done(&tally);
    hasten_builder_done(&builder);
    return status;
}

static void test_sums(void) {
    struct failing_allocator memory;
    failing_allocator_init(&memory, 0, false);
    CHECK_STATUS(sum_all(&memory.allocator, true), HASTEN_OK);
    CHECK_EQ_INT(memory.live_blocks, 0);
    CHECK(!memory.wrong_size);
    size_t requests = memory.requests;
    unsigned wrong = 0;
    for (size_t fail_at = 1; fail_at <= requests; fail_at++) {
        failing_allocator_init(&memory, fail_at, false);
        wrong += sum_all(&memory.allocator, false) != HASTEN_NO_MEMORY;
        wrong += memory.live_blocks != 0 || memory.wrong_size;
    }
    CHECK_EQ_INT(wrong, 0);
}

/* A profile with nothing in it, and one that is a single deep recursion. */
static void test_extremes(void) {
    struct hasten_builder builder;
    CHECK_STATUS(hasten_builder_init(&builder, NULL), HASTEN_OK);
    struct hasten_tally tally;
    hasten_tally_init(&tally, NULL);
    CHECK_STATUS(hasten_tally_finish(&tally, &builder, 1), HASTEN_OK);
    CHECK_STATUS(check_totals(builder.profile, NULL, false), HASTEN_OK);
    CHECK_EQ_INT(builder.profile->value_count, 0);
    hasten_builder_done(&builder);

    builder = (struct hasten_builder){0};
    CHECK_STATUS(build(&builder), HASTEN_OK);
    hasten_status status = HASTEN_OK;
    for (uint32_t parent = 1; parent < 200000 && status == HASTEN_OK; parent++) {
        uint32_t under = parent == 1 ? 1 : (uint32_t)builder.profile->node_count - 1;
        status = hasten_builder_node(&builder, &(struct hasten_node){under, 0, 1});
    }
    CHECK_STATUS(status, HASTEN_OK);
    uint32_t deepest = (uint32_t)builder.profile->node_count - 1;
    CHECK_STATUS(hasten_tally_sample(&tally, 0, 0, deepest, 0, 1), HASTEN_OK);
    CHECK_STATUS(hasten_tally_finish(&tally, &builder, 1), HASTEN_OK);
    struct hasten_totals totals;
    CHECK_STATUS(hasten_totals_init(&totals, builder.profile, NULL), HASTEN_OK);
    hasten_totals_metric(&totals, hasten_profile_metric(builder.profile, "samples"));
    CHECK_EQ_INT(totals.function_total[builder.profile->codes[0].function], 1);
    CHECK_EQ_INT(totals.line_total[totals.node_line[deepest]], 1);
    hasten_totals_done(&totals);
    hasten_tally_done(&tally);
    hasten_builder_done(&builder);
}

int main(void) {
    test_refusals();
    test_profile();
    test_sums();
    test_extremes();
    return check_done();
}
