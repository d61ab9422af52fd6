/* SPDX-License-Identifier: MIT
 *
 * Where `_PyRuntime` lies in a process, and what is known of its version before
 * anything of it is read. Internal to this folder. */
#ifndef HASTEN_PYABI_LOCATE_H
#define HASTEN_PYABI_LOCATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/os/memory.h"
#include "core/pyabi/candidates.h"

struct hasten_location {
    hasten_raddr runtime;
    hasten_raddr version; /* &Py_Version; null where the file has no such symbol */
    bool is_debug_build;  /* Py_DEBUG or Py_REF_DEBUG */
    bool is_ancient;      /* a Python whose runtime was not found: `runtime` is null */
    const char *found_by; /* as in struct hasten_interpreter */
};

/* By the file's exported symbols, read off the process's memory. NOT_FOUND: it
 * is not a Python; else why it could not be read. */
HASTEN_CHECKED hasten_status hasten_locate_exported(uint32_t pid,
                                                    const struct hasten_candidate *candidate,
                                                    struct hasten_location *ret_location);

/* By the symbol table or sections of the file itself, and at last by searching
 * its data for the cookie. Slow: for the executable and libpython only. */
HASTEN_CHECKED hasten_status hasten_locate_hidden(uint32_t pid,
                                                  const struct hasten_candidate *candidate,
                                                  struct hasten_location *ret_location);

/* Where 3.12 counts the code objects it makes: a variable that only files with a
 * symbol table name. */
HASTEN_CHECKED hasten_status hasten_locate_code_counter(uint32_t pid,
                                                        const struct hasten_candidate *candidate,
                                                        hasten_raddr *ret_counter);

/* Whether it is a Python all the same: 3.6 or before, which has no runtime, or a
 * build that hides it. Fills `is_ancient` alone. */
HASTEN_CHECKED hasten_status hasten_locate_ancient(uint32_t pid,
                                                   const struct hasten_candidate *candidate,
                                                   struct hasten_location *ret_location);

#endif
