/* SPDX-License-Identifier: MIT
 *
 * Sums by function, line, thread and kind of waiting against known truth. */
#include "core/report/aggregate.h"

#include <stdint.h>

#include "check.h"
#include "failing_allocator.h"
#include "report_fixture.h"

static const struct hasten_row *function_row(const struct hasten_aggregate *aggregate,
                                             const char *name) {
    const struct hasten_profile *profile = aggregate->profile;
    for (size_t i = 0; i < aggregate->function_count; i++) {
        if (strcmp(profile->strings[profile->functions[i].qualname], name) == 0) {
            return &aggregate->functions[i];
        }
    }
    return NULL;
}

static const struct hasten_row *line_row(const struct hasten_aggregate *aggregate, const char *name,
                                         int32_t line) {
    const struct hasten_profile *profile = aggregate->profile;
    for (size_t i = 0; i < aggregate->line_count; i++) {
        const struct hasten_row *row = &aggregate->lines[i];
        if (row->line == line &&
            strcmp(profile->strings[profile->functions[row->function].qualname], name) == 0) {
            return row;
        }
    }
    return NULL;
}

static struct hasten_aggregate *aggregate_of(const struct hasten_profile *profile,
                                             const struct hasten_report_options *options) {
    struct hasten_aggregate *aggregate = NULL;
    struct hasten_error error;
    CHECK_STATUS(hasten_aggregate_new(profile, options, NULL, &aggregate, &error), HASTEN_OK);
    return aggregate;
}

/* main calls work (300 ms itself) and, on another line, fib, which calls itself:
 * 100 ms in the outer, 200 ms in the inner call, by the same line. */
static struct hasten_profile *recursive_profile(void) {
    struct fixture fixture;
    fixture_init(&fixture);
    uint32_t thread =
        fixture_thread(&fixture, fixture_process(&fixture, 10, 1, "main"), "MainThread", true, 600);
    uint32_t main_code = fixture_code(&fixture, "/app/app.py", "main", 1);
    uint32_t work_code = fixture_code(&fixture, "/app/app.py", "work", 10);
    uint32_t fib_code = fixture_code(&fixture, "/app/fib.py", "fib", 5);
    uint32_t main_work = fixture_node(&fixture, 0, main_code, 1);
    uint32_t main_fib = fixture_node(&fixture, 0, main_code, 2);
    uint32_t work = fixture_node(&fixture, main_work, work_code, 3);
    uint32_t outer = fixture_node(&fixture, main_fib, fib_code, 2);
    uint32_t inner = fixture_node(&fixture, outer, fib_code, 2);
    fixture_value(&fixture, work, thread, "time.running_gil", 300 * MS);
    fixture_value(&fixture, work, thread, "time.native", 120 * MS);
    fixture_value(&fixture, outer, thread, "time.running_gil", 100 * MS);
    fixture_value(&fixture, inner, thread, "time.running", 200 * MS);
    fixture_value(&fixture, inner, thread, "time.gc", 50 * MS);
    fixture_value(&fixture, inner, thread, "bytes.unknown", 999);
    return fixture_take(&fixture);
}

static void test_recursion_counts_once(void) {
    struct hasten_profile *profile = recursive_profile();
    struct hasten_aggregate *aggregate = aggregate_of(profile, NULL);
    const struct hasten_row *row = function_row(aggregate, "fib");
    CHECK_EQ_INT(row->self.running_ns, 300 * MS);
    CHECK_EQ_INT(row->total.running_ns, 300 * MS);
    CHECK_EQ_INT(row->total.gc_ns, 50 * MS);
    row = line_row(aggregate, "fib", 7);
    CHECK_EQ_INT(row->self.running_ns, 300 * MS);
    CHECK_EQ_INT(row->total.running_ns, 300 * MS);
    row = function_row(aggregate, "main");
    CHECK_EQ_INT(row->self.running_ns, 0);
    CHECK_EQ_INT(row->total.running_ns, 600 * MS);
    CHECK_EQ_INT(line_row(aggregate, "main", 2)->total.running_ns, 300 * MS);
    CHECK_EQ_INT(line_row(aggregate, "main", 3)->total.running_ns, 300 * MS);
    row = function_row(aggregate, "work");
    CHECK_EQ_INT(row->self.native_ns, 120 * MS);
    CHECK_EQ_INT(hasten_time_counted(&aggregate->sum), 600 * MS);
    CHECK_EQ_INT(aggregate->sum.gc_ns, 50 * MS);
    hasten_aggregate_free(aggregate);
    hasten_profile_free(profile);
}

/* A main thread that waits and a pool that mostly waits too. */
static struct hasten_profile *pool_profile(void) {
    struct fixture fixture;
    fixture_init(&fixture);
    uint32_t process = fixture_process(&fixture, 10, 1, "main");
    uint32_t child = fixture_process(&fixture, 11, 10, "fork");
    uint32_t main_thread = fixture_thread(&fixture, process, "MainThread", true, 1000);
    uint32_t worker = fixture_thread(&fixture, process, "worker", false, 1000);
    uint32_t forked = fixture_thread(&fixture, child, "MainThread", true, 1000);
    uint32_t fetch = fixture_code(&fixture, "/app/app.py", "fetch", 1);
    uint32_t other = fixture_code(&fixture, "/app/app.py", "other", 20);
    uint32_t receive =
        fixture_code(&fixture, "/usr/lib/python3.13/socket.py", "SocketIO.readinto", 700);
    uint32_t fetch_node = fixture_node(&fixture, 0, fetch, 4);
    uint32_t other_node = fixture_node(&fixture, 0, other, 0);
    uint32_t from_fetch = fixture_node(&fixture, fetch_node, receive, 6);
    uint32_t from_other = fixture_node(&fixture, other_node, receive, 6);
    fixture_value(&fixture, from_fetch, main_thread, "time.wait_network", 700 * MS);
    fixture_value(&fixture, from_fetch, main_thread, "time.native", 750 * MS);
    fixture_value(&fixture, from_fetch, main_thread, "time.running", 100 * MS);
    fixture_value(&fixture, from_other, main_thread, "time.wait_network", 200 * MS);
    fixture_value(&fixture, from_other, worker, "time.wait_lock", 900 * MS);
    fixture_value(&fixture, other_node, worker, "time.running_gil", 60 * MS);
    fixture_value(&fixture, other_node, worker, "time.wait_gil", 40 * MS);
    fixture_value(&fixture, other_node, forked, "time.wait_sleep", 800 * MS);
    fixture_value(&fixture, other_node, forked, "time.unknown", 5 * MS);
    return fixture_take(&fixture);
}

static void test_only_the_main_thread_waits(void) {
    struct hasten_profile *profile = pool_profile();
    struct hasten_aggregate *aggregate = aggregate_of(profile, NULL);
    CHECK_EQ_INT(aggregate->sum.running_ns, 165 * MS);
    CHECK_EQ_INT(aggregate->sum.waiting_ns, 900 * MS);
    CHECK_EQ_INT(aggregate->sum.idle_ns, 1740 * MS);
    CHECK(aggregate->threads[0].is_main);
    CHECK(!aggregate->threads[1].is_main);
    CHECK(!aggregate->threads[2].is_main); /* the main thread of a child */
    CHECK_EQ_INT(aggregate->threads[1].waiting_ns, 940 * MS);
    CHECK_EQ_INT(aggregate->threads[1].state_ns[HASTEN_STATE_WAIT_GIL], 40 * MS);
    CHECK_EQ_INT(aggregate->threads[2].running_ns, 5 * MS);
    CHECK_EQ_INT(aggregate->waiting[HASTEN_STATE_WAIT_NETWORK].main_ns, 900 * MS);
    CHECK_EQ_INT(aggregate->waiting[HASTEN_STATE_WAIT_LOCK].main_ns, 0);
    CHECK_EQ_INT(aggregate->waiting[HASTEN_STATE_WAIT_LOCK].other_ns, 900 * MS);
    const struct hasten_row *row = function_row(aggregate, "SocketIO.readinto");
    CHECK_EQ_INT(row->self.waiting_ns, 900 * MS);
    CHECK_EQ_INT(row->self.idle_ns, 900 * MS);
    /* 750 ms marked as C, of which 700 waited: 50 of the 100 running. */
    CHECK_EQ_INT(row->self.native_ns, 50 * MS);
    hasten_aggregate_free(aggregate);
    hasten_profile_free(profile);
}

static void test_callers(void) {
    struct hasten_profile *profile = pool_profile();
    struct hasten_aggregate *aggregate = aggregate_of(profile, NULL);
    uint32_t line = aggregate->waiting[HASTEN_STATE_WAIT_NETWORK].main_line;
    CHECK_EQ_INT(aggregate->waiting[HASTEN_STATE_WAIT_NETWORK].other_line, HASTEN_NONE);
    CHECK_EQ_INT(aggregate->waiting[HASTEN_STATE_WAIT_LOCK].main_line, HASTEN_NONE);
    CHECK_EQ_INT(aggregate->waiting[HASTEN_STATE_WAIT_LOCK].other_line, line);
    CHECK_EQ_INT(aggregate->lines[line].line, 706);
    uint32_t caller =
        hasten_aggregate_caller(aggregate, line, 1u << HASTEN_STATE_WAIT_NETWORK, HASTEN_WHO_MAIN);
    CHECK(caller != HASTEN_NONE && aggregate->lines[caller].line == 5);
    caller = hasten_aggregate_caller(aggregate, line, 1u << HASTEN_STATE_WAIT_LOCK, HASTEN_WHO_ALL);
    CHECK(caller != HASTEN_NONE && aggregate->lines[caller].line == 20);
    /* Own code needs no other. */
    CHECK_EQ_INT(
        hasten_aggregate_caller(aggregate, caller, 1u << HASTEN_STATE_WAIT_LOCK, HASTEN_WHO_ALL),
        HASTEN_NONE);
    CHECK_EQ_INT(
        hasten_aggregate_caller(aggregate, line, 1u << HASTEN_STATE_WAIT_LOCK, HASTEN_WHO_MAIN),
        HASTEN_NONE);
    CHECK_EQ_INT(hasten_aggregate_caller(aggregate, HASTEN_NONE, 1, HASTEN_WHO_ALL), HASTEN_NONE);
    hasten_aggregate_free(aggregate);
    hasten_profile_free(profile);
}

static void check_order(enum hasten_report_sort sort, const char *filter, const char *expected) {
    struct hasten_profile *profile = recursive_profile();
    struct hasten_report_options options = {.sort = sort, .filter = filter};
    struct hasten_aggregate *aggregate = aggregate_of(profile, &options);
    char names[256] = "";
    for (size_t i = 0; i < aggregate->function_order_count; i++) {
        uint32_t function = aggregate->functions[aggregate->function_order[i]].function;
        strcat(names, i == 0 ? "" : " ");
        strcat(names, profile->strings[profile->functions[function].qualname]);
    }
    CHECK_EQ_STR(names, expected);
    hasten_aggregate_free(aggregate);
    hasten_profile_free(profile);
}

static void test_order_and_filter(void) {
    check_order(HASTEN_SORT_SELF, NULL, "work fib main"); /* a tie: by file */
    check_order(HASTEN_SORT_TOTAL, NULL, "main work fib");
    check_order(HASTEN_SORT_NAME, NULL, "fib main work");
    check_order(HASTEN_SORT_FILE, NULL, "main work fib");
    check_order(HASTEN_SORT_SELF, "app.py:", "work main");
    check_order(HASTEN_SORT_SELF, "py:fib", "fib");
    check_order(HASTEN_SORT_SELF, "nowhere", "");
    check_order(HASTEN_SORT_SELF, "", "work fib main");
}

static void test_depth_without_recursion(void) {
    struct fixture fixture;
    fixture_init(&fixture);
    uint32_t thread =
        fixture_thread(&fixture, fixture_process(&fixture, 10, 1, "main"), "MainThread", true, 1);
    uint32_t code = fixture_code(&fixture, "/app/app.py", "deep", 1);
    uint32_t node = 0;
    for (uint32_t i = 0; i < 200000; i++) {
        node = fixture_node(&fixture, node, code, i % FIXTURE_LINES);
        fixture_value(&fixture, node, thread, "time.running", 1);
    }
    struct hasten_profile *profile = fixture_take(&fixture);
    struct hasten_aggregate *aggregate = aggregate_of(profile, NULL);
    CHECK_EQ_INT(aggregate->functions[0].self.running_ns, 200000);
    CHECK_EQ_INT(aggregate->functions[0].total.running_ns, 200000);
    /* The first frame on line 2 has all but the frame above it below itself. */
    CHECK_EQ_INT(line_row(aggregate, "deep", 2)->total.running_ns, 199999);
    hasten_aggregate_free(aggregate);
    hasten_profile_free(profile);
}

static void test_huge_amounts_do_not_overflow(void) {
    struct fixture fixture;
    fixture_init(&fixture);
    uint32_t thread =
        fixture_thread(&fixture, fixture_process(&fixture, 10, 1, "main"), "MainThread", true, 1);
    uint32_t code = fixture_code(&fixture, "/app/app.py", "f", 1);
    for (uint32_t i = 0; i < 30; i++) {
        uint32_t node = fixture_node(&fixture, 0, code, i);
        fixture_value(&fixture, node, thread, "time.running", INT64_MAX);
        fixture_value(&fixture, node, thread, "time.wait_lock", INT64_MAX);
        fixture_value(&fixture, node, thread, "time.wait_file", INT64_MIN);
    }
    struct hasten_profile *profile = fixture_take(&fixture);
    struct hasten_aggregate *aggregate = aggregate_of(profile, NULL);
    CHECK(hasten_time_counted(&aggregate->sum) > 0);
    CHECK_EQ_INT(aggregate->waiting[HASTEN_STATE_WAIT_FILE].main_ns, 0);
    hasten_aggregate_free(aggregate);
    hasten_profile_free(profile);
}

static void test_bad_indexes_are_refused(void) {
    struct hasten_profile *profile = recursive_profile();
    struct hasten_aggregate *aggregate = NULL;
    struct hasten_error error;
    profile->nodes[3].parent = 3;
    CHECK_STATUS(hasten_aggregate_new(profile, NULL, NULL, &aggregate, &error), HASTEN_CORRUPT);
    profile->nodes[3].parent = 1;
    profile->values[0].thread = 7;
    CHECK_STATUS(hasten_aggregate_new(profile, NULL, NULL, &aggregate, &error), HASTEN_CORRUPT);
    CHECK(aggregate == NULL);
    profile->values[0].thread = 0;
    aggregate = aggregate_of(profile, NULL);
    hasten_aggregate_free(aggregate);
    hasten_aggregate_free(NULL);
    hasten_profile_free(profile);
}

static void test_empty_profile(void) {
    struct fixture fixture;
    fixture_init(&fixture);
    struct hasten_profile *profile = fixture_take(&fixture);
    struct hasten_aggregate *aggregate = aggregate_of(profile, NULL);
    CHECK_EQ_INT(hasten_time_counted(&aggregate->sum), 0);
    CHECK_EQ_INT(aggregate->function_order_count, 0);
    hasten_aggregate_free(aggregate);
    hasten_profile_free(profile);
}

static void test_out_of_memory(void) {
    struct hasten_profile *profile = pool_profile();
    struct hasten_report_options options = {.filter = "app"};
    bool succeeded = false;
    for (size_t fail_at = 1; !succeeded && fail_at < 1000; fail_at++) {
        struct failing_allocator memory;
        failing_allocator_init(&memory, fail_at, false);
        struct hasten_aggregate *aggregate = NULL;
        struct hasten_error error;
        hasten_status status =
            hasten_aggregate_new(profile, &options, &memory.allocator, &aggregate, &error);
        succeeded = status == HASTEN_OK;
        if (!succeeded) {
            CHECK_STATUS(status, HASTEN_NO_MEMORY);
            CHECK(aggregate == NULL);
        }
        hasten_aggregate_free(aggregate);
        CHECK_EQ_INT(memory.live_blocks, 0);
        CHECK(!memory.wrong_size);
    }
    CHECK(succeeded);
    hasten_profile_free(profile);
}

int main(void) {
    test_recursion_counts_once();
    test_only_the_main_thread_waits();
    test_callers();
    test_order_and_filter();
    test_depth_without_recursion();
    test_huge_amounts_do_not_overflow();
    test_bad_indexes_are_refused();
    test_empty_profile();
    test_out_of_memory();
    return check_done();
}
