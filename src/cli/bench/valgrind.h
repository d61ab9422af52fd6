/* SPDX-License-Identifier: MIT
 *
 * Instructions by Valgrind's cachegrind, which simulates a processor and counts each. */
#ifndef HASTEN_CLI_BENCH_VALGRIND_H
#define HASTEN_CLI_BENCH_VALGRIND_H

#include "cli/bench/side.h"

/* Whether there is one on PATH. */
bool bench_valgrind_is_there(void);
/* Instructions of one execution. False after saying why they cannot be counted. */
bool bench_valgrind_count(const struct bench_side *side, uint64_t loops, double patience_s,
                          double *ret_instructions);

#endif
