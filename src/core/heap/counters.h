/* SPDX-License-Identifier: MIT
 *
 * What hasten_counters.so, loaded first into a process, counts of its memory, and where it
 * leaves that: a page that it shares with the command, named by an environment variable.
 *
 * Between two marks the counts are those of what was executed there. A mark is a call of
 * fdatasync with a number that no open file has, for they count up from 0: Python can make
 * it without allocating anything, which it cannot do for a call into a library. */
#ifndef HASTEN_HEAP_COUNTERS_H
#define HASTEN_HEAP_COUNTERS_H

#include <stdint.h>

/* Its value: "marks:PATH" or "all:PATH", where PATH is the page. */
#define HASTEN_COUNTERS_VARIABLE "HASTEN_COUNTERS"
#define HASTEN_COUNTERS_LIBRARY "hasten_counters.so"

/* src/cli/bench/program.py has the same numbers. */
#define HASTEN_MARK_BEGIN 2000271828
#define HASTEN_MARK_END 2000314159

struct hasten_counters {
    uint64_t marks;           /* ends that were seen */
    uint64_t peak_bytes;      /* most that was alive at once, above what was at the begin */
    uint64_t allocated_bytes; /* asked for, whether it was freed or not */
    uint64_t blocks;
};

#endif
