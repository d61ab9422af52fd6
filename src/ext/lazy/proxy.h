/* SPDX-License-Identifier: MIT
 *
 * A lazy object: stands for another, which a factory makes when it is first used. proxy.c
 * has the type, resolving.c how the object is made once, attributes.c whose attribute a
 * name is; operators.c, protocols.c and specials.c hand on everything else.
 *
 * Whoever uses the object holds it meanwhile: the program may put another in its place.
 * Where a lazy object stands for a lazy object, what is held is the last of them, so that
 * no chain of them, however long, is walked by recursion. Only objects of subclasses, which
 * may have methods of their own, are entered one by one, within the interpreter's limit. */
#ifndef HASTEN_EXT_LAZY_PROXY_H
#define HASTEN_EXT_LAZY_PROXY_H

#include "ext/common/pycompat.h"

/* Not put into its caller. */
#define HASTEN_PY_APART __attribute__((noinline))

struct hasten_py_proxy {
    PyObject_HEAD vectorcallfunc call;
    PyObject *wrapped; /* NULL: not made yet */
    PyObject *factory; /* NULL: nobody said what makes it */
    PyObject *weakrefs;
};

/* What the type is made of, by file. */
extern const PyType_Slot hasten_py_operator_slots[];
extern const PyType_Slot hasten_py_protocol_slots[];
extern PyMethodDef hasten_py_proxy_methods[];

/* The type, of a module. */
PyObject *hasten_py_proxy_type_new(PyObject *module);

void hasten_py_proxy_dealloc(PyObject *self);
/* For types that add to it. */
PyObject *hasten_py_proxy_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);
int hasten_py_proxy_traverse(PyObject *self, visitproc visit, void *arg);
int hasten_py_proxy_clear(PyObject *self);
PyObject *hasten_py_proxy_getattro(PyObject *self, PyObject *name);
int hasten_py_proxy_setattro(PyObject *self, PyObject *name, PyObject *value);

/* Whether it has all of its methods from here. */
static inline bool hasten_py_proxy_is_plain(PyObject *object) {
    return Py_TYPE(object)->tp_dealloc == hasten_py_proxy_dealloc;
}

static inline bool hasten_py_is_proxy(PyObject *object) {
    const PyTypeObject *type = Py_TYPE(object);
    while (type != NULL && type->tp_dealloc != hasten_py_proxy_dealloc) {
        type = type->tp_base;
    }
    return type != NULL;
}

/* The object it stands for, which may be lazy itself: a new reference, NULL with an
 * exception set. Makes it where there is none yet. */
PyObject *hasten_py_proxy_obtain(PyObject *self);
/* The same without making it: NULL without an exception. */
PyObject *hasten_py_proxy_peek(PyObject *self);
/* What is at the end of a chain that begins with `object`, lazy or not, whatever the types in
 * between: a new reference, NULL with an exception set. */
PyObject *hasten_py_proxy_last(PyObject *object);
/* What it stands for from now on; NULL: it is to be made again. 0, or -1 with an exception
 * set where it would stand for itself. */
int hasten_py_proxy_store(PyObject *self, PyObject *value);
/* A lazy object of the same type for which there is nothing left to make. */
PyObject *hasten_py_proxy_around(PyObject *self, PyObject *value);

/* What is done with an object that another thread or the operation itself may let go of
 * meanwhile. `object` is NULL where there is an exception. */
struct hasten_py_held {
    PyObject *object;
    bool is_entered; /* counted as a call, for the limit on recursion */
};

struct hasten_py_held hasten_py_proxy_hold_slowly(PyObject *self);
PyObject *hasten_py_proxy_call(PyObject *self, PyObject *const *arguments, size_t flags,
                               PyObject *names);

/* Calls of an object that is there. That it is this function says so, too: of no subclass,
 * made, and not lazy itself. */
PyObject *hasten_py_proxy_call_ready(PyObject *self, PyObject *const *arguments, size_t flags,
                                     PyObject *names);

static inline bool hasten_py_proxy_is_ready(PyObject *self) {
#ifdef Py_GIL_DISABLED
    (void)self;
    return false; /* another thread may let go of the object before it is held */
#else
    return ((struct hasten_py_proxy *)self)->call == hasten_py_proxy_call_ready;
#endif
}

/* The object where it is ready: borrowed, for what runs no code of the program. */
static inline PyObject *hasten_py_proxy_glance(PyObject *self) {
    return ((struct hasten_py_proxy *)self)->wrapped;
}

/* The last object of a chain. */
static inline struct hasten_py_held hasten_py_proxy_hold(PyObject *self) {
    if (hasten_py_proxy_is_ready(self)) {
        const struct hasten_py_held held = {Py_NewRef(((struct hasten_py_proxy *)self)->wrapped),
                                            false};
        return held;
    }
    return hasten_py_proxy_hold_slowly(self);
}

/* The same of what may be lazy or not. */
static inline struct hasten_py_held hasten_py_operand_hold(PyObject *object) {
    /* Types that are in a library, as the interpreter's are, are not ours. */
    if (PyType_HasFeature(Py_TYPE(object), Py_TPFLAGS_HEAPTYPE) && hasten_py_is_proxy(object)) {
        return hasten_py_proxy_hold(object);
    }
    const struct hasten_py_held held = {Py_NewRef(object), false};
    return held;
}

static inline void hasten_py_release(struct hasten_py_held held) {
    Py_XDECREF(held.object);
    if (held.is_entered) {
        Py_LeaveRecursiveCall();
    }
}

/* Hands a function of one argument on. */
static inline PyObject *hasten_py_proxy_pass(PyObject *self, PyObject *(*function)(PyObject *)) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    PyObject *answer = held.object == NULL ? NULL : function(held.object);
    hasten_py_release(held);
    return answer;
}

#endif
