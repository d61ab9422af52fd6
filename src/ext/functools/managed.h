/* SPDX-License-Identifier: MIT
 *
 * The object that stands for a function whose results are kept by other rules than the
 * standard module's: a policy, sizes, an end, a key of the program's choice. managed.c
 * has the type, managed_calls.c what a call does. */
#ifndef HASTEN_EXT_FUNCTOOLS_MANAGED_H
#define HASTEN_EXT_FUNCTOOLS_MANAGED_H

#include "ext/functools/flights.h"
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
    PyObject *failures;     /* types of exceptions that are kept */
    int64_t failure_ttl_ns; /* for so long */
    bool is_single_flight;
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
/* Forgets what one call would answer: 1 where there was something, 0, or -1 with an
 * exception set. */
int hasten_py_managed_discard(struct hasten_py_managed *self, PyObject *const *arguments,
                              size_t nargsf, PyObject *names);

#endif
