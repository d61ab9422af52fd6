/* SPDX-License-Identifier: MIT
 *
 * Evidence that one frame called another (walk.h says why it is needed). */
#ifndef HASTEN_SAMPLING_LINKS_H
#define HASTEN_SAMPLING_LINKS_H

#include "core/sampling/walk.h"

/* Checks the links of all frames, moves `leaf` to the frame that ran at the
 * instant of copy 1 and sets `native`. TORN and NOT_FOUND as hasten_walk_stack. */
HASTEN_CHECKED hasten_status hasten_links_check(struct hasten_walk *walk,
                                                struct hasten_snapshot *snapshot,
                                                const struct hasten_interpreter *interpreter,
                                                const struct hasten_codes *codes,
                                                struct hasten_edges *edges);

/* Looks up a frame's code and instruction (in walk.c). `*ret_started` is false for
 * frames that do not count: not started yet, or not running code. */
HASTEN_CHECKED hasten_status hasten_walk_resolve(struct hasten_frame *frame,
                                                 const struct hasten_interpreter *interpreter,
                                                 const struct hasten_codes *codes,
                                                 bool *ret_started);

/* Sets unit and traits from the instruction in `bytes`, a copy of the frame; false
 * where that is not in its code (in walk.c). */
bool hasten_walk_instruction(struct hasten_frame *frame, const struct hasten_layout *layout,
                             const uint8_t *bytes);

/* The bytes of a generator's frame, from copy 1 or, where it was not predicted, read now;
 * NULL where it is not readable, or there were too many (in walk.c). */
const uint8_t *hasten_walk_generator(struct hasten_walk *walk, struct hasten_snapshot *snapshot,
                                     const struct hasten_interpreter *interpreter,
                                     uint64_t address);
/* Has the whole frame of a generator, value stack included, copied from now on. */
HASTEN_CHECKED hasten_status hasten_walk_want(struct hasten_snapshot *snapshot,
                                              const struct hasten_frame *frame);

#endif
