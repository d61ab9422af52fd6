/* SPDX-License-Identifier: MIT
 *
 * Staging and committing batches. All that can be wrong with a batch is found
 * before the table is touched. */
#include "core/pstats/table.h"

#include <stdlib.h>
#include <string.h>

/* Room for staged edges that is kept from one batch to the next. */
#define KEPT_EDGES 16384

hasten_status hasten_pstats_new(const struct hasten_allocator *allocator,
                                struct hasten_pstats **ret_table, struct hasten_error *error) {
    struct hasten_pstats *table = hasten_allocate_zeroed(allocator, sizeof *table);
    if (table == NULL) {
        return hasten_error_set(error, HASTEN_NO_MEMORY, -1, "out of memory");
    }
    table->allocator = allocator;
    hasten_pstats_names_init(&table->names, allocator);
    hasten_pstats_rows_init(&table->rows, allocator);
    hasten_status status = hasten_pstats_function(table, "jprofile", strlen("jprofile"), 0,
                                                  "profiler", strlen("profiler"), &table->profiler);
    if (status != HASTEN_OK) {
        hasten_pstats_free(table);
        return hasten_error_set(error, status, -1, "%s", hasten_status_sentence(status));
    }
    *ret_table = table;
    return HASTEN_OK;
}

void hasten_pstats_free(struct hasten_pstats *table) {
    if (table == NULL) {
        return;
    }
    const struct hasten_allocator *allocator = table->allocator;
    struct hasten_pstats_batch *batch = &table->batch;
    hasten_pstats_names_done(&table->names);
    hasten_pstats_rows_done(&table->rows);
    hasten_release(allocator, batch->rows, batch->row_capacity * sizeof *batch->rows);
    hasten_release(allocator, batch->edges, batch->edge_capacity * sizeof *batch->edges);
    hasten_release(allocator, batch->stamps, batch->stamp_capacity * sizeof *batch->stamps);
    hasten_release(allocator, table, sizeof *table);
}

void hasten_pstats_begin(struct hasten_pstats *table) {
    struct hasten_pstats_batch *batch = &table->batch;
    batch->row_count = 0;
    batch->edge_count = 0;
    batch->largest = 0;
    batch->has_times = false;
    batch->has_calls = false;
    batch->batch_serial++;
}

hasten_status hasten_pstats_function(struct hasten_pstats *table, const char *file,
                                     size_t file_size, int64_t line, const char *name,
                                     size_t name_size, uint32_t *ret_function) {
    uint32_t file_text = 0;
    uint32_t name_text = 0;
    hasten_status status = hasten_pstats_names_text(&table->names, file, file_size, &file_text);
    if (status == HASTEN_OK) {
        status = hasten_pstats_names_text(&table->names, name, name_size, &name_text);
    }
    if (status != HASTEN_OK) {
        return status;
    }
    return hasten_pstats_names_function(&table->names, file_text, line, name_text, ret_function);
}

static bool is_whole(double number) {
    return number >= -(double)HASTEN_PSTATS_WHOLE_MAX && number <= (double)HASTEN_PSTATS_WHOLE_MAX;
}

/* Whether a table can hold it; remembers its largest whole number. */
static bool fits(struct hasten_pstats_batch *batch, const struct hasten_pstats_cost *cost) {
    const double own = (cost->kinds & HASTEN_PSTATS_OWN_WHOLE) != 0 ? cost->own_s : 0;
    const double total = (cost->kinds & HASTEN_PSTATS_TOTAL_WHOLE) != 0 ? cost->total_s : 0;
    if (!is_whole(own) || !is_whole(total)) {
        return false;
    }
    const int64_t numbers[] = {cost->calls, cost->primitive_calls, (int64_t)own, (int64_t)total};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i] < -HASTEN_PSTATS_WHOLE_MAX || numbers[i] > HASTEN_PSTATS_WHOLE_MAX) {
            return false;
        }
        const int64_t size = llabs(numbers[i]);
        batch->largest = size > batch->largest ? size : batch->largest;
    }
    return true;
}

static hasten_status reserve_stamps(struct hasten_pstats *table) {
    struct hasten_pstats_batch *batch = &table->batch;
    const size_t known = batch->stamp_capacity;
    void *stamps = batch->stamps;
    if (hasten_grow(table->allocator, &stamps, &batch->stamp_capacity, table->names.function_count,
                    sizeof *batch->stamps) != 0) {
        return HASTEN_NO_MEMORY;
    }
    batch->stamps = stamps;
    if (batch->stamp_capacity > known) {
        memset(batch->stamps + known, 0, (batch->stamp_capacity - known) * sizeof *batch->stamps);
    }
    return HASTEN_OK;
}

hasten_status hasten_pstats_row(struct hasten_pstats *table, uint32_t function,
                                const struct hasten_pstats_cost *cost) {
    struct hasten_pstats_batch *batch = &table->batch;
    void *rows = batch->rows;
    if (reserve_stamps(table) != HASTEN_OK ||
        hasten_grow(table->allocator, &rows, &batch->row_capacity, batch->row_count + 1,
                    sizeof *batch->rows) != 0) {
        return HASTEN_NO_MEMORY;
    }
    batch->rows = rows;
    if (batch->stamps[function].as_row == batch->batch_serial || !fits(batch, cost)) {
        return HASTEN_UNSUPPORTED;
    }
    batch->stamps[function].as_row = batch->batch_serial;
    batch->row_serial++;
    batch->rows[batch->row_count++] =
        (struct hasten_pstats_staged_row){.cost = *cost, .function = function};
    return HASTEN_OK;
}

hasten_status hasten_pstats_caller(struct hasten_pstats *table, uint32_t function,
                                   const struct hasten_pstats_cost *cost) {
    struct hasten_pstats_batch *batch = &table->batch;
    void *edges = batch->edges;
    if (reserve_stamps(table) != HASTEN_OK ||
        hasten_grow(table->allocator, &edges, &batch->edge_capacity, batch->edge_count + 1,
                    sizeof *batch->edges) != 0) {
        return HASTEN_NO_MEMORY;
    }
    batch->edges = edges;
    if (batch->stamps[function].as_caller == batch->row_serial || !fits(batch, cost)) {
        return HASTEN_UNSUPPORTED;
    }
    batch->stamps[function].as_caller = batch->row_serial;
    batch->edges[batch->edge_count++] =
        (struct hasten_pstats_staged_edge){.cost = *cost, .caller = function};
    struct hasten_pstats_staged_row *row = &batch->rows[batch->row_count - 1];
    row->edge_count++;
    row->is_root = row->is_root || function == table->profiler;
    const bool calls_only = (cost->kinds & HASTEN_PSTATS_CALLS_ONLY) != 0;
    batch->has_calls = batch->has_calls || calls_only;
    batch->has_times = batch->has_times || !calls_only;
    return HASTEN_OK;
}

/* What a large batch took is given back: it would be half of what the table takes. */
static void shrink(struct hasten_pstats *table) {
    struct hasten_pstats_batch *batch = &table->batch;
    if (batch->edge_capacity > KEPT_EDGES) {
        hasten_release(table->allocator, batch->edges, batch->edge_capacity * sizeof *batch->edges);
        batch->edges = NULL;
        batch->edge_count = 0;
        batch->edge_capacity = 0;
    }
}

/* Added up in the order of the rows and beginning with the whole number 0, as
 * Python would, so that the last bit of the sum is the same. */
static hasten_status sum_up(const struct hasten_pstats *table, struct hasten_pstats_sums *sums) {
    *sums = (struct hasten_pstats_sums){.own_is_whole = true};
    for (size_t i = 0; i < table->batch.row_count; i++) {
        const struct hasten_pstats_staged_row *row = &table->batch.rows[i];
        if (__builtin_add_overflow(sums->calls, row->cost.calls, &sums->calls) ||
            __builtin_add_overflow(sums->primitive_calls, row->cost.primitive_calls,
                                   &sums->primitive_calls)) {
            return HASTEN_UNSUPPORTED;
        }
        if ((row->cost.kinds & HASTEN_PSTATS_OWN_WHOLE) == 0) {
            sums->own_is_whole = false;
        }
        sums->own_s += row->cost.own_s;
        if (sums->own_is_whole && !is_whole(sums->own_s)) {
            return HASTEN_UNSUPPORTED;
        }
        const size_t width = table->names.functions[row->function].width;
        sums->name_width = width > sums->name_width ? width : sums->name_width;
        sums->root_count += row->is_root;
    }
    sums->row_count = table->batch.row_count;
    return HASTEN_OK;
}

/* Room for all of the batch; nothing can fail after it. */
static hasten_status prepare(struct hasten_pstats *table, struct hasten_pstats_sums *sums) {
    const struct hasten_pstats_batch *batch = &table->batch;
    if (table->largest + batch->largest > HASTEN_PSTATS_WHOLE_MAX ||
        ((table->has_times || batch->has_times) && (table->has_calls || batch->has_calls))) {
        return HASTEN_UNSUPPORTED;
    }
    hasten_status status = sum_up(table, sums);
    if (status != HASTEN_OK) {
        return status;
    }
    /* A table that has no rows yet has none to add edges to. */
    return hasten_pstats_rows_reserve(&table->rows, table->names.function_count, batch->row_count,
                                      batch->edge_count, table->rows.count > 0);
}

hasten_status hasten_pstats_commit(struct hasten_pstats *table, bool adding,
                                   struct hasten_pstats_sums *ret_sums) {
    struct hasten_pstats_sums sums;
    hasten_status status = prepare(table, &sums);
    if (status != HASTEN_OK) {
        return status;
    }
    const struct hasten_pstats_batch *batch = &table->batch;
    const struct hasten_pstats_staged_edge *edge = batch->edges;
    const struct hasten_pstats_cost nothing = {.kinds = HASTEN_PSTATS_OWN_WHOLE |
                                                        HASTEN_PSTATS_TOTAL_WHOLE};
    for (size_t i = 0; i < batch->row_count; i++) {
        const struct hasten_pstats_staged_row *staged = &batch->rows[i];
        uint32_t row = hasten_pstats_rows_find(&table->rows, staged->function);
        const bool is_new = row == HASTEN_PSTATS_NONE;
        if (is_new) {
            row = hasten_pstats_rows_append(&table->rows, staged->function,
                                            adding ? &nothing : &staged->cost);
        }
        if (!is_new || adding) {
            hasten_pstats_cost_add(&table->rows.rows[row].cost, &staged->cost);
        }
        for (uint32_t left = staged->edge_count; left > 0; left--, edge++) {
            if (is_new) {
                hasten_pstats_rows_append_edge(&table->rows, row, edge->caller, &edge->cost);
            } else {
                hasten_pstats_rows_add_edge(&table->rows, row, edge->caller, &edge->cost);
            }
        }
    }
    table->largest += batch->largest;
    table->has_times = table->has_times || batch->has_times;
    table->has_calls = table->has_calls || batch->has_calls;
    *ret_sums = sums;
    shrink(table);
    return HASTEN_OK;
}

/* The numbers that the other table's functions have here, found when they are met. */
struct translation {
    struct hasten_pstats *table;
    const struct hasten_pstats *other;
    uint32_t *known; /* by the other's function; NONE: not met yet */
};

static hasten_status translate(const struct translation *translation, uint32_t function,
                               uint32_t *ret_function) {
    if (translation->known == NULL) {
        *ret_function = function;
        return HASTEN_OK;
    }
    uint32_t *known = &translation->known[function];
    if (*known == HASTEN_PSTATS_NONE) {
        const struct hasten_pstats_names *names = &translation->other->names;
        const struct hasten_pstats_function *it = &names->functions[function];
        hasten_status status = hasten_pstats_function(
            translation->table, hasten_pstats_names_bytes(names, it->file),
            names->texts[it->file].size, it->line, hasten_pstats_names_bytes(names, it->name),
            names->texts[it->name].size, known);
        if (status != HASTEN_OK) {
            return status;
        }
    }
    *ret_function = *known;
    return HASTEN_OK;
}

static hasten_status stage_row_of(const struct translation *translation, size_t number) {
    struct hasten_pstats *table = translation->table;
    const struct hasten_pstats_rows *rows = &translation->other->rows;
    uint32_t function = 0;
    hasten_status status = translate(translation, rows->rows[number].function, &function);
    if (status == HASTEN_OK) {
        status = hasten_pstats_row(table, function, &rows->rows[number].cost);
    }
    uint32_t edge = rows->rows[number].first_edge;
    for (; status == HASTEN_OK && edge != HASTEN_PSTATS_NONE; edge = rows->edges[edge].next) {
        status = translate(translation, rows->edges[edge].caller, &function);
        if (status == HASTEN_OK) {
            status = hasten_pstats_caller(table, function, &rows->edges[edge].cost);
        }
    }
    return status;
}

hasten_status hasten_pstats_stage_table(struct hasten_pstats *table,
                                        const struct hasten_pstats *other) {
    struct translation translation = {.table = table, .other = other};
    const size_t size = other->names.function_count * sizeof *translation.known;
    if (other != table) {
        translation.known = hasten_allocate(table->allocator, size);
        if (translation.known == NULL) {
            return HASTEN_NO_MEMORY;
        }
        memset(translation.known, 0xff, size);
    }
    hasten_status status = HASTEN_OK;
    for (size_t i = 0; status == HASTEN_OK && i < other->rows.count; i++) {
        status = stage_row_of(&translation, i);
    }
    hasten_release(table->allocator, translation.known, size);
    return status;
}
