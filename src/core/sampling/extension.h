/* SPDX-License-Identifier: MIT
 *
 * Frames that were pushed or resumed while the stack was being copied. */
#ifndef HASTEN_SAMPLING_EXTENSION_H
#define HASTEN_SAMPLING_EXTENSION_H

#include "core/sampling/frames.h"

/* Puts them in front of the walk's frames, the first of which was the leaf. TORN and
 * NOT_FOUND as hasten_walk_stack. */
HASTEN_CHECKED hasten_status hasten_extend(const struct hasten_view *view);

#endif
