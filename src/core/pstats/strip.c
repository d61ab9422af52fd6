/* SPDX-License-Identifier: MIT
 *
 * Taking folders off file names. Functions that are then the same are added up;
 * of callers of one row that are then the same the last one counts, as it does in
 * the standard module. */
#include "core/pstats/table.h"

#include <string.h>

struct stripping {
    struct hasten_pstats *table;
    struct hasten_pstats_rows rows; /* the new ones */
    uint32_t *stripped;             /* by function */
    size_t function_count;
    /* Callers of the row at hand, without doubles. */
    struct hasten_pstats_staged_edge *callers;
    size_t caller_capacity;
    size_t caller_count;
    uint32_t *place; /* by function: in `callers`, + 1; zero between rows */
    size_t place_capacity;
    size_t name_width;
};

static hasten_status strip_names(struct stripping *it) {
    struct hasten_pstats_names *names = &it->table->names;
    it->function_count = names->function_count;
    it->stripped = hasten_allocate(it->table->allocator, it->function_count * sizeof *it->stripped);
    if (it->stripped == NULL) {
        return HASTEN_NO_MEMORY;
    }
    for (uint32_t i = 0; i < it->function_count; i++) {
        hasten_status status = hasten_pstats_names_stripped(names, i, &it->stripped[i]);
        if (status != HASTEN_OK) {
            return status;
        }
    }
    it->place_capacity = names->function_count;
    it->place =
        hasten_allocate_zeroed(it->table->allocator, it->place_capacity * sizeof *it->place);
    return it->place == NULL ? HASTEN_NO_MEMORY : HASTEN_OK;
}

static hasten_status collect_callers(struct stripping *it, const struct hasten_pstats_row *row) {
    const struct hasten_pstats_edge *edges = it->table->rows.edges;
    it->caller_count = 0;
    for (uint32_t edge = row->first_edge; edge != HASTEN_PSTATS_NONE; edge = edges[edge].next) {
        const uint32_t caller = it->stripped[edges[edge].caller];
        if (it->place[caller] == 0) {
            void *callers = it->callers;
            if (hasten_grow(it->table->allocator, &callers, &it->caller_capacity,
                            it->caller_count + 1, sizeof *it->callers) != 0) {
                return HASTEN_NO_MEMORY;
            }
            it->callers = callers;
            it->place[caller] = (uint32_t)++it->caller_count;
        }
        it->callers[it->place[caller] - 1] =
            (struct hasten_pstats_staged_edge){.cost = edges[edge].cost, .caller = caller};
    }
    for (size_t i = 0; i < it->caller_count; i++) {
        it->place[it->callers[i].caller] = 0;
    }
    return HASTEN_OK;
}

static hasten_status strip_row(struct stripping *it, const struct hasten_pstats_row *old) {
    hasten_status status = collect_callers(it, old);
    if (status != HASTEN_OK) {
        return status;
    }
    const uint32_t function = it->stripped[old->function];
    const size_t width = it->table->names.functions[function].width;
    it->name_width = width > it->name_width ? width : it->name_width;
    uint32_t row = hasten_pstats_rows_find(&it->rows, function);
    const bool is_new = row == HASTEN_PSTATS_NONE;
    if (is_new) {
        row = hasten_pstats_rows_append(&it->rows, function, &old->cost);
    } else {
        hasten_pstats_cost_add(&it->rows.rows[row].cost, &old->cost);
    }
    for (size_t i = 0; i < it->caller_count; i++) {
        const struct hasten_pstats_staged_edge *caller = &it->callers[i];
        if (is_new) {
            hasten_pstats_rows_append_edge(&it->rows, row, caller->caller, &caller->cost);
        } else {
            hasten_pstats_rows_add_edge(&it->rows, row, caller->caller, &caller->cost);
        }
    }
    return HASTEN_OK;
}

static hasten_status strip_rows(struct stripping *it) {
    const struct hasten_pstats_rows *old = &it->table->rows;
    hasten_status status = strip_names(it);
    if (status == HASTEN_OK) {
        status = hasten_pstats_rows_reserve(&it->rows, it->place_capacity, old->count,
                                            old->edge_count, true);
    }
    for (size_t i = 0; status == HASTEN_OK && i < old->count; i++) {
        status = strip_row(it, &old->rows[i]);
    }
    return status;
}

hasten_status hasten_pstats_strip(struct hasten_pstats *table, size_t *ret_name_width) {
    /* Every row could become the same one. */
    const size_t parts = table->rows.count == 0 ? 1 : table->rows.count;
    if (table->largest > HASTEN_PSTATS_WHOLE_MAX / (int64_t)parts) {
        return HASTEN_UNSUPPORTED;
    }
    struct stripping it = {.table = table};
    hasten_pstats_rows_init(&it.rows, table->allocator);
    hasten_status status = strip_rows(&it);
    if (status == HASTEN_OK) {
        const size_t merged = table->rows.count - it.rows.count;
        table->largest *= (int64_t)merged + 1;
        hasten_pstats_rows_done(&table->rows);
        table->rows = it.rows;
        *ret_name_width = it.name_width;
    } else {
        hasten_pstats_rows_done(&it.rows);
    }
    const struct hasten_allocator *allocator = table->allocator;
    hasten_release(allocator, it.stripped, it.function_count * sizeof *it.stripped);
    hasten_release(allocator, it.callers, it.caller_capacity * sizeof *it.callers);
    hasten_release(allocator, it.place, it.place_capacity * sizeof *it.place);
    return status;
}
