/* SPDX-License-Identifier: MIT */
#include "ext/functools/managed_awaited.h"

/* More arguments are copied to the heap. */
#define FEW_ARGUMENTS 8

static struct hasten_py_managed *managed_of(PyObject *self) {
    return (struct hasten_py_managed *)self;
}

/* The front, called with the function's object before the arguments. */
PyObject *hasten_py_call_awaited(PyObject *callable, PyObject *const *arguments, size_t nargsf,
                                 PyObject *names) {
    struct hasten_py_managed *self = managed_of(callable);
    if (!hasten_py_owner_is_called(&self->owner, arguments, nargsf)) {
        return hasten_py_call_function(self->function, arguments, nargsf, names);
    }
    const size_t positional = (size_t)PyVectorcall_NARGS(nargsf);
    const size_t count = positional + (names == NULL ? 0 : (size_t)PyTuple_GET_SIZE(names));
    PyObject *few[FEW_ARGUMENTS];
    PyObject **all = count < FEW_ARGUMENTS ? few : PyMem_Malloc((count + 1) * sizeof(PyObject *));
    if (all == NULL) {
        return PyErr_NoMemory();
    }
    all[0] = callable;
    if (count > 0) {
        memcpy(all + 1, arguments, count * sizeof(PyObject *));
    }
    PyObject *front = Py_NewRef(self->front);
    PyObject *coroutine = PyObject_Vectorcall(front, all, positional + 1, names);
    Py_DECREF(front);
    if (all != few) {
        PyMem_Free(all);
    }
    return coroutine;
}

/* Describes the call that follows so many arguments. Where a function makes keys, it is the
 * key already. */
static bool describe_after(PyObject *object, struct hasten_py_call *ret_call,
                           PyObject *const *arguments, Py_ssize_t count, PyObject *names,
                           Py_ssize_t first) {
    const Py_ssize_t least = first + managed_of(object)->owner.arguments;
    if (count < least) {
        PyErr_Format(PyExc_TypeError, "at least %zd arguments were expected, not %zd", least,
                     count);
        return false;
    }
    arguments += least;
    count -= least;
    return managed_of(object)->key == NULL
               ? hasten_py_managed_describe_plain(managed_of(object), ret_call, arguments,
                                                  (size_t)count, names)
               : hasten_py_call_any(ret_call, arguments, (size_t)count, names);
}

/* A call that follows one argument, and what there is of it. */
struct look {
    struct hasten_py_call call;
    enum hasten_py_found found;
    PyObject *value; /* a reference where something was found; else NULL */
    bool is_failure;
};

static bool look_up(PyObject *object, struct look *ret_look, PyObject *const *arguments,
                    Py_ssize_t count, PyObject *names) {
    if (!describe_after(object, &ret_look->call, arguments, count, names, 1)) {
        return false;
    }
    ret_look->value = NULL;
    ret_look->is_failure = false;
    ret_look->found = hasten_py_managed_find(managed_of(object), &ret_look->call, &ret_look->value,
                                             &ret_look->is_failure);
    return true;
}

PyObject *hasten_py_awaited_find(PyObject *object, PyObject *const *arguments, Py_ssize_t count,
                                 PyObject *names) {
    struct look look;
    if (!look_up(object, &look, arguments, count, names)) {
        return NULL;
    }
    PyObject *value = look.value;
    switch (look.found) {
    case HASTEN_PY_FRESH:
        value = hasten_py_managed_hand_out(managed_of(object), value, look.is_failure);
        break;
    case HASTEN_PY_STALE:
        Py_DECREF(value);
        value = Py_NewRef(arguments[0]);
        break;
    case HASTEN_PY_ABSENT:
        value = Py_NewRef(arguments[0]);
        break;
    default:
        Py_CLEAR(value);
        break;
    }
    return value;
}

PyObject *hasten_py_awaited_stale(PyObject *object, PyObject *const *arguments, Py_ssize_t count,
                                  PyObject *names) {
    struct hasten_py_managed *self = managed_of(object);
    struct look look;
    if (!look_up(object, &look, arguments, count, names)) {
        return NULL;
    }
    PyObject *value = look.value;
    if (look.found == HASTEN_PY_STALE) {
        HASTEN_PY_BEGIN_LOCKED(object);
        self->store.stale_hits++;
        HASTEN_PY_END_LOCKED();
    }
    if (look.found == HASTEN_PY_STALE || look.found == HASTEN_PY_FRESH) {
        value = hasten_py_managed_hand_out(self, value, look.is_failure);
    } else if (look.found == HASTEN_PY_ABSENT) {
        value = Py_NewRef(arguments[0]);
    } else {
        Py_CLEAR(value);
    }
    return value;
}

PyObject *hasten_py_awaited_meet(PyObject *object, PyObject *const *arguments, Py_ssize_t count,
                                 PyObject *names) {
    struct hasten_py_managed *self = managed_of(object);
    struct look look;
    if (!look_up(object, &look, arguments, count, names)) {
        return NULL;
    }
    PyObject *value = look.value;
    if (look.found == HASTEN_PY_ABSENT) {
        value = hasten_py_managed_keep(self, &look.call, arguments[0], false)
                    ? Py_NewRef(arguments[0])
                    : NULL;
    } else if (look.found == HASTEN_PY_FOUND_ERROR) {
        Py_CLEAR(value);
    }
    return value;
}

PyObject *hasten_py_awaited_land(PyObject *object, PyObject *const *arguments, Py_ssize_t count,
                                 PyObject *names) {
    struct hasten_py_managed *self = managed_of(object);
    struct hasten_py_call call;
    if (!describe_after(object, &call, arguments, count, names, 3)) {
        return NULL;
    }
    const int is_failure = PyObject_IsTrue(arguments[1]);
    const double seconds = is_failure < 0 ? -1 : PyFloat_AsDouble(arguments[2]);
    bool is_done = !PyErr_Occurred();
    if (is_done) {
        hasten_py_managed_computed(self, (uint64_t)hasten_py_nanoseconds(seconds));
        const bool is_kept =
            !is_failure ||
            (self->failures != NULL && PyErr_GivenExceptionMatches(arguments[0], self->failures));
        is_done = !is_kept || hasten_py_managed_keep(self, &call, arguments[0], is_failure);
    }
    return is_done ? Py_NewRef(Py_None) : NULL;
}

PyObject *hasten_py_awaited_forget(PyObject *object, PyObject *const *arguments, Py_ssize_t count,
                                   PyObject *names) {
    struct hasten_py_call call;
    if (!describe_after(object, &call, arguments, count, names, 1)) {
        return NULL;
    }
    const int found = hasten_py_managed_forget(managed_of(object), &call, arguments[0]);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

PyObject *hasten_py_awaited_waited(PyObject *object, PyObject *none) {
    (void)none;
    HASTEN_PY_BEGIN_LOCKED(object);
    managed_of(object)->store.hits++;
    managed_of(object)->waits++;
    HASTEN_PY_END_LOCKED();
    Py_RETURN_NONE;
}
