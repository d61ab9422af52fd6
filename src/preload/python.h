/* SPDX-License-Identifier: MIT
 *
 * The Python in this process: where it is, how to read it, the state of the running
 * thread. Nothing of it is linked; what is called is found by name. */
#ifndef HASTEN_PRELOAD_PYTHON_H
#define HASTEN_PRELOAD_PYTHON_H

#include <stdbool.h>
#include <stdint.h>

#include "core/pyabi/layout.h"
#include "core/pyabi/opcodes.h"

enum hasten_python_state {
    HASTEN_PYTHON_STARTING,
    HASTEN_PYTHON_READY,
    HASTEN_PYTHON_REFUSED, /* stacks cannot be read: of another version, or build */
};

struct hasten_python {
    enum hasten_python_state state;
    uint32_t version_hex;
    uint64_t runtime;   /* &_PyRuntime */
    uint64_t code_type; /* &PyCode_Type */
    bool is_debug_build;
    void *(*own_state)(void);     /* PyGILState_GetThisThreadState */
    void *(*current_state)(void); /* of whoever has the GIL, or from 3.12 on of this thread */
    struct hasten_layout layout;
    const struct hasten_opcodes *opcodes;
};

/* Looks for a Python among what is linked. False: this process is none. */
bool hasten_python_find(struct hasten_python *python);
/* Whether stacks can be read by now. */
bool hasten_python_is_ready(struct hasten_python *python);
/* The interpreter is being taken apart. */
bool hasten_python_is_ending(const struct hasten_python *python);
/* The running thread's state, 0 where it has none. `*ret_attached`: it has the GIL, so
 * that nobody else can take the state away. */
uint64_t hasten_python_thread(const struct hasten_python *python, bool *ret_attached);

#endif
