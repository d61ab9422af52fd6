/* SPDX-License-Identifier: MIT
 *
 * What the files of hasten._slots share.
 *
 *   assigned.c  which attributes a function assigns to its first argument
 *   making.c    a class made anew, and the old one's traces
 *   creation.c  initial values of slots, calls of the class
 *   state.c     pickling, the same as without slots
 *   survey.c    a walk over all objects, and bytes; kinds.c what is known of a class
 *
 * python/hasten/slots/ decides what becomes a slot and calls these. */
#ifndef HASTEN_EXT_SLOTS_SLOTS_H
#define HASTEN_EXT_SLOTS_SLOTS_H

#include "ext/common/pycompat_slots.h"

/* What an instruction is to assigned.c, by its number in this interpreter. */
enum hasten_slots_meaning {
    HASTEN_OP_OTHER,
    HASTEN_OP_SKIP, /* says nothing of the value stack */
    HASTEN_OP_EXTENDED,
    HASTEN_OP_LOAD,
    HASTEN_OP_LOAD_TWO,
    HASTEN_OP_STORE_LOAD,
    HASTEN_OP_GLOBAL,
    HASTEN_OP_CONST,
    HASTEN_OP_ATTR,
    HASTEN_OP_METHOD, /* 3.11 */
    HASTEN_OP_SUPER_ATTR,
    HASTEN_OP_COPY,
    HASTEN_OP_CALL,
    HASTEN_OP_STORE_ATTR,
    HASTEN_OP_RETURN,
};

struct hasten_slots_state {
    uint8_t meanings[256];
    PyObject *quiet;    /* stands in for an __init_subclass__ that ran already */
    PyObject *type_new; /* type.__new__ */
    PyObject *creation_type;
    PyObject *gc; /* the module */
};

static inline struct hasten_slots_state *hasten_slots_state_of(PyObject *module) {
    return PyModule_GetState(module);
}

/* assigned.c. Reads the instructions' numbers. 0, or -1 with an exception. */
int hasten_slots_learn(struct hasten_slots_state *state);
extern const char hasten_slots_assigned_doc[];
PyObject *hasten_slots_assigned(PyObject *module, PyObject *args);

/* making.c. */
extern PyMethodDef hasten_slots_quiet_method;
extern const char hasten_slots_remake_doc[], hasten_slots_mend_doc[], hasten_slots_retire_doc[];
PyObject *hasten_slots_remake(PyObject *module, PyObject *args);
PyObject *hasten_slots_mend(PyObject *module, PyObject *args);
PyObject *hasten_slots_retire(PyObject *module, PyObject *box);

/* creation.c. */
extern PyType_Spec hasten_slots_creation_spec;
extern const char hasten_slots_set_creation_doc[], hasten_slots_inherit_doc[];
PyObject *hasten_slots_set_creation(PyObject *module, PyObject *args);
PyObject *hasten_slots_inherit(PyObject *module, PyObject *cls);

/* state.c. */
extern const char hasten_slots_add_state_doc[];
PyObject *hasten_slots_add_state(PyObject *module, PyObject *args);

/* survey.c. */
extern const char hasten_slots_survey_doc[];
PyObject *hasten_slots_survey(PyObject *module, PyObject *unused);

#endif
