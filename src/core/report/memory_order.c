/* SPDX-License-Identifier: MIT
 *
 * Filters and sorts the groups of a profile's memory. */
#include <stdlib.h>
#include <string.h>

#include "core/base/allocator.h"
#include "core/report/memory_sums.h"
#include "core/report/order.h"

struct sorting {
    const struct hasten_memory *memory;
    const struct hasten_memory_groups *groups;
    bool are_functions;
    enum hasten_memory_kind kind;
};

/* What a group stands for as a row of the aggregate: lines have one, functions get
 * one made. False where it stands for all that is outside Python. */
static bool row_of(const struct sorting *sorting, uint32_t key, struct hasten_row *ret_row) {
    const struct hasten_aggregate *aggregate = sorting->memory->aggregate;
    if (key == HASTEN_NONE) {
        return false;
    }
    *ret_row =
        sorting->are_functions ? (struct hasten_row){.function = key} : aggregate->lines[key];
    return true;
}

static int compare_names(const struct sorting *sorting, uint32_t left_key, uint32_t right_key) {
    const struct hasten_profile *profile = sorting->memory->aggregate->profile;
    struct hasten_row left, right;
    bool has_left = row_of(sorting, left_key, &left);
    bool has_right = row_of(sorting, right_key, &right);
    if (!has_left || !has_right) {
        return has_left ? -1 : has_right;
    }
    const struct hasten_function *a = &profile->functions[left.function];
    const struct hasten_function *b = &profile->functions[right.function];
    int order = strcmp(profile->strings[a->file], profile->strings[b->file]);
    if (order == 0) {
        order = (left.line > right.line) - (left.line < right.line);
    }
    return order != 0 ? order
                      : strcmp(profile->strings[a->qualname], profile->strings[b->qualname]);
}

static int compare_kind(const struct hasten_memory_group *left,
                        const struct hasten_memory_group *right, enum hasten_memory_kind kind) {
    int64_t left_bytes = left->row.all[kind].bytes;
    int64_t right_bytes = right->row.all[kind].bytes;
    return left_bytes > right_bytes ? -1 : left_bytes < right_bytes;
}

static bool has_bytes(const struct hasten_memory_group *group, enum hasten_memory_kind kind) {
    for (size_t i = 0; i < HASTEN_MEMORY_KIND_COUNT; i++) {
        if ((kind == HASTEN_MEMORY_ANY || i == kind) && group->row.all[i].bytes > 0) {
            return true;
        }
    }
    return false;
}

static int compare_groups(const void *left_index, const void *right_index, void *context) {
    const struct sorting *sorting = context;
    uint32_t left = *(const uint32_t *)left_index;
    uint32_t right = *(const uint32_t *)right_index;
    const struct hasten_memory_group *a = &sorting->groups->items[left];
    const struct hasten_memory_group *b = &sorting->groups->items[right];
    bool any = sorting->kind == HASTEN_MEMORY_ANY;
    int order = compare_kind(a, b, any ? HASTEN_MEMORY_PEAK : sorting->kind);
    order = order == 0 && any ? compare_kind(a, b, HASTEN_MEMORY_ALLOCATED) : order;
    order = order != 0 ? order : compare_names(sorting, a->key, b->key);
    return order != 0 ? order : (left > right) - (left < right);
}

hasten_status hasten_memory_order(const struct hasten_memory *memory,
                                  const struct hasten_memory_groups *groups, bool are_functions,
                                  enum hasten_memory_kind kind, const char *filter,
                                  uint32_t **ret_order, size_t *ret_count) {
    const struct hasten_allocator *allocator = memory->aggregate->allocator;
    struct sorting sorting = {memory, groups, are_functions, kind};
    uint32_t *order = hasten_allocate(allocator, groups->count * sizeof *order);
    if (order == NULL) {
        return HASTEN_NO_MEMORY;
    }
    struct hasten_buffer scratch;
    hasten_buffer_init(&scratch, allocator);
    bool filtered = filter != NULL && filter[0] != '\0';
    size_t count = 0;
    for (size_t i = 0; i < groups->count; i++) {
        struct hasten_row row;
        bool has_row = row_of(&sorting, groups->items[i].key, &row);
        if (has_bytes(&groups->items[i], kind) &&
            (!filtered ||
             (has_row && hasten_row_passes(memory->aggregate->profile, &row, filter, &scratch)))) {
            order[count++] = (uint32_t)i;
        }
    }
    bool failed = scratch.failed;
    hasten_buffer_done(&scratch);
    if (failed) {
        hasten_release(allocator, order, groups->count * sizeof *order);
        return HASTEN_NO_MEMORY;
    }
    qsort_r(order, count, sizeof *order, compare_groups, &sorting);
    *ret_order = order;
    *ret_count = count;
    return HASTEN_OK;
}
