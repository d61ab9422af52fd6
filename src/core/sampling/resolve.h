/* SPDX-License-Identifier: MIT
 *
 * Finds a frame's bytes, and what it runs. */
#ifndef HASTEN_SAMPLING_RESOLVE_H
#define HASTEN_SAMPLING_RESOLVE_H

#include "core/sampling/frames.h"

/* Fills in what the bytes of the frame at `address` say, but for its code and instruction.
 * They are those of copy 1 or, where that has them not, are read now and asked for;
 * `*missed` is set where one more try is needed to have them in there. GONE: it is no frame. */
HASTEN_CHECKED hasten_status hasten_resolve_frame(const struct hasten_view *view, uint64_t address,
                                                  struct hasten_frame *frame, bool *missed);
/* The bytes of a generator's frame, from copy 1 or, where it was not predicted, read now;
 * NULL where it is not readable, or there were too many. */
const uint8_t *hasten_resolve_generator(const struct hasten_view *view, uint64_t address);
/* Has the whole frame of a generator, value stack included, copied from now on. */
HASTEN_CHECKED hasten_status hasten_resolve_want(const struct hasten_view *view,
                                                 const struct hasten_frame *frame);
/* Looks up a frame's code and instruction. `*ret_started` is false for frames that do not
 * count: not started yet, or not running code. NOT_FOUND: load the walk's `missing_code`. */
HASTEN_CHECKED hasten_status hasten_resolve_code(const struct hasten_view *view,
                                                 struct hasten_frame *frame, bool *ret_started);

#endif
