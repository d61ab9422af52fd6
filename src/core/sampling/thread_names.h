/* SPDX-License-Identifier: MIT
 *
 * The names that a program gave to its threads: `threading._active` of one
 * interpreter of another process, and the `_name` of each Thread in it. */
#ifndef HASTEN_SAMPLING_THREAD_NAMES_H
#define HASTEN_SAMPLING_THREAD_NAMES_H

#include "core/base/buffer.h"
#include "core/pyabi/interpreter.h"

/* What is remembered between calls. One for a process. */
struct hasten_thread_names {
    struct hasten_buffer text;
    /* Where things were in their dicts. */
    uint64_t module_index, active_index, name_index;
    /* The value's place and value of `_active` in the module of interpreter `interp`. */
    uint64_t interp, active_slot, active;
};

struct hasten_thread_names_visitor {
    void *context;
    /* Whether the name of the thread with this pthread_t is of interest. */
    bool (*wants)(void *context, uint64_t ident);
    /* An answer other than OK ends the reading. */
    hasten_status (*visit)(void *context, uint64_t ident, const char *name);
};

void hasten_thread_names_init(struct hasten_thread_names *names,
                              const struct hasten_allocator *allocator);
void hasten_thread_names_done(struct hasten_thread_names *names);

/* Reads names of the interpreter state at `interp`, of HASTEN_REMOTE_TABLE_CHUNK
 * threads from entry `*cursor` on (some 10 us each), and sets `*cursor` to where the
 * next call goes on; 0: all were read. A thread whose
 * name cannot be read just now is left out. NOT_FOUND: the interpreter has not
 * imported threading; GONE, TORN: it is changing, try later. */
HASTEN_CHECKED hasten_status hasten_thread_names_read(
    struct hasten_thread_names *names, const struct hasten_interpreter *interpreter,
    uint64_t interp, const struct hasten_thread_names_visitor *visitor, uint64_t *cursor);

#endif
