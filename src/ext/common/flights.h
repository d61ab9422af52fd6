/* SPDX-License-Identifier: MIT
 *
 * Computations that are going on, so that a thread that wants what another computes waits
 * for it. What is computed is told by a key, whatever that is, compared by its address.
 *
 * A thread that would wait for itself does not: neither for what it computes, nor for
 * another thread that waits, however indirectly, for what it computes. It computes too,
 * as it would without any of this, rather than hang.
 *
 * A registry belongs to an interpreter and is guarded by its GIL; where threads run free,
 * by a lock of its own, which is never held while waiting. */
#ifndef HASTEN_EXT_COMMON_FLIGHTS_H
#define HASTEN_EXT_COMMON_FLIGHTS_H

#include "ext/common/pycompat.h"

struct hasten_py_flight {
    struct hasten_py_flight *next;
    const void *scope; /* who computes, a function or a property */
    const void *key;   /* what: in a scope, an address that is not reused while it lasts */
    unsigned long owner;
    unsigned generation; /* of the process: how often it is a child of fork() */
    size_t holders;      /* its owner and those who wait */
    PyObject *failure;   /* for those who wait: see hasten_py_flight_fail(); or NULL */
    PyThread_type_lock lock;
};

struct hasten_py_wait {
    struct hasten_py_wait *next;
    unsigned long thread;
    const struct hasten_py_flight *flight;
    struct hasten_py_wait *pending; /* in a search for who waits for whom: to be followed */
    bool is_seen;
};

struct hasten_py_flights {
    struct hasten_py_flight *flights;
    struct hasten_py_flight *spare; /* one that landed, for the next: a lock costs to make */
    struct hasten_py_wait *waits;
    unsigned generation;
    PyThread_type_lock lock; /* NULL where a GIL guards */
};

int hasten_py_flights_init(struct hasten_py_flights *flights);
void hasten_py_flights_done(struct hasten_py_flights *flights);
/* In a child of fork(): forgets what other threads computed. */
void hasten_py_flights_forked(struct hasten_py_flights *flights);

enum hasten_py_boarding {
    HASTEN_PY_BOARDING_FAILED = -1, /* an exception is set */
    HASTEN_PY_LANDED = 0,           /* another thread computed it, or tried: look again */
    HASTEN_PY_FLIES = 1,            /* compute it, then call _end */
    HASTEN_PY_ALONE = 2,            /* compute it without telling others */
};

/* Waits where another thread computes the same. `*ret_flight` is set where it is the
 * caller that computes, `*ret_failure` to a new reference where the other failed and says
 * so; unless `ret_failure` is NULL. */
enum hasten_py_boarding hasten_py_flights_begin(struct hasten_py_flights *flights,
                                                const void *scope, const void *key,
                                                struct hasten_py_flight **ret_flight,
                                                PyObject **ret_failure);
/* Does not wait: HASTEN_PY_LANDED where another computes it. */
enum hasten_py_boarding hasten_py_flights_try(struct hasten_py_flights *flights, const void *scope,
                                              const void *key,
                                              struct hasten_py_flight **ret_flight);
/* The exception that is set, and stays so, becomes that of those who wait, where it is an
 * Exception: those that end a thread or the program are for nobody else. To be called by the
 * owner before _end. */
void hasten_py_flight_fail(struct hasten_py_flight *flight);
/* Raises what that noted, with the traceback that it had then. */
void hasten_py_flight_raise(PyObject *failure);
void hasten_py_flights_end(struct hasten_py_flights *flights, struct hasten_py_flight *flight);

#endif
