/* SPDX-License-Identifier: MIT
 *
 * What a generator runs. Its frame is not copied at the instant of the data stack, on
 * which its caller names it by its address; by then another generator may lie there. */
#ifndef HASTEN_SAMPLING_GENERATORS_H
#define HASTEN_SAMPLING_GENERATORS_H

#include "core/sampling/frames.h"

/* Fills in what the bytes of `frame` (address and bytes are given) say; not found where
 * they are no generator that runs code. NOT_FOUND: load `missing_code`. */
HASTEN_CHECKED hasten_status hasten_generator_look(const struct hasten_view *view,
                                                   struct hasten_frame *frame, bool *ret_found);
/* Makes sure what `generator`, which `caller` names, runs: what it ran both before and
 * after the caller was copied, else what the caller's instruction is known to resume. `*found`:
 * its bytes show something; what is known in the end. TORN: not sure. */
HASTEN_CHECKED hasten_status hasten_generator_identify(const struct hasten_view *view,
                                                       const struct hasten_frame *caller,
                                                       struct hasten_frame *generator, bool *found);

#endif
