/* SPDX-License-Identifier: MIT */
#include "ext/functools/flights.h"

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

/* Whether the flight lands only after what the thread computes. */
static bool waits_for(const struct hasten_py_flights *flights,
                      const struct hasten_py_flight *flight, unsigned long thread) {
    while (flight != NULL && flight->owner != thread) {
        const struct hasten_py_wait *wait = flights->waits;
        while (wait != NULL && wait->thread != flight->owner) {
            wait = wait->next;
        }
        flight = wait == NULL ? NULL : wait->flight;
    }
    return flight != NULL;
}

static void drop(struct hasten_py_flights *flights, struct hasten_py_flight *flight) {
    if (--flight->holders == 0) {
        flight_free(flights->spare);
        flights->spare = flight;
    }
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

/* Until it has landed, or a signal's handler raised: then -1. */
static int wait_for(struct hasten_py_flights *flights, struct hasten_py_flight *flight) {
    struct hasten_py_wait wait = {flights->waits, PyThread_get_thread_ident(), flight};
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
    drop(flights, flight);
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
                                                struct hasten_py_flight **ret_flight) {
    enum hasten_py_boarding boarding = HASTEN_PY_BOARDING_FAILED;
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
    } else if (wait_for(flights, flight) == 0) {
        boarding = HASTEN_PY_LANDED;
    }
    unlock(flights);
    return boarding;
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
    drop(flights, flight);
    unlock(flights);
}
