/* SPDX-License-Identifier: MIT
 *
 * One estimate of how two sides differ, from the blocks that a pair of processes ran in
 * turns. What the estimates of several pairs say is paired.h's. */
#ifndef HASTEN_STATS_TURNS_H
#define HASTEN_STATS_TURNS_H

#include <stdbool.h>
#include <stddef.h>

/* Blocks a side that are looked at: more say nothing more about one pair of processes. */
#define HASTEN_TURNS_MOST 2048

/* log(B / A) of blocks of A and of B in the order in which they were run, in pairs of which
 * every second one has the other order (A B, B A): the median of its quads, without the
 * blocks at the start in which a process was not warm yet. `is_clean` says of each pair that
 * neither of its blocks was interrupted: what was took as long as somebody else wanted, and
 * leaving it out by what the kernel counted, not by how long it took, is the same for both
 * sides. Values are above 0; 0 where `size` is. */
double hasten_turns_log_ratio(const double *a, const double *b, const bool *is_clean, size_t size);

#endif
