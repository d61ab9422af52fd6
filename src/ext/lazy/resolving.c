/* SPDX-License-Identifier: MIT
 *
 * How the object is made: once, whoever asks for it at the same time. Those who come while
 * a thread makes it wait; where its factory fails, it alone has the exception, and the next
 * of them tries. A factory that needs what it is to make would wait for ever, and has an
 * exception instead, also where it waits for another thread that waits for it. */
#include "ext/lazy/module.h"
#include "ext/lazy/proxy.h"
#include "ext/lazy/resource.h"

enum {
    /* A circle of lazy objects is refused where it would be closed, if it is that short: */
    CIRCLE_LIMIT = 100,
    /* any other is found when it is used. No chain is that long. */
    CHAIN_LIMIT = 1000000,
};

static struct hasten_py_proxy *proxy_of(PyObject *self) {
    return (struct hasten_py_proxy *)self;
}

PyObject *hasten_py_proxy_peek(PyObject *self) {
    PyObject *wrapped = NULL;
    HASTEN_PY_BEGIN_LOCKED(self);
    wrapped = Py_XNewRef(proxy_of(self)->wrapped);
    HASTEN_PY_END_LOCKED();
    return wrapped;
}

/* Whether a chain that begins with `value` soon comes to `self`. */
static bool leads_to(PyObject *value, PyObject *self) {
    PyObject *at = Py_NewRef(value);
    for (int steps = 0; at != NULL && at != self && steps < CIRCLE_LIMIT; steps++) {
        PyObject *next = hasten_py_is_proxy(at) ? hasten_py_proxy_peek(at) : NULL;
        Py_SETREF(at, next);
    }
    const bool is_found = at == self;
    Py_XDECREF(at);
    return is_found;
}

int hasten_py_proxy_store(PyObject *self, PyObject *value) {
    if (value != NULL && hasten_py_is_proxy(value) && leads_to(value, self)) {
        PyErr_SetString(PyExc_ValueError, "a lazy object cannot stand for itself");
        return -1;
    }
    bool is_ready = false;
#ifndef Py_GIL_DISABLED
    is_ready = value != NULL && hasten_py_proxy_is_plain(self) && !hasten_py_proxy_is_plain(value);
#endif
    PyObject *old = NULL;
    HASTEN_PY_BEGIN_LOCKED(self);
    old = proxy_of(self)->wrapped;
    proxy_of(self)->wrapped = Py_XNewRef(value);
    proxy_of(self)->call = is_ready ? hasten_py_proxy_call_ready : hasten_py_proxy_call;
    HASTEN_PY_END_LOCKED();
    Py_XDECREF(old);
    return 0;
}

static PyObject *make(const struct hasten_py_lazy *state, PyObject *self) {
    if (PyType_IsSubtype(Py_TYPE(self), state->resource_type) &&
        hasten_py_resource_may_open(self) < 0) {
        return NULL;
    }
    PyObject *factory = NULL;
    HASTEN_PY_BEGIN_LOCKED(self);
    factory = Py_XNewRef(proxy_of(self)->factory);
    HASTEN_PY_END_LOCKED();
    if (factory == NULL) {
        PyErr_Format(PyExc_ValueError, "%s has no __factory__ and no __wrapped__",
                     Py_TYPE(self)->tp_name);
        return NULL;
    }
    PyObject *value = PyObject_CallNoArgs(factory);
    Py_DECREF(factory);
    if (value != NULL && hasten_py_proxy_store(self, value) < 0) {
        Py_CLEAR(value);
    }
    return value;
}

static PyObject *resolve(PyObject *self) {
    struct hasten_py_lazy *state = hasten_py_lazy_of(Py_TYPE(self));
    if (state == NULL) {
        return NULL;
    }
    for (;;) {
        struct hasten_py_flight *flight = NULL;
        const enum hasten_py_boarding boarding =
            hasten_py_flights_begin(&state->flights, NULL, self, &flight, NULL);
        if (boarding == HASTEN_PY_ALONE) {
            PyErr_Format(PyExc_RuntimeError,
                         "the factory of %s needs the object that it is to make",
                         Py_TYPE(self)->tp_name);
        }
        if (boarding == HASTEN_PY_ALONE || boarding == HASTEN_PY_BOARDING_FAILED) {
            return NULL;
        }
        /* Another thread may have made it since. */
        PyObject *wrapped = hasten_py_proxy_peek(self);
        if (flight != NULL) {
            if (wrapped == NULL) {
                wrapped = make(state, self);
            }
            hasten_py_flights_end(&state->flights, flight);
            return wrapped;
        }
        if (wrapped != NULL) {
            return wrapped;
        }
    }
}

PyObject *hasten_py_proxy_obtain(PyObject *self) {
    PyObject *wrapped = hasten_py_proxy_peek(self);
    return wrapped != NULL ? wrapped : resolve(self);
}

static void complain_of_circle(void) {
    PyErr_SetString(PyExc_RecursionError, "lazy objects stand for each other");
}

PyObject *hasten_py_proxy_last(PyObject *object) {
    Py_INCREF(object);
    for (int steps = 0; object != NULL && hasten_py_is_proxy(object); steps++) {
        PyObject *next = NULL;
        if (steps < CHAIN_LIMIT) {
            next = hasten_py_proxy_obtain(object);
        } else {
            complain_of_circle();
        }
        Py_SETREF(object, next);
    }
    return object;
}

struct hasten_py_held hasten_py_proxy_hold_slowly(PyObject *self) {
    struct hasten_py_held held = {NULL, !hasten_py_proxy_is_plain(self)};
    if (held.is_entered && Py_EnterRecursiveCall(" while a lazy object is used")) {
        held.is_entered = false;
        return held;
    }
    held.object = hasten_py_proxy_obtain(self);
    for (int steps = 0; held.object != NULL && hasten_py_proxy_is_plain(held.object); steps++) {
        PyObject *next = NULL;
        if (steps < CHAIN_LIMIT) {
            next = hasten_py_proxy_obtain(held.object);
        } else {
            complain_of_circle();
        }
        Py_SETREF(held.object, next);
    }
    if (held.object == NULL && held.is_entered) {
        Py_LeaveRecursiveCall();
        held.is_entered = false;
    }
    return held;
}
