/* SPDX-License-Identifier: MIT
 *
 * What a call of a function does whose results are kept in a store. Code of the program
 * (key, clock, the function, weigh, copy, on_evict) runs with nothing locked. */
#include "ext/functools/managed.h"

#include "core/base/clock.h"

bool hasten_py_managed_describe(struct hasten_py_managed *self, struct hasten_py_keyed *ret_keyed,
                                PyObject *const *arguments, size_t nargsf, PyObject *names) {
    ret_keyed->key = NULL;
    const size_t count = (size_t)(PyVectorcall_NARGS(nargsf) - self->owner.arguments);
    arguments += self->owner.arguments;
    if (self->key == NULL) {
        return hasten_py_managed_describe_plain(self, &ret_keyed->call, arguments, count, names);
    }
    ret_keyed->key = PyObject_Vectorcall(self->key, arguments, count, names);
    if (ret_keyed->key == NULL || !hasten_py_call_any(&ret_keyed->call, &ret_keyed->key, 1, NULL)) {
        Py_CLEAR(ret_keyed->key);
        return false;
    }
    return true;
}

/* Computations are told by the tag of their arguments. Where two have the same, one may
 * wait for the other for nothing, and then computes. */
static const void *flight_key(const struct hasten_py_call *call) {
    return (const void *)(uintptr_t)call->tag; // NOLINT(performance-no-int-to-ptr)
}

PyObject *hasten_py_managed_hand_out(struct hasten_py_managed *self, PyObject *value,
                                     bool is_failure) {
    if (is_failure) {
        /* Else its traceback would grow each time. */
        (void)PyException_SetTraceback(value, Py_None);
        PyErr_SetObject((PyObject *)Py_TYPE(value), value);
        Py_DECREF(value);
        return NULL;
    }
    if (self->copy == NULL) {
        return value;
    }
    PyObject *copy = PyObject_CallOneArg(self->copy, value);
    Py_DECREF(value);
    return copy;
}

enum hasten_py_found hasten_py_managed_find(struct hasten_py_managed *self,
                                            const struct hasten_py_call *call, PyObject **ret_value,
                                            bool *ret_is_failure) {
    int64_t now_ns = 0;
    if (!hasten_py_store_now(&self->store, &now_ns)) {
        return HASTEN_PY_FOUND_ERROR;
    }
    struct hasten_py_garbage garbage;
    garbage.count = 0;
    garbage.chain = NULL;
    struct hasten_py_result *result = NULL;
    enum hasten_py_found found = HASTEN_PY_ABSENT;
    HASTEN_PY_BEGIN_LOCKED((PyObject *)self);
    found = hasten_py_store_find(&self->store, call, now_ns, &result, &garbage);
    if (found == HASTEN_PY_FRESH || found == HASTEN_PY_STALE) {
        *ret_is_failure = hasten_py_kept_of(result)->is_failure;
        if (self->leases == NULL || *ret_is_failure) {
            *ret_value = Py_NewRef(result->value);
        } else {
            found = hasten_py_lease_look(&self->store, result, found, ret_value, &garbage);
        }
        if (found == HASTEN_PY_FRESH) {
            hasten_py_store_hit(&self->store, result);
        }
    }
    HASTEN_PY_END_LOCKED();
    if (garbage.chain != NULL && hasten_py_store_tell(&self->store, self->on_evict, &garbage) < 0) {
        return HASTEN_PY_FOUND_ERROR;
    }
    return found;
}

bool hasten_py_managed_keep(struct hasten_py_managed *self, const struct hasten_py_call *call,
                            PyObject *value, bool is_failure) {
    uint64_t size = 1;
    int64_t now_ns = 0;
    if ((!is_failure && !hasten_py_weigh(self->weigh, value, &size)) ||
        !hasten_py_store_now(&self->store, &now_ns)) {
        return false;
    }
    struct hasten_py_garbage garbage = {.count = 0};
    bool is_kept = false;
    HASTEN_PY_BEGIN_LOCKED((PyObject *)self);
    is_kept = hasten_py_store_keep(&self->store, call, value, size, now_ns, is_failure, &garbage);
    HASTEN_PY_END_LOCKED();
    if (!is_kept) {
        const struct hasten_py_exception exception = hasten_py_exception_take();
        hasten_py_garbage_drop(&self->store.results, &garbage);
        hasten_py_exception_put(exception);
        return false;
    }
    return hasten_py_store_tell(&self->store, self->on_evict, &garbage) == 0;
}

/* The exception that is set is kept if it is of those, and stays set. */
static void keep_failure(struct hasten_py_managed *self, const struct hasten_py_call *call) {
    if (self->failures == NULL || !PyErr_ExceptionMatches(self->failures)) {
        return;
    }
    struct hasten_py_exception exception = hasten_py_exception_take();
    hasten_py_exception_normalize(&exception);
    if (!hasten_py_managed_keep(self, call, exception.value, true)) {
        PyErr_WriteUnraisable((PyObject *)self);
    }
    hasten_py_exception_put(exception);
}

void hasten_py_managed_computed(struct hasten_py_managed *self, uint64_t took_ns) {
    HASTEN_PY_BEGIN_LOCKED((PyObject *)self);
    self->store.misses++;
    self->computations++;
    self->computed_ns += took_ns;
    HASTEN_PY_END_LOCKED();
}

static PyObject *compute(struct hasten_py_managed *self, const struct hasten_py_call *call,
                         PyObject *const *arguments, size_t nargsf, PyObject *names) {
    const uint64_t begin_ns = hasten_clock_monotonic_ns();
    PyObject *value = hasten_py_call_function(self->function, arguments, nargsf, names);
    hasten_py_managed_computed(self, hasten_clock_monotonic_ns() - begin_ns);
    if (value == NULL) {
        keep_failure(self, call);
        return NULL;
    }
    const bool may_keep =
        self->leases == NULL || hasten_py_lease_keep(self->leases, value, call->tag);
    if (PyErr_Occurred() || (may_keep && !hasten_py_managed_keep(self, call, value, false))) {
        Py_DECREF(value);
        return NULL;
    }
    return hasten_py_managed_hand_out(
        self, self->leases == NULL ? value : hasten_py_lease_open(value), false);
}

/* One caller computes what is stale, the others have the old value. */
static PyObject *refresh(struct hasten_py_managed *self, const struct hasten_py_call *call,
                         PyObject *old, PyObject *const *arguments, size_t nargsf,
                         PyObject *names) {
    struct hasten_py_flight *flight = NULL;
    const enum hasten_py_boarding boarding =
        hasten_py_flights_try(self->flights, self, flight_key(call), &flight);
    if (boarding == HASTEN_PY_LANDED) {
        HASTEN_PY_BEGIN_LOCKED((PyObject *)self);
        self->store.stale_hits++;
        HASTEN_PY_END_LOCKED();
        return hasten_py_managed_hand_out(self, old, false);
    }
    Py_DECREF(old);
    if (boarding == HASTEN_PY_BOARDING_FAILED) {
        return NULL;
    }
    PyObject *value = compute(self, call, arguments, nargsf, names);
    hasten_py_flights_end(self->flights, flight);
    return value;
}

/* What another thread's computation raised is raised here too. Takes the reference. */
static PyObject *raise_shared(struct hasten_py_managed *self, PyObject *failure) {
    HASTEN_PY_BEGIN_LOCKED((PyObject *)self);
    self->waits++;
    self->store.hits++;
    HASTEN_PY_END_LOCKED();
    hasten_py_flight_raise(failure);
    Py_DECREF(failure);
    return NULL;
}

/* One caller computes, the others wait; each looks again before it computes. */
static PyObject *compute_single(struct hasten_py_managed *self, const struct hasten_py_call *call,
                                PyObject *const *arguments, size_t nargsf, PyObject *names) {
    for (;;) {
        struct hasten_py_flight *flight = NULL;
        PyObject *failure = NULL;
        const enum hasten_py_boarding boarding =
            hasten_py_flights_begin(self->flights, self, flight_key(call), &flight, &failure);
        if (boarding == HASTEN_PY_BOARDING_FAILED) {
            return NULL;
        }
        if (failure != NULL) {
            return raise_shared(self, failure);
        }
        PyObject *value = NULL;
        bool is_failure = false;
        enum hasten_py_found found = HASTEN_PY_ABSENT;
        if (boarding != HASTEN_PY_ALONE) {
            found = hasten_py_managed_find(self, call, &value, &is_failure);
        }
        if (found == HASTEN_PY_ABSENT && boarding != HASTEN_PY_LANDED) {
            value = compute(self, call, arguments, nargsf, names);
            if (value == NULL && flight != NULL && self->shares_failures) {
                hasten_py_flight_fail(flight);
            }
        } else if (found == HASTEN_PY_FRESH || found == HASTEN_PY_STALE) {
            HASTEN_PY_BEGIN_LOCKED((PyObject *)self);
            self->waits += boarding == HASTEN_PY_LANDED;
            HASTEN_PY_END_LOCKED();
            value = hasten_py_managed_hand_out(self, value, is_failure);
        }
        if (flight != NULL) {
            hasten_py_flights_end(self->flights, flight);
        }
        if (found != HASTEN_PY_ABSENT || boarding != HASTEN_PY_LANDED) {
            return value;
        }
    }
}

PyObject *hasten_py_call_managed(PyObject *callable, PyObject *const *arguments, size_t nargsf,
                                 PyObject *names) {
    struct hasten_py_managed *self = (struct hasten_py_managed *)callable;
    struct hasten_py_keyed keyed;
    if (!hasten_py_owner_is_called(&self->owner, arguments, nargsf)) {
        return hasten_py_call_function(self->function, arguments, nargsf, names);
    }
    if (!hasten_py_managed_describe(self, &keyed, arguments, nargsf, names)) {
        return NULL;
    }
    PyObject *value = NULL;
    bool is_failure = false;
    switch (hasten_py_managed_find(self, &keyed.call, &value, &is_failure)) {
    case HASTEN_PY_FRESH:
        value = self->copy == NULL && !is_failure
                    ? value
                    : hasten_py_managed_hand_out(self, value, is_failure);
        break;
    case HASTEN_PY_STALE:
        value = refresh(self, &keyed.call, value, arguments, nargsf, names);
        break;
    case HASTEN_PY_ABSENT:
        value = self->is_single_flight ? compute_single(self, &keyed.call, arguments, nargsf, names)
                                       : compute(self, &keyed.call, arguments, nargsf, names);
        break;
    default:
        Py_CLEAR(value);
        break;
    }
    Py_XDECREF(keyed.key);
    return value;
}

int hasten_py_managed_forget(struct hasten_py_managed *self, const struct hasten_py_call *call,
                             const PyObject *only) {
    struct hasten_py_garbage garbage = {.count = 0};
    struct hasten_py_result *result = NULL;
    enum hasten_py_outcome outcome = HASTEN_PY_OTHER;
    bool is_forgotten = false;
    HASTEN_PY_BEGIN_LOCKED((PyObject *)self);
    outcome = hasten_py_results_find(&self->store.results, call, &result);
    is_forgotten = outcome == HASTEN_PY_SAME && (only == NULL || result->value == only);
    if (is_forgotten) {
        hasten_py_store_take_out(&self->store, result, &garbage);
    }
    HASTEN_PY_END_LOCKED();
    hasten_py_garbage_drop(&self->store.results, &garbage);
    return outcome == HASTEN_PY_FAILED ? -1 : is_forgotten;
}
