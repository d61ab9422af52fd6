/* SPDX-License-Identifier: MIT
 *
 * Whose the results are, where they are of a method's calls on one instance. They are an
 * attribute of the instance and must not keep it alive, so they only know it again: a copy
 * of the instance has the same attribute and must not be given the original's results. */
#ifndef HASTEN_EXT_FUNCTOOLS_OWNER_H
#define HASTEN_EXT_FUNCTOOLS_OWNER_H

#include "ext/functools/function.h"

struct hasten_py_owner {
    /* How many arguments of a call say whose results are meant, and not which: 1, or 0
     * where they are nobody's in particular. */
    Py_ssize_t arguments;
    const PyObject *instance; /* its address */
    PyObject *reference;      /* a weak one, so that another at this address is told apart;
                               * NULL where the instance can have none */
    PyObject *next; /* the cached function of another method of the same instance, which is
                     * kept in the same place: an owned reference, or NULL */
};

static inline bool hasten_py_owner_is(const struct hasten_py_owner *owner,
                                      const PyObject *instance) {
    return owner->instance == instance &&
           (owner->reference == NULL ||
            ((PyWeakReference *)owner->reference)->wr_object == instance);
}

/* Whether it is a call whose result may be one of these. The cached function of one
 * instance can be called on another: copy.deepcopy() of a bound method makes such. */
static inline bool hasten_py_owner_is_called(const struct hasten_py_owner *owner,
                                             PyObject *const *arguments, size_t nargsf) {
    return owner->arguments == 0 ||
           (PyVectorcall_NARGS(nargsf) > 0 && hasten_py_owner_is(owner, arguments[0]));
}

/* Answers 0, or -1 with an exception set. */
static inline int hasten_py_owner_set(struct hasten_py_owner *owner, PyObject *instance) {
    PyObject *reference = PyWeakref_NewRef(instance, NULL);
    if (reference == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) {
            return -1;
        }
        PyErr_Clear();
    }
    owner->arguments = 1;
    owner->instance = instance;
    Py_XSETREF(owner->reference, reference);
    return 0;
}

/* What reducing such results for pickle answers: without them, None in their place. */
static inline PyObject *hasten_py_owner_reduce(const struct hasten_py_owner *owner,
                                               PyObject *function) {
    return owner->arguments != 0 ? Py_BuildValue("(O())", (PyObject *)Py_TYPE(Py_None))
                                 : hasten_py_function_reduce(function, NULL);
}

static inline int hasten_py_owner_visit(const struct hasten_py_owner *owner, visitproc visit,
                                        void *arg) {
    Py_VISIT(owner->reference);
    Py_VISIT(owner->next);
    return 0;
}

static inline void hasten_py_owner_clear(struct hasten_py_owner *owner) {
    Py_CLEAR(owner->reference);
    Py_CLEAR(owner->next);
}

#endif
