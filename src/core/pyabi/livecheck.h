/* SPDX-License-Identifier: MIT
 *
 * Whether a runtime in memory is what its layout says, and ready. Internal to
 * this folder. */
#ifndef HASTEN_PYABI_LIVECHECK_H
#define HASTEN_PYABI_LIVECHECK_H

#include "core/os/memory.h"
#include "core/pyabi/layout.h"

/* Follows the pointers from the runtime to an interpreter, one of its threads
 * and back, and checks all that must hold. NOT_READY; BAD_LAYOUT naming what
 * does not hold; or why memory could not be read. */
HASTEN_CHECKED hasten_status hasten_livecheck(uint32_t pid, hasten_raddr runtime,
                                              const struct hasten_layout *layout,
                                              struct hasten_error *error);

#endif
