/* SPDX-License-Identifier: MIT
 *
 * Code objects that paths of the tracer's own ledger name. Each is held from the first
 * allocation by it on, so that its address means nothing else. One that nobody else holds
 * any more is let go at a safe moment: its paths then have their lines instead of
 * addresses, and nothing that is allocated later can be taken for them. */
#ifndef HASTEN_EXT_TRACEMALLOC_CODES_H
#define HASTEN_EXT_TRACEMALLOC_CODES_H

#include "ext/common/pycompat_frames.h"

/* So many may be held before it is worth a look at all paths. */
#define HASTEN_CODES_FIRST_REVIEW 4096

/* The index of a code object, which is held from now on. -1: no memory. Calls nothing
 * that allocates with Python's allocators. */
int hasten_codes_hold(PyCodeObject *code, uint32_t *ret_index);
/* Lets go what nobody else holds. Runs the program's own code where it waits for that. */
void hasten_codes_review(void);
/* The line of a place of a code object that was let go. */
uint32_t hasten_codes_line(uint64_t place);

#endif
