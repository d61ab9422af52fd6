/* SPDX-License-Identifier: MIT
 *
 * How much memory an execution takes: counted exactly, in a process of its own that is not
 * timed, by hasten_counters.so (core/heap/counters.h). */
#ifndef HASTEN_CLI_BENCH_MEMORY_H
#define HASTEN_CLI_BENCH_MEMORY_H

#include "cli/bench/side.h"

/* Executes a few times, and sets what it finds of BENCH_PEAK_BYTES and
 * BENCH_ALLOCATED_BYTES. What cannot be counted (an interpreter in which the library cannot
 * be loaded, or whose allocators cannot be set aside) stays unknown; of a command, what it
 * allocates is that of all its processes, and its peak is not known here. */
void bench_memory_count(const struct bench_side *side, double patience_s,
                        struct bench_amount *amounts);

#endif
