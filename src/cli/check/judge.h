/* SPDX-License-Identifier: MIT
 *
 * Measures the benchmarks of a check and says of each what came out.
 *
 * A benchmark is slower where the whole 95 % interval of its ratio is beyond the
 * threshold, and where that holds among all that were measured (Holm): with a hundred
 * benchmarks five would be beyond any threshold by chance. */
#ifndef HASTEN_CLI_CHECK_JUDGE_H
#define HASTEN_CLI_CHECK_JUDGE_H

#include "cli/check/list.h"

/* False where a stop was asked for, or memory ran out. What cannot be measured has a
 * verdict that says so. */
bool check_measure(struct check_list *list);
/* Fills verdicts and reasons. */
bool check_judge(struct check_list *list);
/* Whether it fails although it is no regression: nobody knows, and that is not enough. */
bool check_is_unjudged(const struct check_list *list, const struct check_entry *entry);
/* 0, 1 or 2. */
int check_exit_status(const struct check_list *list);

#endif
