/* SPDX-License-Identifier: MIT
 *
 * Finds the CPython in a process and says how to read it. */
#ifndef HASTEN_PYABI_INTERPRETER_H
#define HASTEN_PYABI_INTERPRETER_H

#include "core/os/memory.h"
#include "core/pyabi/layout.h"

/* A CPython found in a process. Plain data: copy freely. */
struct hasten_interpreter {
    uint32_t pid;
    uint32_t version_hex;        /* PY_VERSION_HEX of the running binary */
    hasten_raddr runtime;        /* &_PyRuntime */
    hasten_raddr code_counter;   /* 3.12: uint32 like interpreter.code_counter; null: not found */
    struct hasten_layout layout; /* validated for this process */
    char binary[4096];           /* path of the executable or libpython that holds _PyRuntime */
    bool is_shared;              /* libpython rather than the executable */
    const char *found_by;        /* "dynamic symbol", "symbol table", "section", "cookie" */
};

/* NOT_PYTHON: no interpreter is mapped (the message says what the process is).
 * NOT_READY: there is one, but it is not initialised yet: ask again.
 * UNSUPPORTED: a version, build or layout we do not know: the message says what
 * was found. BAD_LAYOUT: the memory contradicts the version. NO_PROCESS,
 * NO_PERMISSION (with the fix) and IO as usual. */
HASTEN_CHECKED hasten_status hasten_interpreter_find(uint32_t pid,
                                                     struct hasten_interpreter *ret_interpreter,
                                                     struct hasten_error *error);

/* The compiled-in table of a minor version ("3.11", "3.12"), NULL where the
 * version describes itself (3.13+) or is unknown. 3.13's table has what its
 * debug offsets lack and is merged with them. */
const struct hasten_layout *hasten_layout_of(uint32_t minor_version);

#endif
