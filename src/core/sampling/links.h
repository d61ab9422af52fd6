/* SPDX-License-Identifier: MIT
 *
 * Evidence that one frame called another (walk.h says why it is needed). */
#ifndef HASTEN_SAMPLING_LINKS_H
#define HASTEN_SAMPLING_LINKS_H

#include "core/sampling/frames.h"

/* Checks the links of all frames, moves `leaf` to the frame that ran at the
 * instant of copy 1 and sets `native`. TORN and NOT_FOUND as hasten_walk_stack. */
HASTEN_CHECKED hasten_status hasten_links_check(const struct hasten_view *view);

#endif
