/* SPDX-License-Identifier: MIT
 *
 * What is kept of results that a server has for many processes. Such a result is held by
 * a *lease*, which says for how long it may be believed: until a message about its key
 * comes, or all that is known of the server is in doubt. A lease is announced before the
 * server is asked, and only then filled and kept, so that a message that comes meanwhile
 * ends it all the same: what arrives too late is kept as something already over.
 *
 * hasten._shared is who asks the server and hears of messages. The leases of one cached
 * function are a *table*, by key. The table does not own them: whoever holds one does,
 * the store or a call that is going on, and a lease that goes takes itself out. */
#ifndef HASTEN_EXT_FUNCTOOLS_SHARED_H
#define HASTEN_EXT_FUNCTOOLS_SHARED_H

#include <stdatomic.h>
#include <time.h>

#include "ext/functools/store.h"

struct hasten_py_managed;

struct hasten_py_leases {
    PyObject_HEAD struct hasten_cache_table table;
    /* Leases of another one are over. At least 1. */
    _Atomic uint64_t epoch;
    struct hasten_py_managed *keeper; /* whose results they are; NULL until it is made */
};

struct hasten_py_lease {
    PyObject_HEAD struct hasten_cache_entry entry;
    struct hasten_py_leases *leases;
    PyObject *key;    /* bytes */
    PyObject *value;  /* NULL until it is set */
    int64_t end_ns;   /* by its own clock; INT64_MAX: when the store says */
    int64_t stale_ns; /* for how long after that it may be served */
    uint32_t tag;     /* of the call that keeps it */
    bool is_kept;
    _Atomic uint64_t epoch; /* 0: over */
};

extern PyType_Spec hasten_py_leases_spec;
extern PyType_Spec hasten_py_lease_spec;

/* Of the clock that leases end by: cheap, and up to 10 ms late. */
static inline int64_t hasten_py_lease_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline bool hasten_py_lease_is_alive(const struct hasten_py_lease *lease) {
    return atomic_load_explicit(&lease->epoch, memory_order_relaxed) ==
           atomic_load_explicit(&lease->leases->epoch, memory_order_relaxed);
}

/* What looking up found, by what is known of the lease that is the result's value: a new
 * reference to what it holds where that is fresh or stale. A result whose lease is over
 * is taken out. To be called with the function locked. */
static inline enum hasten_py_found hasten_py_lease_look(struct hasten_py_store *store,
                                                        struct hasten_py_result *result,
                                                        enum hasten_py_found found,
                                                        PyObject **ret_value,
                                                        struct hasten_py_garbage *garbage) {
    const struct hasten_py_lease *lease = (const struct hasten_py_lease *)result->value;
    if (hasten_py_lease_is_alive(lease)) {
        if (lease->end_ns == INT64_MAX) {
            *ret_value = Py_NewRef(lease->value);
            return found;
        }
        const int64_t over_ns = hasten_py_lease_now() - lease->end_ns;
        if (over_ns < lease->stale_ns) {
            *ret_value = Py_NewRef(lease->value);
            return over_ns < 0 ? found : HASTEN_PY_STALE;
        }
    }
    hasten_py_kept_of(result)->is_untold = true;
    hasten_py_store_take_out(store, result, garbage);
    return HASTEN_PY_ABSENT;
}

/* What a function computed, which a store is about to keep for a call with this tag.
 * Answers whether it may be kept; sets an exception where it is no lease of the
 * function's that holds something. */
bool hasten_py_lease_keep(struct hasten_py_leases *leases, PyObject *value, uint32_t tag);
/* A new reference to what a lease holds, for the reference to the lease. */
PyObject *hasten_py_lease_open(PyObject *lease);

#endif
