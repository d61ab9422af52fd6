/* SPDX-License-Identifier: MIT
 *
 * The object that stands for a function whose results are kept by other rules than the
 * standard module's: a policy, sizes, an end, a key of the program's choice. managed.c
 * has the type, managed_calls.c what a call does, managed_awaited.c what a call of an async
 * function is made of. */
#ifndef HASTEN_EXT_FUNCTOOLS_MANAGED_H
#define HASTEN_EXT_FUNCTOOLS_MANAGED_H

#include "ext/common/flights.h"
#include "ext/functools/owner.h"
#include "ext/functools/shared.h"
#include "ext/functools/store.h"

struct hasten_py_managed {
    PyObject_HEAD vectorcallfunc vectorcall;
    struct hasten_py_store store;
    struct hasten_py_flights *flights; /* the module's */
    PyObject *module;                  /* keeps it */
    PyObject *function;
    PyObject *info_type;
    PyObject *stats_type;
    /* NULL where they were not given: */
    PyObject *key;
    PyObject *weigh;
    PyObject *copy;
    PyObject *on_evict;
    PyObject *failures; /* types of exceptions that are kept */
    PyObject *front;    /* of async methods: called with this object first, in its place */
    PyObject *flying;   /* of async functions: the same type, keeps what goes on */
    bool is_single_flight;
    bool shares_failures; /* with those who wait for the computation that failed */
    uint64_t waits;       /* calls that found what they had waited for */
    uint64_t computed_ns; /* what all computations took */
    uint64_t computations;
    Py_ssize_t maxsize; /* -1: no limit */
    PyObject *dict;
    PyObject *weakrefs;
    struct hasten_py_owner owner;
    /* What it computes are leases of these; NULL where results are this process's own. */
    struct hasten_py_leases *leases;
};

extern PyType_Spec hasten_py_managed_spec;

PyObject *hasten_py_call_managed(PyObject *callable, PyObject *const *arguments, size_t nargsf,
                                 PyObject *names);
PyObject *hasten_py_call_awaited(PyObject *callable, PyObject *const *arguments, size_t nargsf,
                                 PyObject *names);

/* A call with the key that it was made of, where a function makes keys. */
struct hasten_py_keyed {
    struct hasten_py_call call;
    PyObject *key; /* owned */
};

/* Describes a call by its arguments, those that tell an owner left out. False with an
 * exception set. */
static inline bool hasten_py_managed_describe_plain(const struct hasten_py_managed *self,
                                                    struct hasten_py_call *ret_call,
                                                    PyObject *const *arguments, size_t count,
                                                    PyObject *names) {
    return names == NULL && count == 1 && !self->store.results.is_typed
               ? hasten_py_call_one(ret_call, arguments)
               : hasten_py_call_any(ret_call, arguments, count, names);
}

/* Describes a call, by its key where a function makes keys. False with an exception set. */
bool hasten_py_managed_describe(struct hasten_py_managed *self, struct hasten_py_keyed *ret_keyed,
                                PyObject *const *arguments, size_t nargsf, PyObject *names);
/* Looks up; a new reference to a fresh or stale value. */
enum hasten_py_found hasten_py_managed_find(struct hasten_py_managed *self,
                                            const struct hasten_py_call *call, PyObject **ret_value,
                                            bool *ret_is_failure);
/* A new reference to what the caller gets, for a value that is kept: the failure raised,
 * or the value, or a copy. Takes the reference to `value`. */
PyObject *hasten_py_managed_hand_out(struct hasten_py_managed *self, PyObject *value,
                                     bool is_failure);
/* False with an exception set. */
bool hasten_py_managed_keep(struct hasten_py_managed *self, const struct hasten_py_call *call,
                            PyObject *value, bool is_failure);
/* Counts a computation. */
void hasten_py_managed_computed(struct hasten_py_managed *self, uint64_t took_ns);
/* Forgets the result of one call, where it is `only` unless that is NULL: 1 where there was
 * one, 0, or -1 with an exception set. */
int hasten_py_managed_forget(struct hasten_py_managed *self, const struct hasten_py_call *call,
                             const PyObject *only);

#endif
