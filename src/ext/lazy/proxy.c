/* SPDX-License-Identifier: MIT
 *
 * The type hasten.lazy.Proxy: its life, and what is known of a lazy object itself. */
#include "ext/lazy/proxy.h"

#include <stddef.h>
#include <string.h>

#include "ext/lazy/module.h"

/* More than all files have. */
enum { MOST_SLOTS = 96 };

static struct hasten_py_proxy *proxy_of(PyObject *self) {
    return (struct hasten_py_proxy *)self;
}

PyObject *hasten_py_proxy_call_ready(PyObject *self, PyObject *const *arguments, size_t flags,
                                     PyObject *names) {
    PyObject *held = Py_NewRef(proxy_of(self)->wrapped);
    PyObject *answer = PyObject_Vectorcall(held, arguments, flags, names);
    Py_DECREF(held);
    return answer;
}

PyObject *hasten_py_proxy_call(PyObject *self, PyObject *const *arguments, size_t flags,
                               PyObject *names) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return NULL;
    }
    PyObject *answer = PyObject_Vectorcall(held.object, arguments, flags, names);
    hasten_py_release(held);
    return answer;
}

PyObject *hasten_py_proxy_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    (void)args; /* they are a subclass's __init__'s */
    (void)kwargs;
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL) {
        proxy_of(self)->call = hasten_py_proxy_call;
    }
    return self;
}

static void set_factory(PyObject *self, PyObject *factory) {
    PyObject *old = NULL;
    HASTEN_PY_BEGIN_LOCKED(self)
    old = proxy_of(self)->factory;
    proxy_of(self)->factory = Py_XNewRef(factory);
    HASTEN_PY_END_LOCKED()
    Py_XDECREF(old);
}

static int proxy_init(PyObject *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"factory", NULL};
    PyObject *factory = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:Proxy", names, &factory)) {
        return -1;
    }
    set_factory(self, factory);
    return 0;
}

/* What is called by the type's name; the types of subclasses are not called by it. */
static PyObject *make(PyObject *object, PyObject *const *arguments, size_t flags, PyObject *names) {
    PyTypeObject *type = (PyTypeObject *)object;
    const Py_ssize_t count = PyVectorcall_NARGS(flags);
    const Py_ssize_t named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    if (count + named != 1 || (named == 1 && PyUnicode_CompareWithASCIIString(
                                                 PyTuple_GET_ITEM(names, 0), "factory") != 0)) {
        PyErr_SetString(PyExc_TypeError, "Proxy() takes one argument, 'factory'");
        return NULL;
    }
    struct hasten_py_proxy *self = PyObject_GC_New(struct hasten_py_proxy, type);
    if (self == NULL) {
        return NULL;
    }
    self->call = hasten_py_proxy_call;
    self->wrapped = NULL;
    self->factory = Py_NewRef(arguments[0]);
    self->weakrefs = NULL;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

/* An instance's own attributes, as another's. */
static bool copy_attributes(PyObject *from, PyObject *to) {
    if (Py_TYPE(from)->tp_dictoffset == 0) {
        return true;
    }
    PyObject *own = PyObject_GenericGetDict(from, NULL);
    PyObject *copy = own == NULL ? NULL : PyObject_GenericGetDict(to, NULL);
    const bool is_copied = copy != NULL && PyDict_Update(copy, own) == 0;
    Py_XDECREF(own);
    Py_XDECREF(copy);
    return is_copied;
}

PyObject *hasten_py_proxy_around(PyObject *self, PyObject *value) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject *made = hasten_py_proxy_new(type, NULL, NULL);
    if (made != NULL && (!copy_attributes(self, made) || hasten_py_proxy_store(made, value) < 0)) {
        Py_CLEAR(made);
    }
    return made;
}

int hasten_py_proxy_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(proxy_of(self)->wrapped);
    Py_VISIT(proxy_of(self)->factory);
    return 0;
}

int hasten_py_proxy_clear(PyObject *self) {
    proxy_of(self)->call = hasten_py_proxy_call;
    Py_CLEAR(proxy_of(self)->wrapped);
    Py_CLEAR(proxy_of(self)->factory);
    return 0;
}

void hasten_py_proxy_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, hasten_py_proxy_dealloc);
    if (proxy_of(self)->weakrefs != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    /* Nobody can look at it any more. */
    Py_XDECREF(proxy_of(self)->wrapped);
    Py_XDECREF(proxy_of(self)->factory);
    type->tp_free(self);
    Py_DECREF(type);
    Py_TRASHCAN_END;
}

static PyObject *get_wrapped(PyObject *self, void *closure) {
    (void)closure;
    return hasten_py_proxy_obtain(self);
}

static int set_wrapped(PyObject *self, PyObject *value, void *closure) {
    (void)closure;
    return hasten_py_proxy_store(self, value);
}

static PyObject *get_factory(PyObject *self, void *closure) {
    (void)closure;
    PyObject *factory = NULL;
    HASTEN_PY_BEGIN_LOCKED(self)
    factory = Py_XNewRef(proxy_of(self)->factory);
    HASTEN_PY_END_LOCKED()
    return factory == NULL ? Py_NewRef(Py_None) : factory;
}

static int put_factory(PyObject *self, PyObject *factory, void *closure) {
    (void)closure;
    set_factory(self, factory);
    return 0;
}

static PyObject *get_resolved(PyObject *self, void *closure) {
    (void)closure;
    PyObject *wrapped = hasten_py_proxy_peek(self);
    const bool is_resolved = wrapped != NULL;
    Py_XDECREF(wrapped);
    return PyBool_FromLong(is_resolved);
}

/* Here so that a subclass may have object's, and so be of its own class. */
static PyObject *get_class(PyObject *self, void *closure) {
    (void)closure;
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return NULL;
    }
    PyObject *class = PyObject_GetAttrString(held.object, "__class__");
    hasten_py_release(held);
    return class;
}

static PyGetSetDef getset[] = {
    {"__class__", get_class, NULL, "The class of the object.", NULL},
    {"__wrapped__", get_wrapped, set_wrapped, "The object; made if it is not there yet.", NULL},
    {"__factory__", get_factory, put_factory, "What makes the object.", NULL},
    {"__resolved__", get_resolved, NULL, "Whether the object is there.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef members[] = {
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(struct hasten_py_proxy, call), Py_READONLY,
     NULL},
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct hasten_py_proxy, weakrefs), Py_READONLY,
     NULL},
    {NULL, 0, 0, 0, NULL},
};

static const char doc[] = "Proxy(factory)\n--\n\n"
                          "Stands for the object that factory() answers, which is called when "
                          "it is first used.";

static const PyType_Slot own_slots[] = {
    {Py_tp_doc, (void *)doc},
    {Py_tp_new, hasten_py_proxy_new},
    {Py_tp_init, proxy_init},
    {Py_tp_dealloc, hasten_py_proxy_dealloc},
    {Py_tp_traverse, hasten_py_proxy_traverse},
    {Py_tp_clear, hasten_py_proxy_clear},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_getattro, hasten_py_proxy_getattro},
    {Py_tp_setattro, hasten_py_proxy_setattro},
    {Py_tp_methods, hasten_py_proxy_methods},
    {Py_tp_getset, getset},
    {Py_tp_members, members},
    {0, NULL},
};

PyObject *hasten_py_proxy_type_new(PyObject *module) {
    const PyType_Slot *const parts[] = {own_slots, hasten_py_operator_slots,
                                        hasten_py_protocol_slots};
    PyType_Slot slots[MOST_SLOTS] = {{0, NULL}};
    size_t count = 0;
    for (size_t part = 0; part < sizeof(parts) / sizeof(parts[0]); part++) {
        for (const PyType_Slot *slot = parts[part]; slot->slot != 0 && count < MOST_SLOTS - 1;
             slot++) {
            slots[count++] = *slot;
        }
    }
    PyType_Spec spec = {
        .name = "hasten.lazy.Proxy",
        .basicsize = sizeof(struct hasten_py_proxy),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC |
                 Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    if (type != NULL) {
        ((PyTypeObject *)type)->tp_vectorcall = make;
    }
    return type;
}
