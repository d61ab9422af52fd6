/* SPDX-License-Identifier: MIT
 *
 * Sorting rows by what Python's tuples would say, and edges by name. Strings
 * compare as their bytes do: see surrogates.h. */
#include "core/pstats/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PRIMITIVE_CALLS, CALLS, OWN, TOTAL, FILE_NAME, LINE, NAME, STANDARD_NAME };

struct sorting {
    const struct hasten_pstats *table;
    const struct hasten_pstats_key *keys;
    size_t key_count;
    struct hasten_buffer text; /* standard names, one after the other */
    size_t *starts;            /* by row, and one more */
};

static int compare_whole(int64_t left, int64_t right) {
    return (left > right) - (left < right);
}

static int compare_times(double left, double right) {
    return (left > right) - (left < right);
}

static int compare_standard(const struct sorting *it, uint32_t left, uint32_t right) {
    const size_t left_size = it->starts[left + 1] - it->starts[left];
    const size_t right_size = it->starts[right + 1] - it->starts[right];
    const size_t both = left_size < right_size ? left_size : right_size;
    const int order = both == 0 ? 0
                                : memcmp(it->text.data + it->starts[left],
                                         it->text.data + it->starts[right], both);
    return order != 0 ? order : (left_size > right_size) - (left_size < right_size);
}

static int compare_field(const struct sorting *it, int field, uint32_t left, uint32_t right) {
    const struct hasten_pstats_row *one = &it->table->rows.rows[left];
    const struct hasten_pstats_row *other = &it->table->rows.rows[right];
    const struct hasten_pstats_names *names = &it->table->names;
    const struct hasten_pstats_function *function = &names->functions[one->function];
    const struct hasten_pstats_function *other_function = &names->functions[other->function];
    switch (field) {
    case PRIMITIVE_CALLS:
        return compare_whole(one->cost.primitive_calls, other->cost.primitive_calls);
    case CALLS:
        return compare_whole(one->cost.calls, other->cost.calls);
    case OWN:
        return compare_times(one->cost.own_s, other->cost.own_s);
    case TOTAL:
        return compare_times(one->cost.total_s, other->cost.total_s);
    case FILE_NAME:
        return hasten_pstats_names_compare_texts(names, function->file, other_function->file);
    case LINE:
        return compare_whole(function->line, other_function->line);
    case NAME:
        return hasten_pstats_names_compare_texts(names, function->name, other_function->name);
    default:
        return compare_standard(it, left, right);
    }
}

static int compare_rows(const void *left, const void *right, void *context) {
    const struct sorting *it = context;
    const uint32_t one = *(const uint32_t *)left;
    const uint32_t other = *(const uint32_t *)right;
    for (size_t i = 0; i < it->key_count; i++) {
        const int order = compare_field(it, it->keys[i].field, one, other);
        if (order != 0) {
            return order < 0 ? -it->keys[i].direction : it->keys[i].direction;
        }
    }
    return (one > other) - (one < other);
}

static bool has_no_order(const struct sorting *it) {
    bool by_own = false;
    bool by_total = false;
    for (size_t i = 0; i < it->key_count; i++) {
        by_own = by_own || it->keys[i].field == OWN;
        by_total = by_total || it->keys[i].field == TOTAL;
    }
    for (size_t i = 0; i < it->table->rows.count; i++) {
        const struct hasten_pstats_cost *cost = &it->table->rows.rows[i].cost;
        if ((by_own && isnan(cost->own_s)) || (by_total && isnan(cost->total_s))) {
            return true;
        }
    }
    return false;
}

static hasten_status write_names(struct sorting *it) {
    const struct hasten_pstats_rows *rows = &it->table->rows;
    it->starts = hasten_allocate(it->table->allocator, (rows->count + 1) * sizeof *it->starts);
    if (it->starts == NULL) {
        return HASTEN_NO_MEMORY;
    }
    for (size_t i = 0; i < rows->count; i++) {
        it->starts[i] = it->text.size;
        hasten_pstats_names_append(&it->table->names, rows->rows[i].function, &it->text);
    }
    it->starts[rows->count] = it->text.size;
    return it->text.failed ? HASTEN_NO_MEMORY : HASTEN_OK;
}

hasten_status hasten_pstats_sort(const struct hasten_pstats *table,
                                 const struct hasten_pstats_key *keys, size_t key_count,
                                 uint32_t *ret_order) {
    struct sorting it = {.table = table, .keys = keys, .key_count = key_count};
    if (has_no_order(&it)) {
        return HASTEN_UNSUPPORTED;
    }
    hasten_buffer_init(&it.text, table->allocator);
    hasten_status status = HASTEN_OK;
    for (size_t i = 0; status == HASTEN_OK && i < key_count; i++) {
        if (keys[i].field == STANDARD_NAME && it.starts == NULL) {
            status = write_names(&it);
        }
    }
    if (status == HASTEN_OK) {
        for (uint32_t i = 0; i < table->rows.count; i++) {
            ret_order[i] = i;
        }
        qsort_r(ret_order, table->rows.count, sizeof *ret_order, compare_rows, &it);
    }
    hasten_buffer_done(&it.text);
    hasten_release(table->allocator, it.starts, (table->rows.count + 1) * sizeof *it.starts);
    return status;
}

static int compare_callers(const void *left, const void *right, void *context) {
    const struct hasten_pstats *table = context;
    const struct hasten_pstats_edge *one = &table->rows.edges[*(const uint32_t *)left];
    const struct hasten_pstats_edge *other = &table->rows.edges[*(const uint32_t *)right];
    return hasten_pstats_names_compare(&table->names, one->caller, other->caller);
}

static int compare_callees(const void *left, const void *right, void *context) {
    const struct hasten_pstats *table = context;
    const struct hasten_pstats_edge *one = &table->rows.edges[*(const uint32_t *)left];
    const struct hasten_pstats_edge *other = &table->rows.edges[*(const uint32_t *)right];
    return hasten_pstats_names_compare(&table->names, table->rows.rows[one->row].function,
                                       table->rows.rows[other->row].function);
}

void hasten_pstats_sort_edges(const struct hasten_pstats *table, uint32_t *edges, size_t count,
                              bool by_callee) {
    qsort_r(edges, count, sizeof *edges, by_callee ? compare_callees : compare_callers,
            (void *)table);
}
