/* SPDX-License-Identifier: MIT */
#include "ext/functools/method.h"

#include <stddef.h>

#include "ext/functools/managed.h"
#include "ext/functools/wrapper.h"

static struct hasten_py_method *method_of(PyObject *self) {
    return (struct hasten_py_method *)self;
}

/* What this file wants of a cached function of either type. */
struct cached {
    struct hasten_py_owner *owner;
    PyObject **dict;
    PyObject *function;
    vectorcallfunc vectorcall;
};

/* False where the object is no cached function. */
static bool read_cached(PyObject *object, struct cached *ret_cached) {
    const vectorcallfunc vectorcall = PyVectorcall_Function(object);
    if (vectorcall == hasten_py_call_managed || vectorcall == hasten_py_call_awaited) {
        struct hasten_py_managed *managed = (struct hasten_py_managed *)object;
        *ret_cached =
            (struct cached){&managed->owner, &managed->dict, managed->function, vectorcall};
        return true;
    }
    if (vectorcall == hasten_py_call_limited || vectorcall == hasten_py_call_unlimited ||
        vectorcall == hasten_py_call_uncached) {
        struct hasten_py_wrapper *wrapper = (struct hasten_py_wrapper *)object;
        *ret_cached =
            (struct cached){&wrapper->owner, &wrapper->dict, wrapper->function, vectorcall};
        return true;
    }
    return false;
}

/* The first of the cached functions of the instance that are kept in the method's place: a
 * new reference and 1. 0: none yet, a copy's, or what came out of a pickle. -1 with an
 * exception set. */
static int peek_first(struct hasten_py_method *self, PyObject *instance, struct cached *ret_cached,
                      PyObject **ret_kept) {
    PyObject *kept = NULL;
    const int found = hasten_py_property_peek(&self->place, instance, &kept);
    if (found == 1 && read_cached(kept, ret_cached) &&
        hasten_py_owner_is(ret_cached->owner, instance)) {
        *ret_kept = kept;
        return 1;
    }
    Py_XDECREF(kept);
    return found < 0 ? -1 : 0;
}

/* The instance's cached function as far as it has one, likewise. Methods of classes above
 * and below have one place where they use one slot, or their classes are of one name. */
static int peek(struct hasten_py_method *self, PyObject *instance, struct cached *ret_cached,
                PyObject **ret_kept) {
    PyObject *kept = NULL;
    int found = peek_first(self, instance, ret_cached, &kept);
    while (found == 1 && ret_cached->function != self->place.function) {
        PyObject *next = Py_XNewRef(ret_cached->owner->next);
        Py_SETREF(kept, next);
        found = kept != NULL && read_cached(kept, ret_cached);
    }
    if (found == 1) {
        *ret_kept = kept;
    }
    return found;
}

/* A cached function for the instance, kept with it. It has the descriptor's attributes. */
static PyObject *adopt(struct hasten_py_method *self, PyObject *instance,
                       struct cached *ret_cached) {
    PyObject *made = PyObject_CallNoArgs(self->make);
    if (made == NULL) {
        return NULL;
    }
    if (!read_cached(made, ret_cached)) {
        PyErr_SetString(PyExc_TypeError, "a cached method wants a cached function");
        Py_DECREF(made);
        return NULL;
    }
    Py_XSETREF(*ret_cached->dict, Py_XNewRef(self->place.dict));
    PyObject *kept = NULL;
    struct cached other = {0};
    int found = hasten_py_owner_set(ret_cached->owner, instance);
    if (found == 0) {
        /* Making it ran code: another thread may have made one, and calls may be on it. */
        found = peek(self, instance, &other, &kept);
    }
    if (found == 0) {
        struct cached first = {0};
        found = peek_first(self, instance, &first, &ret_cached->owner->next) < 0 ? -1 : 0;
    }
    if (found == 0 && hasten_py_property_store(&self->place, instance, made) == 0) {
        return made;
    }
    Py_DECREF(made);
    if (found == 1) {
        *ret_cached = other;
    }
    return kept;
}

/* The instance's cached function: a new reference, or NULL with an exception set. */
static PyObject *cached_of(struct hasten_py_method *self, PyObject *instance,
                           struct cached *ret_cached) {
    if (self->place.name == NULL) {
        PyErr_SetString(PyExc_TypeError, "Cannot use cached_method instance without calling "
                                         "__set_name__ on it.");
        return NULL;
    }
    PyObject *kept = NULL;
    const int found = peek(self, instance, ret_cached, &kept);
    return found == 0 ? adopt(self, instance, ret_cached) : kept;
}

static PyObject *call_method(PyObject *object, PyObject *const *arguments, size_t nargsf,
                             PyObject *names) {
    struct hasten_py_method *self = method_of(object);
    if (PyVectorcall_NARGS(nargsf) == 0) {
        /* Without an instance: the function says what is wrong with that. */
        return PyObject_Vectorcall(self->place.function, arguments, nargsf, names);
    }
    struct cached cached;
    PyObject *kept = cached_of(self, arguments[0], &cached);
    if (kept == NULL) {
        return NULL;
    }
    PyObject *value = cached.vectorcall(kept, arguments, nargsf, names);
    Py_DECREF(kept);
    return value;
}

static PyObject *method_get(PyObject *object, PyObject *instance, PyObject *owner) {
    (void)owner;
    if (instance == NULL || instance == Py_None) {
        return Py_NewRef(object);
    }
    struct cached cached;
    PyObject *kept = cached_of(method_of(object), instance, &cached);
    if (kept == NULL) {
        return NULL;
    }
    PyObject *bound = PyMethod_New(kept, instance);
    Py_DECREF(kept);
    return bound;
}

static PyObject *method_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"", "", NULL};
    PyObject *function = NULL;
    PyObject *make = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO:cached_method", names, &function, &make)) {
        return NULL;
    }
    if (!PyCallable_Check(function)) {
        PyErr_SetString(PyExc_TypeError, "the first argument must be callable");
        return NULL;
    }
    struct hasten_py_method *self = (struct hasten_py_method *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->vectorcall = call_method;
        self->place.function = Py_NewRef(function);
        self->make = Py_NewRef(make);
    }
    return (PyObject *)self;
}

/* The attribute's name has the class in it, for a method of a subclass may call this one
 * on the same instance. */
static PyObject *set_name(PyObject *object, PyObject *const *arguments, Py_ssize_t count) {
    struct hasten_py_method *self = method_of(object);
    if (count != 2 || !PyType_Check(arguments[0]) || !PyUnicode_Check(arguments[1])) {
        PyErr_SetString(PyExc_TypeError, "__set_name__ wants a class and a name");
        return NULL;
    }
    if (self->place.name != NULL) {
        /* A class that is made anew with slots tells the name again. */
        if (self->place.slot == NULL &&
            hasten_py_property_find_slot(&self->place, arguments[0], arguments[1]) < 0) {
            return NULL;
        }
        Py_RETURN_NONE;
    }
    PyObject *class_name = PyObject_GetAttrString(arguments[0], "__name__");
    if (class_name == NULL) {
        return NULL;
    }
    PyObject *name = PyUnicode_FromFormat("_cached_%S_%U", class_name, arguments[1]);
    Py_DECREF(class_name);
    if (name == NULL) {
        return NULL;
    }
    PyUnicode_InternInPlace(&name);
    self->place.name = name;
    if (hasten_py_property_find_slot(&self->place, arguments[0], arguments[1]) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static int method_traverse(PyObject *object, visitproc visit, void *arg) {
    struct hasten_py_method *self = method_of(object);
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->place.function);
    Py_VISIT(self->place.slot);
    Py_VISIT(self->place.dict);
    Py_VISIT(self->make);
    return 0;
}

static void method_dealloc(PyObject *object) {
    struct hasten_py_method *self = method_of(object);
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (self->place.weakrefs != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    Py_CLEAR(self->place.function);
    Py_CLEAR(self->place.name);
    Py_CLEAR(self->place.slot);
    Py_CLEAR(self->place.dict);
    Py_CLEAR(self->make);
    type->tp_free(object);
    Py_DECREF(type);
}

/* What a cycle can be broken at while calls go on. */
static int method_clear(PyObject *object) {
    Py_CLEAR(method_of(object)->place.slot);
    Py_CLEAR(method_of(object)->place.dict);
    return 0;
}

static PyMethodDef method_methods[] = {
    {"__set_name__", (PyCFunction)(void (*)(void))set_name, METH_FASTCALL, NULL},
    HASTEN_PY_FUNCTION_PICKLED,
    HASTEN_PY_FUNCTION_COPIES,
    {NULL, NULL, 0, NULL},
};

static PyMemberDef method_members[] = {
    {"__dictoffset__", Py_T_PYSSIZET, offsetof(struct hasten_py_method, place.dict), Py_READONLY,
     NULL},
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct hasten_py_method, place.weakrefs),
     Py_READONLY, NULL},
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(struct hasten_py_method, vectorcall),
     Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot method_slots[] = {
    {Py_tp_new, method_new},           {Py_tp_dealloc, method_dealloc},
    {Py_tp_traverse, method_traverse}, {Py_tp_clear, method_clear},
    {Py_tp_call, PyVectorcall_Call},   {Py_tp_descr_get, method_get},
    {Py_tp_methods, method_methods},   {Py_tp_getset, hasten_py_function_getset},
    {Py_tp_members, method_members},   {0, NULL},
};

PyType_Spec hasten_py_method_spec = {
    .name = "hasten.functools._cached_method",
    .basicsize = sizeof(struct hasten_py_method),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
             Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = method_slots,
};
