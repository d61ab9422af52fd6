/* SPDX-License-Identifier: MIT
 *
 * Deterministic counts, for where time is too coarse: instructions of the processor by
 * Valgrind, bytecodes by the interpreter's own monitoring. */
#ifndef HASTEN_CLI_BENCH_COUNTS_H
#define HASTEN_CLI_BENCH_COUNTS_H

#include "cli/bench/side.h"

#define BENCH_COUNT(id) (1u << (id))

/* Whether what is asked for (BENCH_COUNT(BENCH_INSTRUCTIONS) | ...) can be counted at all
 * for this kind. False after saying why not, and what helps. */
bool bench_counts_possible(unsigned wanted, enum bench_kind kind);

/* Counts one execution; of a function or statement without the loop around it, of a command
 * with all that it does. `loops` executions take a few milliseconds. False after saying why
 * it cannot be counted. */
bool bench_counts_take(const struct bench_side *side, unsigned wanted, uint64_t loops,
                       double patience_s, struct bench_amount *amounts);

#endif
