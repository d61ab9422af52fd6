/* SPDX-License-Identifier: MIT
 *
 * Sorts threads. */
#include "core/report/thread_order.h"

#include <stdlib.h>

#include "core/base/allocator.h"

uint32_t *hasten_thread_order_new(struct hasten_page *page, hasten_thread_compare compare) {
    const struct hasten_aggregate *aggregate = page->aggregate;
    size_t count = aggregate->profile->thread_count;
    uint32_t *order = hasten_allocate(aggregate->allocator, count * sizeof *order);
    if (order == NULL) {
        page->out.failed = true;
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        order[i] = (uint32_t)i;
    }
    qsort_r(order, count, sizeof *order, compare, (void *)aggregate);
    return order;
}

void hasten_thread_order_free(const struct hasten_page *page, uint32_t *order) {
    const struct hasten_aggregate *aggregate = page->aggregate;
    hasten_release(aggregate->allocator, order, aggregate->profile->thread_count * sizeof *order);
}
