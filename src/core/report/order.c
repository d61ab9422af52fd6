/* SPDX-License-Identifier: MIT
 *
 * Filters and sorts the rows of an aggregate. */
#include "core/report/order.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/allocator.h"
#include "core/base/buffer.h"

struct sorting {
    const struct hasten_profile *profile;
    const struct hasten_row *rows;
    enum hasten_report_sort sort;
};

static int compare_amounts(int64_t left, int64_t right) {
    return left > right ? -1 : left < right ? 1 : 0;
}

static int compare_file(const struct sorting *sorting, const struct hasten_row *left,
                        const struct hasten_row *right) {
    const struct hasten_profile *profile = sorting->profile;
    int order = strcmp(profile->strings[profile->functions[left->function].file],
                       profile->strings[profile->functions[right->function].file]);
    if (order == 0) {
        order = left->line < right->line ? -1 : left->line > right->line ? 1 : 0;
    }
    return order;
}

static int compare_name(const struct sorting *sorting, const struct hasten_row *left,
                        const struct hasten_row *right) {
    const struct hasten_profile *profile = sorting->profile;
    return strcmp(profile->strings[profile->functions[left->function].qualname],
                  profile->strings[profile->functions[right->function].qualname]);
}

/* Amounts in the order in which they decide: what counts, then what does not. */
static int compare_self(const struct hasten_row *left, const struct hasten_row *right) {
    int order =
        compare_amounts(hasten_time_counted(&left->self), hasten_time_counted(&right->self));
    return order != 0 ? order : compare_amounts(left->self.idle_ns, right->self.idle_ns);
}

static int compare_total(const struct hasten_row *left, const struct hasten_row *right) {
    int order =
        compare_amounts(hasten_time_counted(&left->total), hasten_time_counted(&right->total));
    return order != 0 ? order : compare_amounts(left->total.idle_ns, right->total.idle_ns);
}

static int compare_rows(const void *left_index, const void *right_index, void *context) {
    const struct sorting *sorting = context;
    uint32_t left_row = *(const uint32_t *)left_index;
    uint32_t right_row = *(const uint32_t *)right_index;
    const struct hasten_row *left = &sorting->rows[left_row];
    const struct hasten_row *right = &sorting->rows[right_row];
    int order = 0;
    switch (sorting->sort) {
    case HASTEN_SORT_SELF:
        order = compare_self(left, right);
        order = order != 0 ? order : compare_total(left, right);
        break;
    case HASTEN_SORT_TOTAL:
        order = compare_total(left, right);
        order = order != 0 ? order : compare_self(left, right);
        break;
    case HASTEN_SORT_CALLS:
        order = compare_amounts(left->calls, right->calls);
        order = order != 0 ? order : compare_self(left, right);
        break;
    case HASTEN_SORT_NAME:
        order = compare_name(sorting, left, right);
        break;
    case HASTEN_SORT_FILE:
        break;
    }
    order = order != 0 ? order : compare_file(sorting, left, right);
    order = order != 0 ? order : compare_name(sorting, left, right);
    return order != 0 ? order : left_row < right_row ? -1 : left_row > right_row;
}

static bool has_time(const struct hasten_row *row) {
    return hasten_time_counted(&row->total) > 0 || row->total.idle_ns > 0 || row->total.gc_ns > 0 ||
           row->calls > 0;
}

bool hasten_row_passes(const struct hasten_profile *profile, const struct hasten_row *row,
                       const char *filter, struct hasten_buffer *scratch) {
    if (filter == NULL || filter[0] == '\0') {
        return true;
    }
    const struct hasten_function *function = &profile->functions[row->function];
    hasten_buffer_clear(scratch);
    hasten_buffer_text(scratch, profile->strings[function->file]);
    hasten_buffer_byte(scratch, ':');
    hasten_buffer_text(scratch, profile->strings[function->qualname]);
    return strstr(hasten_buffer_cstring(scratch), filter) != NULL;
}

static hasten_status order_rows(struct hasten_aggregate *aggregate, const struct hasten_row *rows,
                                size_t count, const struct hasten_report_options *options,
                                uint32_t **ret_order, size_t *ret_count) {
    uint32_t *order = hasten_allocate(aggregate->allocator, count * sizeof *order);
    if (order == NULL) {
        return HASTEN_NO_MEMORY;
    }
    struct hasten_buffer scratch;
    hasten_buffer_init(&scratch, aggregate->allocator);
    size_t kept = 0;
    bool failed = false;
    for (size_t i = 0; i < count; i++) {
        if (has_time(&rows[i]) &&
            hasten_row_passes(aggregate->profile, &rows[i], options->filter, &scratch)) {
            order[kept++] = (uint32_t)i;
        }
        failed = failed || scratch.failed;
    }
    hasten_buffer_done(&scratch);
    if (failed) {
        hasten_release(aggregate->allocator, order, count * sizeof *order);
        return HASTEN_NO_MEMORY;
    }
    struct sorting sorting = {aggregate->profile, rows, options->sort};
    qsort_r(order, kept, sizeof *order, compare_rows, &sorting);
    *ret_order = order;
    *ret_count = kept;
    return HASTEN_OK;
}

hasten_status hasten_aggregate_order(struct hasten_aggregate *aggregate,
                                     const struct hasten_report_options *options) {
    hasten_status status =
        order_rows(aggregate, aggregate->functions, aggregate->function_count, options,
                   &aggregate->function_order, &aggregate->function_order_count);
    if (status != HASTEN_OK) {
        return status;
    }
    status = order_rows(aggregate, aggregate->lines, aggregate->line_count, options,
                        &aggregate->line_order, &aggregate->line_order_count);
    if (aggregate->is_traced) {
        aggregate->line_order_count = 0; /* where in a function time went is not known */
    }
    return status;
}
