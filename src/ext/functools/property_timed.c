/* SPDX-License-Identifier: MIT */
#include "ext/functools/property_timed.h"

#include <stddef.h>

#include "ext/functools/module.h"

#define NEVER INT64_MAX

struct until {
    PyObject_HEAD PyObject *value;
    int64_t end_ns;
};

static struct until *until_of(PyObject *self) {
    return (struct until *)self;
}

static int until_traverse(PyObject *object, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(until_of(object)->value);
    return 0;
}

static int until_clear(PyObject *object) {
    Py_CLEAR(until_of(object)->value);
    return 0;
}

static void until_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    (void)until_clear(object);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyObject *until_repr(PyObject *object) {
    PyObject *value = until_of(object)->value;
    return PyUnicode_FromFormat("<%R for a time>", value == NULL ? Py_None : value);
}

/* Ends are times of this machine since it was started. */
static PyObject *until_reduce(PyObject *object, PyObject *none) {
    (void)object;
    (void)none;
    return Py_BuildValue("(O())", (PyObject *)Py_TYPE(Py_None));
}

static PyMethodDef until_methods[] = {
    {"__reduce__", until_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot until_slots[] = {
    {Py_tp_dealloc, until_dealloc}, {Py_tp_traverse, until_traverse}, {Py_tp_clear, until_clear},
    {Py_tp_repr, until_repr},       {Py_tp_methods, until_methods},   {0, NULL},
};

PyType_Spec hasten_py_until_spec = {
    .name = "hasten.functools._Until",
    .basicsize = sizeof(struct until),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = until_slots,
};

/* False with an exception set. */
static bool read_ttl(PyObject *ttl, int64_t *ret_ttl_ns) {
    PyObject *seconds = NULL;
    if (PyFloat_Check(ttl) || PyLong_Check(ttl)) {
        seconds = Py_NewRef(ttl);
    } else {
        seconds = PyObject_CallMethod(ttl, "total_seconds", NULL);
        if (seconds == NULL) {
            PyErr_Clear();
            PyErr_SetString(PyExc_TypeError, "ttl must be a number of seconds or a timedelta");
            return false;
        }
    }
    const double ttl_s = PyFloat_AsDouble(seconds);
    Py_DECREF(seconds);
    if (PyErr_Occurred()) {
        return false;
    }
    if (!(ttl_s > 0)) {
        PyErr_SetString(PyExc_ValueError, "ttl must be positive");
        return false;
    }
    *ret_ttl_ns = hasten_py_nanoseconds(ttl_s);
    return true;
}

bool hasten_py_timed_init(struct hasten_py_property *self, PyObject *ttl, PyObject *clock) {
    const struct hasten_py_functools *state = hasten_py_functools_of(Py_TYPE(self));
    if (state == NULL) {
        return false;
    }
    const bool has_ttl = ttl != NULL && ttl != Py_None;
    const bool has_clock = clock != NULL && clock != Py_None;
    const bool is_timed =
        state->timed_type != NULL && PyObject_TypeCheck((PyObject *)self, state->timed_type);
    if (has_ttl != is_timed) {
        PyErr_SetString(PyExc_TypeError, "ttl= is for cached_property itself");
        return false;
    }
    if (has_clock && (!has_ttl || !PyCallable_Check(clock))) {
        PyErr_SetString(PyExc_TypeError,
                        has_ttl ? "clock= must be callable" : "clock= wants a ttl=");
        return false;
    }
    if (has_ttl) {
        if (!read_ttl(ttl, &self->ttl_ns)) {
            return false;
        }
        Py_CLEAR(self->clock.function);
        hasten_py_clock_init(&self->clock, &state->ticks, has_clock ? clock : Py_None,
                             self->ttl_ns);
    }
    return true;
}

PyObject *hasten_py_timed_value(struct hasten_py_property *self, PyObject *kept) {
    const struct hasten_py_functools *state = hasten_py_functools_of(Py_TYPE(self));
    if (state == NULL) {
        PyErr_Clear();
        return NULL;
    }
    return Py_IS_TYPE(kept, state->until_type) ? until_of(kept)->value : NULL;
}

int hasten_py_timed_read(struct hasten_py_property *self, PyObject *kept, PyObject **ret_value) {
    PyObject *value = Py_XNewRef(hasten_py_timed_value(self, kept));
    const int64_t end_ns = value == NULL ? 0 : until_of(kept)->end_ns;
    Py_DECREF(kept);
    int64_t now_ns = 0;
    if (value == NULL) {
        return 0;
    }
    if (end_ns != NEVER && !hasten_py_clock_now(&self->clock, &now_ns)) {
        Py_DECREF(value);
        return -1;
    }
    if (end_ns <= now_ns && end_ns != NEVER) {
        Py_DECREF(value);
        return 0;
    }
    *ret_value = value;
    return 1;
}

PyObject *hasten_py_timed_make(struct hasten_py_property *self, PyObject *value) {
    const struct hasten_py_functools *state = hasten_py_functools_of(Py_TYPE(self));
    int64_t end_ns = NEVER;
    int64_t now_ns = 0;
    if (state == NULL || state->until_type == NULL) {
        if (state != NULL) {
            PyErr_SetString(PyExc_RuntimeError, "the interpreter is shutting down");
        }
        return NULL;
    }
    if (!self->is_async) {
        if (!hasten_py_clock_now(&self->clock, &now_ns)) {
            return NULL;
        }
        end_ns = hasten_py_clock_end(now_ns, self->ttl_ns);
    }
    struct until *made = (struct until *)state->until_type->tp_alloc(state->until_type, 0);
    if (made != NULL) {
        made->value = Py_NewRef(value);
        made->end_ns = end_ns;
    }
    return (PyObject *)made;
}

/* The awaited value is there: its time begins. */
static PyObject *begin_time(PyObject *object, PyObject *const *arguments, Py_ssize_t count) {
    struct hasten_py_property *self = (struct hasten_py_property *)object;
    PyObject *kept = NULL;
    int64_t now_ns = 0;
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "_begin_time wants an instance and a value");
        return NULL;
    }
    if (!hasten_py_clock_now(&self->clock, &now_ns) ||
        hasten_py_property_peek(self, arguments[0], &kept) < 0) {
        return NULL;
    }
    if (kept != NULL && hasten_py_timed_value(self, kept) == arguments[1]) {
        until_of(kept)->end_ns = hasten_py_clock_end(now_ns, self->ttl_ns);
    }
    Py_XDECREF(kept);
    Py_RETURN_NONE;
}

/* A value that is assigned has its time too. */
static int timed_set(PyObject *object, PyObject *instance, PyObject *value) {
    struct hasten_py_property *self = (struct hasten_py_property *)object;
    if (self->name == NULL) {
        PyErr_SetString(PyExc_TypeError, "Cannot use cached_property instance without calling "
                                         "__set_name__ on it.");
        return -1;
    }
    if (value != NULL) {
        return hasten_py_property_keep(self, instance, value);
    }
    PyObject *kept = NULL;
    const int found = hasten_py_property_peek(self, instance, &kept);
    Py_XDECREF(kept);
    if (found == 0) {
        PyErr_SetObject(PyExc_AttributeError, self->name);
    }
    return found == 1 ? hasten_py_property_remove(self, instance) : -1;
}

static PyMethodDef timed_methods[] = {
    {"_begin_time", (PyCFunction)(void (*)(void))begin_time, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot timed_slots[] = {
    {Py_tp_descr_set, timed_set},
    {Py_tp_methods, timed_methods},
    {0, NULL},
};

PyType_Spec hasten_py_timed_spec = {
    .name = "hasten.functools._TimedProperty",
    .basicsize = sizeof(struct hasten_py_property),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = timed_slots,
};
