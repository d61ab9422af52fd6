/* SPDX-License-Identifier: MIT
 *
 * The input is a file of statistics. What can be loaded can be added, stripped,
 * sorted and dumped, and a dump says the same when it is loaded again. */
#include <stdlib.h>
#include <string.h>

#include "core/pstats/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int held) {
    if (!held) {
        abort();
    }
}

/* Whether the data is a table's; then it was added. */
static int add(struct hasten_pstats *table, const void *data, size_t size, bool adding) {
    struct hasten_pstats_sums sums;
    struct hasten_error error = {HASTEN_OK, -1, ""};
    bool is_sampled = false;
    hasten_pstats_begin(table);
    hasten_status status = hasten_pstats_stage_marshal(table, data, size, &is_sampled, &error);
    must(status == HASTEN_OK || error.status == status);
    must(error.position <= (int64_t)size);
    if (status != HASTEN_OK || hasten_pstats_commit(table, adding, &sums) != HASTEN_OK) {
        return 0;
    }
    must(sums.row_count <= table->rows.count && sums.root_count <= sums.row_count);
    return 1;
}

/* The dump of `table`, which the caller releases, loads as the same table. */
static void check_dump(const struct hasten_pstats *table) {
    struct hasten_buffer first;
    struct hasten_buffer second;
    struct hasten_pstats *again = NULL;
    hasten_buffer_init(&first, NULL);
    hasten_buffer_init(&second, NULL);
    must(hasten_pstats_new(NULL, &again, NULL) == HASTEN_OK);
    must(hasten_pstats_dump(table, &first) == HASTEN_OK);
    must(add(again, first.data, first.size, false));
    must(again->rows.count == table->rows.count);
    must(again->rows.edge_count == table->rows.edge_count);
    must(hasten_pstats_dump(again, &second) == HASTEN_OK);
    must(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
    hasten_buffer_done(&first);
    hasten_buffer_done(&second);
    hasten_pstats_free(again);
}

static void check_order(const struct hasten_pstats *table) {
    static const struct hasten_pstats_key keys[] = {{3, -1}, {7, 1}, {4, -1}, {5, 1}};
    uint32_t *order = malloc((table->rows.count + 1) * sizeof *order);
    must(order != NULL);
    hasten_status status = hasten_pstats_sort(table, keys, 4, order);
    must(status == HASTEN_OK || status == HASTEN_UNSUPPORTED);
    for (size_t i = 1; status == HASTEN_OK && i < table->rows.count; i++) {
        must(table->rows.rows[order[i - 1]].cost.total_s >=
             table->rows.rows[order[i]].cost.total_s);
    }
    free(order);
}

static void check_callees(const struct hasten_pstats *table) {
    struct hasten_pstats_callees callees;
    must(hasten_pstats_callees_init(&callees, table) == HASTEN_OK);
    must(callees.starts[callees.function_count] == table->rows.edge_count);
    hasten_pstats_sort_edges(table, callees.edges, callees.edge_count, true);
    hasten_pstats_callees_done(&callees);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct hasten_pstats *table = NULL;
    size_t width = 0;
    must(hasten_pstats_new(NULL, &table, NULL) == HASTEN_OK);
    if (add(table, data, size, false)) {
        check_dump(table);
        check_order(table);
        check_callees(table);
        (void)add(table, data, size, true);
        hasten_pstats_begin(table);
        must(hasten_pstats_stage_table(table, table) == HASTEN_OK);
        if (hasten_pstats_strip(table, &width) == HASTEN_OK) {
            check_dump(table);
            check_callees(table);
        }
    }
    hasten_pstats_free(table);
    return 0;
}
