/* SPDX-License-Identifier: MIT
 *
 * Where a series of measurements changed for good, such as a benchmark's times over
 * the commits of a project.
 *
 * A segment is split where the values before and after are farthest apart by energy
 * distance (twice the mean distance between them, less the mean distances within each),
 * which sees any change of a distribution and is moved little by single outliers.
 * Whether a split is more than chance is decided by permutations: how often values in
 * random order can be split as well. Nothing is assumed about how they are distributed,
 * but that neighbours do not depend on each other. Each part is then split in turn. */
#ifndef HASTEN_STATS_CHANGES_H
#define HASTEN_STATS_CHANGES_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/allocator.h"
#include "hasten/status.h"

/* More values take too long: the work of a test is their square. */
#define HASTEN_CHANGES_VALUES 500
/* A part has at least so many: two may be the same outlier. */
#define HASTEN_CHANGES_PART 3

/* Writes the places of changes, each the index of the first value after it, in
 * ascending order; at most count / HASTEN_CHANGES_PART. A series without changes has
 * one found with a chance of `alpha` (0.01). The same seed gives the same answer.
 * INVALID where a value is not finite, LIMIT where there are too many. */
HASTEN_CHECKED hasten_status hasten_find_changes(const struct hasten_allocator *allocator,
                                                 const double *values, size_t count, double alpha,
                                                 uint64_t seed, size_t *ret_places,
                                                 size_t *ret_count, struct hasten_error *error);

#endif
