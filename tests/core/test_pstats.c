/* SPDX-License-Identifier: MIT
 *
 * Tables of statistics: batches, sums, stripping, sorting, callees, what is
 * refused, what memory they take, and memory running out everywhere. */
#include "check.h"
#include "core/pstats/table.h"
#include "failing_allocator.h"

#include <math.h>
#include <stdlib.h>

static uint32_t function(struct hasten_pstats *table, const char *file, int64_t line,
                         const char *name) {
    uint32_t number = UINT32_MAX;
    CHECK_STATUS(
        hasten_pstats_function(table, file, strlen(file), line, name, strlen(name), &number),
        HASTEN_OK);
    return number;
}

static struct hasten_pstats_cost cost(int64_t primitive, int64_t calls, double own, double total) {
    return (struct hasten_pstats_cost){
        .primitive_calls = primitive, .calls = calls, .own_s = own, .total_s = total};
}

static struct hasten_pstats *new_table(const struct hasten_allocator *allocator) {
    struct hasten_pstats *table = NULL;
    CHECK_STATUS(hasten_pstats_new(allocator, &table, NULL), HASTEN_OK);
    return table;
}

/* main, called by the profiler, calls a/f.py f and b/f.py f. */
static hasten_status stage_sample(struct hasten_pstats *table, double unit) {
    uint32_t number[4];
    static const char *const files[] = {"main.py", "a/f.py", "b/f.py", "jprofile"};
    static const char *const names[] = {"main", "f", "f", "profiler"};
    hasten_status status = HASTEN_OK;
    hasten_pstats_begin(table);
    for (size_t i = 0; status == HASTEN_OK && i < 4; i++) {
        status = hasten_pstats_function(table, files[i], strlen(files[i]), i == 3 ? 0 : 7, names[i],
                                        strlen(names[i]), &number[i]);
    }
    for (size_t i = 0; status == HASTEN_OK && i < 3; i++) {
        const struct hasten_pstats_cost row = cost(1, (int64_t)i + 1, unit, unit * 2);
        status = hasten_pstats_row(table, number[i], &row);
        if (status == HASTEN_OK) {
            status = hasten_pstats_caller(table, number[i == 0 ? 3 : 0], &row);
        }
        if (status == HASTEN_OK && i == 2) {
            status = hasten_pstats_caller(table, number[1], &row);
        }
    }
    return status;
}

static void add_sample(struct hasten_pstats *table, double unit, bool adding) {
    struct hasten_pstats_sums sums;
    CHECK_STATUS(stage_sample(table, unit), HASTEN_OK);
    CHECK_STATUS(hasten_pstats_commit(table, adding, &sums), HASTEN_OK);
    CHECK_EQ_INT(sums.calls, 6);
    CHECK_EQ_INT(sums.primitive_calls, 3);
    CHECK(sums.own_s == unit * 3 && !sums.own_is_whole);
    CHECK_EQ_INT(sums.name_width, strlen("main.py:7(main)"));
    CHECK_EQ_INT(sums.row_count, 3);
    CHECK_EQ_INT(sums.root_count, 1);
}

static void test_adding_and_stripping(void) {
    struct hasten_pstats *table = new_table(NULL);
    add_sample(table, 0.5, false);
    add_sample(table, 0.25, true);
    CHECK_EQ_INT(table->rows.count, 3);
    CHECK_EQ_INT(table->rows.edge_count, 4);
    const uint32_t row = hasten_pstats_rows_find(&table->rows, function(table, "b/f.py", 7, "f"));
    CHECK_EQ_INT(row, 2);
    CHECK_EQ_INT(table->rows.rows[row].cost.calls, 6);
    CHECK(table->rows.rows[row].cost.own_s == 0.75);
    size_t width = 0;
    CHECK_STATUS(hasten_pstats_strip(table, &width), HASTEN_OK);
    CHECK_EQ_INT(width, strlen("main.py:7(main)"));
    CHECK_EQ_INT(table->rows.count, 2);
    const uint32_t merged = hasten_pstats_rows_find(&table->rows, function(table, "f.py", 7, "f"));
    CHECK_EQ_INT(merged, 1);
    CHECK_EQ_INT(table->rows.rows[merged].cost.calls, 10);
    /* Called by main, twice the same now, and by itself. */
    const struct hasten_pstats_edge *edge = &table->rows.edges[table->rows.rows[merged].first_edge];
    CHECK_EQ_INT(edge->cost.calls, 10);
    CHECK_EQ_INT(table->rows.edges[edge->next].caller, function(table, "f.py", 7, "f"));
    CHECK_EQ_INT(table->rows.edges[edge->next].next, HASTEN_PSTATS_NONE);
    CHECK_EQ_INT(hasten_pstats_rows_find(&table->rows, row + 1000000), HASTEN_PSTATS_NONE);
    hasten_pstats_free(table);
}

static void test_callees(void) {
    struct hasten_pstats *table = new_table(NULL);
    struct hasten_pstats_callees callees;
    add_sample(table, 0.5, false);
    CHECK_STATUS(hasten_pstats_callees_init(&callees, table), HASTEN_OK);
    const uint32_t main_function = function(table, "main.py", 7, "main");
    const uint32_t start = callees.starts[main_function];
    CHECK_EQ_INT(callees.starts[main_function + 1] - start, 2);
    CHECK_EQ_INT(table->rows.edges[callees.edges[start]].row, 1);
    CHECK_EQ_INT(table->rows.edges[callees.edges[start + 1]].row, 2);
    hasten_pstats_callees_done(&callees);
    hasten_pstats_free(table);
}

static void test_order(void) {
    struct hasten_pstats *table = new_table(NULL);
    struct hasten_pstats_sums sums;
    uint32_t order[3];
    add_sample(table, 0.5, false);
    const struct hasten_pstats_key by_calls = {1, -1};
    CHECK_STATUS(hasten_pstats_sort(table, &by_calls, 1, order), HASTEN_OK);
    CHECK(order[0] == 2 && order[1] == 1 && order[2] == 0);
    const struct hasten_pstats_key by_name[] = {{6, 1}, {4, -1}};
    CHECK_STATUS(hasten_pstats_sort(table, by_name, 2, order), HASTEN_OK);
    CHECK(order[0] == 2 && order[1] == 1 && order[2] == 0);
    const struct hasten_pstats_key by_standard_name = {7, 1};
    CHECK_STATUS(hasten_pstats_sort(table, &by_standard_name, 1, order), HASTEN_OK);
    CHECK(order[0] == 1 && order[1] == 2 && order[2] == 0);
    /* Equal rows stay as they were. */
    const struct hasten_pstats_key by_time = {2, 1};
    CHECK_STATUS(hasten_pstats_sort(table, &by_time, 1, order), HASTEN_OK);
    CHECK(order[0] == 0 && order[1] == 1 && order[2] == 2);
    hasten_pstats_begin(table);
    const struct hasten_pstats_cost nan_cost = cost(1, 1, NAN, 1);
    CHECK_STATUS(hasten_pstats_row(table, function(table, "n", 1, "n"), &nan_cost), HASTEN_OK);
    CHECK_STATUS(hasten_pstats_commit(table, true, &sums), HASTEN_OK);
    CHECK_STATUS(hasten_pstats_sort(table, &by_time, 1, order), HASTEN_UNSUPPORTED);
    hasten_pstats_free(table);
}

static void test_refused(void) {
    struct hasten_pstats *table = new_table(NULL);
    struct hasten_pstats_sums sums;
    const uint32_t one = function(table, "f", 1, "one");
    const struct hasten_pstats_cost large = cost(1, HASTEN_PSTATS_WHOLE_MAX, 0, 0);
    const struct hasten_pstats_cost larger = cost(1, HASTEN_PSTATS_WHOLE_MAX + 1, 0, 0);
    const struct hasten_pstats_cost calls = {.calls = 1, .kinds = HASTEN_PSTATS_CALLS_ONLY};
    hasten_pstats_begin(table);
    CHECK_STATUS(hasten_pstats_row(table, one, &larger), HASTEN_UNSUPPORTED);
    CHECK_STATUS(hasten_pstats_row(table, one, &large), HASTEN_OK);
    CHECK_STATUS(hasten_pstats_row(table, one, &large), HASTEN_UNSUPPORTED);
    CHECK_STATUS(hasten_pstats_caller(table, one, &large), HASTEN_OK);
    CHECK_STATUS(hasten_pstats_caller(table, one, &large), HASTEN_UNSUPPORTED);
    CHECK_STATUS(hasten_pstats_commit(table, false, &sums), HASTEN_OK);
    /* Twice as much would be too large, and calls do not go with times. */
    hasten_pstats_begin(table);
    CHECK_STATUS(hasten_pstats_row(table, one, &large), HASTEN_OK);
    CHECK_STATUS(hasten_pstats_commit(table, true, &sums), HASTEN_UNSUPPORTED);
    hasten_pstats_free(table);
    table = new_table(NULL);
    add_sample(table, 1, false);
    hasten_pstats_begin(table);
    const struct hasten_pstats_cost small = cost(1, 1, 0, 0);
    CHECK_STATUS(hasten_pstats_row(table, 0, &small), HASTEN_OK);
    CHECK_STATUS(hasten_pstats_caller(table, 0, &calls), HASTEN_OK);
    CHECK_STATUS(hasten_pstats_commit(table, true, &sums), HASTEN_UNSUPPORTED);
    CHECK_EQ_INT(table->rows.edge_count, 4);
    hasten_pstats_free(table);
}

static void test_zeros(void) {
    for (int adding = 0; adding < 2; adding++) {
        struct hasten_pstats *table = new_table(NULL);
        struct hasten_pstats_sums sums;
        hasten_pstats_begin(table);
        const struct hasten_pstats_cost zero = cost(0, 0, -0.0, -0.0);
        CHECK_STATUS(hasten_pstats_row(table, 0, &zero), HASTEN_OK);
        CHECK_STATUS(hasten_pstats_commit(table, adding != 0, &sums), HASTEN_OK);
        CHECK_EQ_INT(signbit(table->rows.rows[0].cost.own_s) != 0, adding == 0);
        CHECK_EQ_INT(table->rows.rows[0].cost.kinds, 0);
        hasten_pstats_free(table);
    }
}

#define MANY_ROWS 1000
#define MANY_EDGES 1000000

static void test_memory_of_many_edges(void) {
    struct failing_allocator memory;
    failing_allocator_init(&memory, 0, false);
    struct hasten_pstats *table = new_table(&memory.allocator);
    struct hasten_pstats_sums sums;
    const struct hasten_pstats_cost one = cost(1, 1, 0.5, 0.5);
    uint32_t numbers[MANY_ROWS];
    for (int64_t i = 0; i < MANY_ROWS; i++) {
        numbers[i] = function(table, "f.py", i, "f");
    }
    bool done = true;
    for (int part = 0; part < 2; part++) {
        for (size_t i = 0; i < MANY_ROWS; i++) {
            hasten_pstats_begin(table);
            done = hasten_pstats_row(table, numbers[i], &one) == HASTEN_OK && done;
            for (size_t k = 0; k < MANY_EDGES / MANY_ROWS; k++) {
                done = hasten_pstats_caller(table, numbers[k], &one) == HASTEN_OK && done;
            }
            done = hasten_pstats_commit(table, true, &sums) == HASTEN_OK && done;
        }
    }
    CHECK(done);
    CHECK_EQ_INT(table->rows.edge_count, MANY_EDGES);
    CHECK_EQ_INT(table->rows.edges[MANY_EDGES - 1].cost.calls, 2);
    CHECK(memory.live_bytes / MANY_EDGES <= 100);
    hasten_pstats_free(table);
    CHECK_EQ_INT(memory.live_blocks, 0);
    CHECK(!memory.wrong_size);
}

/* Everything that takes memory; the first failure ends it. */
static hasten_status do_all(const struct hasten_allocator *allocator) {
    struct hasten_pstats *table = NULL;
    struct hasten_pstats *other = NULL;
    struct hasten_pstats_sums sums;
    struct hasten_pstats_callees callees = {.allocator = allocator};
    struct hasten_buffer dump;
    uint32_t order[3];
    size_t width = 0;
    bool is_sampled = false;
    const struct hasten_pstats_key key = {7, 1};
    hasten_buffer_init(&dump, allocator);
    hasten_status status = hasten_pstats_new(allocator, &table, NULL);
    if (status == HASTEN_OK) {
        status = hasten_pstats_new(allocator, &other, NULL);
    }
    for (int i = 0; status == HASTEN_OK && i < 2; i++) {
        status = stage_sample(table, 0.5);
        if (status == HASTEN_OK) {
            status = hasten_pstats_commit(table, i > 0, &sums);
        }
    }
    if (status == HASTEN_OK) {
        hasten_pstats_begin(other);
        status = hasten_pstats_stage_table(other, table);
    }
    status = status == HASTEN_OK ? hasten_pstats_commit(other, true, &sums) : status;
    status = status == HASTEN_OK ? hasten_pstats_sort(table, &key, 1, order) : status;
    status = status == HASTEN_OK ? hasten_pstats_callees_init(&callees, table) : status;
    status = status == HASTEN_OK ? hasten_pstats_dump(table, &dump) : status;
    if (status == HASTEN_OK) {
        hasten_pstats_begin(other);
        status = hasten_pstats_stage_marshal(other, dump.data, dump.size, &is_sampled, NULL);
    }
    status = status == HASTEN_OK ? hasten_pstats_commit(other, true, &sums) : status;
    status = status == HASTEN_OK ? hasten_pstats_strip(other, &width) : status;
    CHECK(status != HASTEN_OK || (other->rows.count == 2 && other->rows.rows[1].cost.calls == 20));
    hasten_pstats_callees_done(&callees);
    hasten_buffer_done(&dump);
    hasten_pstats_free(table);
    hasten_pstats_free(other);
    return status;
}

static void test_out_of_memory(void) {
    for (int after = 0; after < 2; after++) {
        for (size_t fail_at = 1; fail_at < 1000; fail_at++) {
            struct failing_allocator memory;
            failing_allocator_init(&memory, fail_at, after != 0);
            hasten_status status = do_all(&memory.allocator);
            CHECK_EQ_INT(memory.live_blocks, 0);
            CHECK(!memory.wrong_size);
            if (!memory.failed) {
                CHECK_STATUS(status, HASTEN_OK);
                CHECK(fail_at > 20);
                break;
            }
            CHECK_STATUS(status, HASTEN_NO_MEMORY);
        }
    }
}

int main(void) {
    test_adding_and_stripping();
    test_callees();
    test_order();
    test_refused();
    test_zeros();
    test_memory_of_many_edges();
    test_out_of_memory();
    return check_done();
}
