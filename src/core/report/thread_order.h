/* SPDX-License-Identifier: MIT
 *
 * In what order the threads of a profile are shown. */
#ifndef HASTEN_REPORT_THREAD_ORDER_H
#define HASTEN_REPORT_THREAD_ORDER_H

#include "core/report/page.h"

/* Compares two indexes of threads, as qsort_r does; `aggregate` is the page's. */
typedef int (*hasten_thread_compare)(const void *left_index, const void *right_index,
                                     void *aggregate);

/* The indexes of all threads, sorted. NULL, and the page has failed, without memory. */
uint32_t *hasten_thread_order_new(struct hasten_page *page, hasten_thread_compare compare);
void hasten_thread_order_free(const struct hasten_page *page, uint32_t *order);

#endif
