/* SPDX-License-Identifier: MIT
 *
 * Budgets of growth: a benchmark whose `params` are sizes, and that may grow like a class
 * at most, is judged by the times of all its sizes. */
#ifndef HASTEN_CLI_CHECK_GROWTH_H
#define HASTEN_CLI_CHECK_GROWTH_H

#include "cli/check/list.h"

/* Sets the verdict of each such benchmark's largest size, after all others. False where
 * memory ran out. */
bool check_growth(struct check_list *list);

#endif
