/* SPDX-License-Identifier: MIT
 *
 * Whether what claims to be a runtime of some version is one that can be read. Asks
 * no file: also for a process that looks at itself. */
#ifndef HASTEN_PYABI_ACCEPT_H
#define HASTEN_PYABI_ACCEPT_H

#include <stdbool.h>

#include "core/os/memory.h"
#include "core/pyabi/layout.h"

struct hasten_claim {
    hasten_raddr runtime; /* &_PyRuntime */
    uint32_t version_hex; /* PY_VERSION_HEX; 0: not known yet */
    bool is_debug_build;
    const char *path; /* of its file, for messages */
};

/* The layout of the interpreter at `claim->runtime`, checked on what is there. Errors
 * as hasten_interpreter_find. */
HASTEN_CHECKED hasten_status hasten_accept(uint32_t pid, const struct hasten_claim *claim,
                                           struct hasten_layout *ret_layout,
                                           struct hasten_error *error);

#endif
