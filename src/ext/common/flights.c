/* SPDX-License-Identifier: MIT */
#include "ext/common/flights.h"

int hasten_py_flights_init(struct hasten_py_flights *flights) {
    *flights = (struct hasten_py_flights){0};
#ifdef Py_GIL_DISABLED
    flights->lock = PyThread_allocate_lock();
    if (flights->lock == NULL) {
        PyErr_NoMemory();
        return -1;
    }
#endif
    return 0;
}

static void flight_free(struct hasten_py_flight *flight) {
    if (flight != NULL) {
        PyThread_free_lock(flight->lock);
        PyMem_RawFree(flight);
    }
}

void hasten_py_flights_done(struct hasten_py_flights *flights) {
    flight_free(flights->spare);
    flights->spare = NULL;
    if (flights->lock != NULL) {
        PyThread_free_lock(flights->lock);
        flights->lock = NULL;
    }
}

static void lock(struct hasten_py_flights *flights) {
    if (flights->lock != NULL) {
        PyThread_acquire_lock(flights->lock, WAIT_LOCK);
    }
}

static void unlock(struct hasten_py_flights *flights) {
    if (flights->lock != NULL) {
        PyThread_release_lock(flights->lock);
    }
}

void hasten_py_flights_forked(struct hasten_py_flights *flights) {
    /* Another thread may have had it, and does not exist. */
    if (flights->lock != NULL) {
        flights->lock = PyThread_allocate_lock();
    }
    flights->generation++;
    flights->waits = NULL;
    struct hasten_py_flight **place = &flights->flights;
    while (*place != NULL) {
        if ((*place)->owner != PyThread_get_thread_ident()) {
            /* Its block stays: a thread that waits may yet run a signal's handler. */
            *place = (*place)->next;
        } else {
            (*place)->generation = flights->generation;
            (*place)->holders = 1;
            place = &(*place)->next;
        }
    }
}

static struct hasten_py_flight *find(const struct hasten_py_flights *flights, const void *scope,
                                     const void *key) {
    struct hasten_py_flight *flight = flights->flights;
    while (flight != NULL && (flight->key != key || flight->scope != scope)) {
        flight = flight->next;
    }
    return flight;
}

/* Whether the flight lands only after what the thread computes. A thread waits for several
 * where a signal's handler waits within a wait: it goes on when all have landed. */
static bool waits_for(const struct hasten_py_flights *flights,
                      const struct hasten_py_flight *flight, unsigned long thread) {
    for (struct hasten_py_wait *wait = flights->waits; wait != NULL; wait = wait->next) {
        wait->is_seen = false;
    }
    struct hasten_py_wait *pending = NULL;
    unsigned long owner = flight->owner;
    while (owner != thread) {
        for (struct hasten_py_wait *wait = flights->waits; wait != NULL; wait = wait->next) {
            if (wait->thread == owner && !wait->is_seen) {
                wait->is_seen = true;
                wait->pending = pending;
                pending = wait;
            }
        }
        if (pending == NULL) {
            return false;
        }
        owner = pending->flight->owner;
        pending = pending->pending;
    }
    return true;
}

/* Answers a reference that is to be dropped when nothing is locked, or NULL. */
static PyObject *drop(struct hasten_py_flights *flights, struct hasten_py_flight *flight) {
    if (--flight->holders != 0) {
        return NULL;
    }
    PyObject *failure = flight->failure;
    flight->failure = NULL;
    flight_free(flights->spare);
    flights->spare = flight;
    return failure;
}

static struct hasten_py_flight *flight_new(struct hasten_py_flights *flights) {
    struct hasten_py_flight *flight = flights->spare;
    flights->spare = NULL;
    if (flight == NULL) {
        flight = PyMem_RawCalloc(1, sizeof(*flight));
        PyThread_type_lock made = PyThread_allocate_lock();
        if (flight == NULL || made == NULL) {
            PyMem_RawFree(flight);
            if (made != NULL) {
                PyThread_free_lock(made);
            }
            PyErr_NoMemory();
            return NULL;
        }
        flight->lock = made;
    }
    PyThread_acquire_lock(flight->lock, NOWAIT_LOCK);
    return flight;
}

static struct hasten_py_flight *start(struct hasten_py_flights *flights, const void *scope,
                                      const void *key) {
    struct hasten_py_flight *flight = flight_new(flights);
    if (flight != NULL) {
        flight->scope = scope;
        flight->key = key;
        flight->owner = PyThread_get_thread_ident();
        flight->generation = flights->generation;
        flight->holders = 1;
        flight->next = flights->flights;
        flights->flights = flight;
    }
    return flight;
}

/* Until it has landed, or a signal's handler raised: then -1. `*ret_garbage` is for the
 * caller to drop. */
static int wait_for(struct hasten_py_flights *flights, struct hasten_py_flight *flight,
                    PyObject **ret_failure, PyObject **ret_garbage) {
    struct hasten_py_wait wait = {
        .next = flights->waits, .thread = PyThread_get_thread_ident(), .flight = flight};
    flights->waits = &wait;
    flight->holders++;
    unlock(flights);
    int answer = 0;
    PyLockStatus status = PY_LOCK_INTR;
    while (status == PY_LOCK_INTR && answer == 0) {
        Py_BEGIN_ALLOW_THREADS status = PyThread_acquire_lock_timed(flight->lock, -1, 1);
        Py_END_ALLOW_THREADS if (status == PY_LOCK_INTR) {
            answer = PyErr_CheckSignals();
            if (flights->generation != flight->generation) {
                break; /* the handler forked: nobody is there to land */
            }
        }
    }
    if (status == PY_LOCK_ACQUIRED) {
        PyThread_release_lock(flight->lock);
    }
    lock(flights);
    struct hasten_py_wait **place = &flights->waits;
    while (*place != NULL && *place != &wait) {
        place = &(*place)->next;
    }
    if (*place != NULL) {
        *place = wait.next;
    }
    if (answer == 0 && ret_failure != NULL) {
        *ret_failure = Py_XNewRef(flight->failure);
    }
    *ret_garbage = drop(flights, flight);
    return answer;
}

enum hasten_py_boarding hasten_py_flights_try(struct hasten_py_flights *flights, const void *scope,
                                              const void *key,
                                              struct hasten_py_flight **ret_flight) {
    enum hasten_py_boarding boarding = HASTEN_PY_LANDED;
    lock(flights);
    if (find(flights, scope, key) == NULL) {
        *ret_flight = start(flights, scope, key);
        boarding = *ret_flight == NULL ? HASTEN_PY_BOARDING_FAILED : HASTEN_PY_FLIES;
    }
    unlock(flights);
    return boarding;
}

enum hasten_py_boarding hasten_py_flights_begin(struct hasten_py_flights *flights,
                                                const void *scope, const void *key,
                                                struct hasten_py_flight **ret_flight,
                                                PyObject **ret_failure) {
    enum hasten_py_boarding boarding = HASTEN_PY_BOARDING_FAILED;
    PyObject *garbage = NULL;
    lock(flights);
    struct hasten_py_flight *flight = find(flights, scope, key);
    if (flight == NULL) {
        flight = start(flights, scope, key);
        if (flight != NULL) {
            *ret_flight = flight;
            boarding = HASTEN_PY_FLIES;
        }
    } else if (waits_for(flights, flight, PyThread_get_thread_ident())) {
        boarding = HASTEN_PY_ALONE;
    } else if (wait_for(flights, flight, ret_failure, &garbage) == 0) {
        boarding = HASTEN_PY_LANDED;
    }
    unlock(flights);
    Py_XDECREF(garbage);
    return boarding;
}

void hasten_py_flight_fail(struct hasten_py_flight *flight) {
    if (!PyErr_ExceptionMatches(PyExc_Exception)) {
        return;
    }
    struct hasten_py_exception exception = hasten_py_exception_take();
    hasten_py_exception_normalize(&exception);
    PyObject *traceback = PyException_GetTraceback(exception.value);
    flight->failure = PyTuple_Pack(2, exception.value, traceback == NULL ? Py_None : traceback);
    if (flight->failure == NULL) {
        PyErr_Clear(); /* then the next one computes */
    }
    Py_XDECREF(traceback);
    hasten_py_exception_put(exception);
}

void hasten_py_flight_raise(PyObject *failure) {
    PyObject *exception = PyTuple_GET_ITEM(failure, 0);
    (void)PyException_SetTraceback(exception, PyTuple_GET_ITEM(failure, 1));
    PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
}

void hasten_py_flights_end(struct hasten_py_flights *flights, struct hasten_py_flight *flight) {
    lock(flights);
    struct hasten_py_flight **place = &flights->flights;
    while (*place != NULL && *place != flight) {
        place = &(*place)->next;
    }
    if (*place != NULL) {
        *place = flight->next;
    }
    PyThread_release_lock(flight->lock);
    PyObject *garbage = drop(flights, flight);
    unlock(flights);
    Py_XDECREF(garbage);
}
