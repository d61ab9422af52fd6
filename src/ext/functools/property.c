/* SPDX-License-Identifier: MIT */
#include "ext/functools/property.h"

#include <stddef.h>

#include "ext/functools/function.h"
#include "ext/functools/module.h"
#include "ext/functools/property_timed.h"

static struct hasten_py_property *property_of(PyObject *self) {
    return (struct hasten_py_property *)self;
}

/* An attribute of the function becomes one of the property. */
static int take_over(struct hasten_py_property *self, const char *name) {
    PyObject *value = PyObject_GetAttrString(self->function, name);
    if (value == NULL) {
        return -1;
    }
    const int answer = PyObject_SetAttrString((PyObject *)self, name, value);
    Py_DECREF(value);
    return answer;
}

static bool is_coroutine_function(PyObject *function) {
    return PyFunction_Check(function) &&
           (((PyCodeObject *)PyFunction_GET_CODE(function))->co_flags & CO_COROUTINE) != 0;
}

/* @cached_property(ttl=60): what is still to be called with the function. */
static PyObject *without_function(PyTypeObject *type, PyObject *kwargs) {
    PyObject *module = PyImport_ImportModule("functools");
    PyObject *partial = module == NULL ? NULL : PyObject_GetAttrString(module, "partial");
    PyObject *args = partial == NULL ? NULL : PyTuple_Pack(1, (PyObject *)type);
    PyObject *made = args == NULL ? NULL : PyObject_Call(partial, args, kwargs);
    Py_XDECREF(args);
    Py_XDECREF(partial);
    Py_XDECREF(module);
    return made;
}

/* Keywords of a subclass are for its own __init__. */
static bool are_options(PyObject *kwargs) {
    PyObject *name = NULL;
    Py_ssize_t at = 0;
    while (PyDict_Next(kwargs, &at, &name, NULL)) {
        if (PyUnicode_CompareWithASCIIString(name, "once") != 0 &&
            PyUnicode_CompareWithASCIIString(name, "ttl") != 0 &&
            PyUnicode_CompareWithASCIIString(name, "clock") != 0) {
            return false;
        }
    }
    return PyDict_GET_SIZE(kwargs) > 0;
}

static PyObject *property_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    const struct hasten_py_functools *state = hasten_py_functools_of(type);
    if (state == NULL) {
        return NULL;
    }
    if (kwargs != NULL && PyTuple_GET_SIZE(args) == 0 && are_options(kwargs)) {
        return without_function(type, kwargs);
    }
    PyObject *ttl = kwargs == NULL ? NULL : PyDict_GetItemString(kwargs, "ttl");
    if (ttl != NULL && ttl != Py_None && state->timed_type != NULL &&
        type == state->timed_type->tp_base) {
        type = state->timed_type;
    }
    return PyType_GenericNew(type, args, kwargs);
}

static int property_init(PyObject *object, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"func", "once", "ttl", "clock", NULL};
    struct hasten_py_property *self = property_of(object);
    PyObject *function = NULL;
    int once = HASTEN_PY_PROPERTY_COMPUTES_ONCE;
    PyObject *ttl = NULL;
    PyObject *clock = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$pOO:cached_property", names, &function,
                                     &once, &ttl, &clock) ||
        !hasten_py_timed_init(self, ttl, clock)) {
        return -1;
    }
    Py_XSETREF(self->function, Py_NewRef(function));
    Py_CLEAR(self->name);
    Py_CLEAR(self->slot);
    self->computes_once = once != 0;
    self->is_async = is_coroutine_function(function);
    if (take_over(self, "__doc__") < 0) {
        return -1;
    }
    return HASTEN_PY_PROPERTY_HAS_MODULE ? take_over(self, "__module__") : 0;
}

/* False with an exception set. */
static bool take_name(struct hasten_py_property *self, PyObject *name) {
    if (!PyUnicode_CheckExact(name)) {
        PyErr_Format(PyExc_TypeError, "the name of an attribute is a str, not %.200s",
                     Py_TYPE(name)->tp_name);
        return false;
    }
    Py_INCREF(name);
    PyUnicode_InternInPlace(&name);
    Py_XSETREF(self->name, name);
    Py_CLEAR(self->slot);
    return true;
}

static PyObject *get_attrname(PyObject *object, void *closure) {
    (void)closure;
    PyObject *name = property_of(object)->name;
    return Py_NewRef(name == NULL ? Py_None : name);
}

static int set_attrname(PyObject *object, PyObject *name, void *closure) {
    (void)closure;
    if (name == NULL || name == Py_None) {
        Py_CLEAR(property_of(object)->name);
        return 0;
    }
    return take_name(property_of(object), name) ? 0 : -1;
}

static PyObject *set_name(PyObject *object, PyObject *const *arguments, Py_ssize_t count) {
    struct hasten_py_property *self = property_of(object);
    if (count != 2) {
        PyErr_Format(PyExc_TypeError,
                     "cached_property.__set_name__() takes 3 positional arguments but %zd were "
                     "given",
                     count + 1);
        return NULL;
    }
    PyObject *name = arguments[1];
    if (self->name != NULL) {
        const int same = PyObject_RichCompareBool(self->name, name, Py_EQ);
        if (same == 0) {
            PyErr_Format(PyExc_TypeError,
                         "Cannot assign the same cached_property to two different names "
                         "(%R and %R).",
                         self->name, name);
        }
        /* A class that is made anew with slots tells the name again. */
        if (same != 1 ||
            (self->slot == NULL && hasten_py_property_find_slot(self, arguments[0], name) < 0)) {
            return NULL;
        }
        Py_RETURN_NONE;
    }
    if (!take_name(self, name) || hasten_py_property_find_slot(self, arguments[0], name) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* What can be awaited many times, in place of a coroutine. Takes the reference. */
static PyObject *awaitable_of(struct hasten_py_property *self, PyObject *instance,
                              PyObject *coroutine) {
    PyObject *module = PyImport_ImportModule("hasten._awaiting");
    PyObject *awaitable = module == NULL
                              ? NULL
                              : PyObject_CallMethod(module, "of_property", "OOO", coroutine,
                                                    instance, (PyObject *)self);
    Py_XDECREF(module);
    Py_DECREF(coroutine);
    return awaitable;
}

static PyObject *compute(struct hasten_py_property *self, PyObject *instance) {
    PyObject *function = self->function;
    if (function == NULL) {
        PyErr_SetString(PyExc_AttributeError, "'cached_property' object has no attribute 'func'");
        return NULL;
    }
    Py_INCREF(function);
    PyObject *value = PyObject_CallOneArg(function, instance);
    Py_DECREF(function);
    if (value != NULL && self->is_async) {
        value = awaitable_of(self, instance, value);
    }
    if (value != NULL && hasten_py_property_keep(self, instance, value) < 0) {
        Py_CLEAR(value);
    }
    return value;
}

/* Other threads that want it meanwhile wait. */
static PyObject *compute_once(struct hasten_py_property *self, PyObject *instance) {
    struct hasten_py_functools *state = hasten_py_functools_of(Py_TYPE(self));
    if (state == NULL) {
        return NULL;
    }
    for (;;) {
        struct hasten_py_flight *flight = NULL;
        const enum hasten_py_boarding boarding =
            hasten_py_flights_begin(&state->flights, self, instance, &flight, NULL);
        if (boarding == HASTEN_PY_BOARDING_FAILED) {
            return NULL;
        }
        if (boarding == HASTEN_PY_ALONE) {
            return compute(self, instance);
        }
        /* Another thread may have computed it since it was looked for. */
        PyObject *value = NULL;
        const int found = hasten_py_property_value(self, instance, &value);
        if (flight != NULL) {
            if (found == 0) {
                value = compute(self, instance);
            }
            hasten_py_flights_end(&state->flights, flight);
            return value;
        }
        if (found != 0) {
            return value;
        }
    }
}

static PyObject *property_get(PyObject *object, PyObject *instance, PyObject *owner) {
    (void)owner;
    struct hasten_py_property *self = property_of(object);
    if (instance == NULL || instance == Py_None) {
        return Py_NewRef(object);
    }
    if (self->name == NULL) {
        PyErr_SetString(PyExc_TypeError, "Cannot use cached_property instance without calling "
                                         "__set_name__ on it.");
        return NULL;
    }
    PyObject *value = NULL;
    const int found = hasten_py_property_value(self, instance, &value);
    if (found != 0) {
        return value;
    }
    return self->computes_once ? compute_once(self, instance) : compute(self, instance);
}

static int property_traverse(PyObject *object, visitproc visit, void *arg) {
    struct hasten_py_property *self = property_of(object);
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->function);
    Py_VISIT(self->slot);
    Py_VISIT(self->clock.function);
    Py_VISIT(self->dict);
    return 0;
}

static int property_clear(PyObject *object) {
    struct hasten_py_property *self = property_of(object);
    Py_CLEAR(self->function);
    Py_CLEAR(self->name);
    Py_CLEAR(self->slot);
    Py_CLEAR(self->clock.function);
    Py_CLEAR(self->dict);
    return 0;
}

static void property_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (property_of(object)->weakrefs != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    (void)property_clear(object);
    type->tp_free(object);
    Py_DECREF(type);
}

/* Takes the instance's value out if it is that one. */
static PyObject *forget(PyObject *object, PyObject *const *arguments, Py_ssize_t count) {
    struct hasten_py_property *self = property_of(object);
    PyObject *kept = NULL;
    if (count != 2 || self->name == NULL) {
        PyErr_SetString(PyExc_TypeError, "_forget wants an instance and a value");
        return NULL;
    }
    const int found = hasten_py_property_peek(self, arguments[0], &kept);
    const PyObject *value =
        found == 1 && self->ttl_ns != 0 ? hasten_py_timed_value(self, kept) : kept;
    const bool is_it = found == 1 && value == arguments[1];
    Py_XDECREF(kept);
    if (found < 0 || (is_it && hasten_py_property_remove(self, arguments[0]) < 0)) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef property_methods[] = {
    {"_forget", (PyCFunction)(void (*)(void))forget, METH_FASTCALL, NULL},
    {"__set_name__", (PyCFunction)(void (*)(void))set_name, METH_FASTCALL, NULL},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef property_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {"attrname", get_attrname, set_attrname, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef property_members[] = {
    {"func", HASTEN_PY_T_OBJECT, offsetof(struct hasten_py_property, function), 0, NULL},
    {"__dictoffset__", Py_T_PYSSIZET, offsetof(struct hasten_py_property, dict), Py_READONLY, NULL},
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct hasten_py_property, weakrefs),
     Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot property_slots[] = {
    {Py_tp_init, property_init},       {Py_tp_new, property_new},
    {Py_tp_dealloc, property_dealloc}, {Py_tp_traverse, property_traverse},
    {Py_tp_clear, property_clear},     {Py_tp_descr_get, property_get},
    {Py_tp_methods, property_methods}, {Py_tp_getset, property_getset},
    {Py_tp_members, property_members}, {0, NULL},
};

PyType_Spec hasten_py_property_spec = {
    .name = "hasten.functools.cached_property",
    .basicsize = sizeof(struct hasten_py_property),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = property_slots,
};
