/* SPDX-License-Identifier: MIT */
#include "ext/lazy/resource.h"

#include "ext/lazy/module.h"

static struct hasten_py_resource *resource_of(PyObject *self) {
    return (struct hasten_py_resource *)self;
}

/* The list of all. */

struct hasten_py_resources *hasten_py_resources_new(void) {
    struct hasten_py_resources *all = PyMem_RawCalloc(1, sizeof(*all));
    if (all == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    all->holders = 1;
#ifdef Py_GIL_DISABLED
    all->lock = PyThread_allocate_lock();
    if (all->lock == NULL) {
        PyMem_RawFree(all);
        PyErr_NoMemory();
        return NULL;
    }
#endif
    return all;
}

static void lock(struct hasten_py_resources *all) {
    if (all->lock != NULL) {
        PyThread_acquire_lock(all->lock, WAIT_LOCK);
    }
}

static void unlock(struct hasten_py_resources *all) {
    if (all->lock != NULL) {
        PyThread_release_lock(all->lock);
    }
}

void hasten_py_resources_drop(struct hasten_py_resources *all) {
    if (all == NULL) {
        return;
    }
    lock(all);
    const bool is_last = --all->holders == 0;
    unlock(all);
    if (is_last) {
        if (all->lock != NULL) {
            PyThread_free_lock(all->lock);
        }
        PyMem_RawFree(all);
    }
}

static void enter(struct hasten_py_resource *self, struct hasten_py_resources *all) {
    lock(all);
    all->holders++;
    self->all = all;
    self->next = all->first;
    if (self->next != NULL) {
        self->next->previous = self;
    }
    all->first = self;
    unlock(all);
}

static void leave(struct hasten_py_resource *self) {
    struct hasten_py_resources *all = self->all;
    if (all == NULL) {
        return;
    }
    lock(all);
    if (self->previous != NULL) {
        self->previous->next = self->next;
    } else {
        all->first = self->next;
    }
    if (self->next != NULL) {
        self->next->previous = self->previous;
    }
    unlock(all);
    self->all = NULL;
    hasten_py_resources_drop(all);
}

void hasten_py_resources_forked(struct hasten_py_resources *all) {
    /* Another thread may have had it, and does not exist. */
    if (all->lock != NULL) {
        all->lock = PyThread_allocate_lock();
    }
    for (struct hasten_py_resource *one = all->first; one != NULL; one = one->next) {
        if (one->proxy.wrapped != NULL) {
            /* What an earlier parent had open stays with nobody. */
            one->inherited = one->proxy.wrapped;
            one->proxy.wrapped = NULL;
            one->proxy.call = hasten_py_proxy_call;
        }
    }
}

int hasten_py_resource_may_open(PyObject *self) {
    PyObject *inherited = NULL;
    PyObject *abandon = NULL;
    bool is_over = false;
    HASTEN_PY_BEGIN_LOCKED(self);
    is_over = resource_of(self)->is_over;
    if (!is_over) {
        abandon = Py_XNewRef(resource_of(self)->abandon);
        inherited = resource_of(self)->inherited;
        resource_of(self)->inherited = NULL;
    }
    HASTEN_PY_END_LOCKED();
    if (is_over) {
        PyErr_SetString(PyExc_ValueError, "the resource is closed");
        return -1;
    }
    int answer = 0;
    if (inherited != NULL && abandon != NULL) {
        PyObject *none = PyObject_CallOneArg(abandon, inherited);
        answer = none == NULL ? -1 : 0;
        Py_XDECREF(none);
    }
    Py_XDECREF(abandon);
    return answer;
}

/* The type. */

static PyObject *resource_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    const struct hasten_py_lazy *state = hasten_py_lazy_of(type);
    PyObject *self = state == NULL ? NULL : hasten_py_proxy_new(type, args, kwargs);
    if (self != NULL) {
        resource_of(self)->reopens = true;
        enter(resource_of(self), state->resources);
    }
    return self;
}

static PyObject *given(PyObject *value) {
    return value == Py_None ? NULL : Py_XNewRef(value);
}

static int resource_init(PyObject *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"open", "close", "reopen", "abandon", NULL};
    PyObject *open = NULL;
    PyObject *closer = NULL;
    PyObject *abandon = NULL;
    int reopens = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|OpO:resource", names, &open, &closer,
                                     &reopens, &abandon)) {
        return -1;
    }
    Py_XSETREF(resource_of(self)->proxy.factory, Py_NewRef(open));
    Py_XSETREF(resource_of(self)->closer, given(closer));
    Py_XSETREF(resource_of(self)->abandon, given(abandon));
    resource_of(self)->reopens = reopens != 0;
    return 0;
}

static int resource_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(resource_of(self)->closer);
    Py_VISIT(resource_of(self)->abandon);
    return hasten_py_proxy_traverse(self, visit, arg);
}

static int resource_clear(PyObject *self) {
    Py_CLEAR(resource_of(self)->closer);
    Py_CLEAR(resource_of(self)->abandon);
    return hasten_py_proxy_clear(self);
}

static void resource_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    leave(resource_of(self));
    Py_TRASHCAN_BEGIN(self, resource_dealloc);
    if (resource_of(self)->proxy.weakrefs != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    (void)resource_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
    Py_TRASHCAN_END;
}

static PyObject *resource_close(PyObject *self, PyObject *none) {
    (void)none;
    struct hasten_py_resource *resource = resource_of(self);
    PyObject *opened = NULL;
    PyObject *closer = NULL;
    HASTEN_PY_BEGIN_LOCKED(self);
    opened = resource->proxy.wrapped;
    resource->proxy.wrapped = NULL;
    resource->proxy.call = hasten_py_proxy_call;
    resource->is_over = !resource->reopens;
    closer = Py_XNewRef(resource->closer);
    HASTEN_PY_END_LOCKED();
    PyObject *answer = NULL;
    if (opened == NULL) {
        answer = Py_NewRef(Py_None);
    } else if (closer != NULL) {
        answer = PyObject_CallOneArg(closer, opened);
    } else {
        answer = PyObject_CallMethod(opened, "close", NULL);
    }
    Py_XDECREF(opened);
    Py_XDECREF(closer);
    if (answer == NULL) {
        return NULL;
    }
    Py_DECREF(answer);
    Py_RETURN_NONE;
}

static PyObject *resource_enter(PyObject *self, PyObject *none) {
    (void)none;
    return Py_NewRef(self);
}

static PyObject *resource_exit(PyObject *self, PyObject *args) {
    (void)args;
    return resource_close(self, NULL);
}

static PyObject *get_closed(PyObject *self, void *closure) {
    (void)closure;
    PyObject *wrapped = hasten_py_proxy_peek(self);
    const bool is_open = wrapped != NULL;
    Py_XDECREF(wrapped);
    return PyBool_FromLong(!is_open);
}

/* A copy, also one in another process, opens its own. */

static PyObject *arguments(PyObject *self) {
    const struct hasten_py_resource *resource = resource_of(self);
    return Py_BuildValue("OOOO",
                         resource->proxy.factory == NULL ? Py_None : resource->proxy.factory,
                         resource->closer == NULL ? Py_None : resource->closer,
                         resource->reopens ? Py_True : Py_False,
                         resource->abandon == NULL ? Py_None : resource->abandon);
}

static PyObject *resource_reduce(PyObject *self, PyObject *protocol) {
    (void)protocol;
    return Py_BuildValue("ON", Py_TYPE(self), arguments(self));
}

static PyObject *resource_copy(PyObject *self, PyObject *memo) {
    (void)memo;
    PyObject *args = arguments(self);
    PyObject *copy = args == NULL ? NULL : PyObject_CallObject((PyObject *)Py_TYPE(self), args);
    Py_XDECREF(args);
    return copy;
}

static PyMethodDef methods[] = {
    {"close", resource_close, METH_NOARGS,
     "close($self)\n--\n\nCloses what is open, if anything is; the next use opens it again, "
     "unless reopen=False was said."},
    {"__enter__", resource_enter, METH_NOARGS, NULL},
    {"__exit__", resource_exit, METH_VARARGS, NULL},
    {"__reduce__", resource_reduce, METH_NOARGS, NULL},
    {"__reduce_ex__", resource_reduce, METH_O, NULL},
    {"__copy__", resource_copy, METH_NOARGS, NULL},
    {"__deepcopy__", resource_copy, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef getset[] = {
    {"closed", get_closed, NULL, "Whether nothing is open.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static const char doc[] =
    "resource(open, close=None, reopen=True, abandon=None)\n--\n\n"
    "Stands for what open() answers, a connection or a file, which is opened when it is first "
    "used.";

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)doc},
    {Py_tp_new, resource_new},
    {Py_tp_init, resource_init},
    {Py_tp_dealloc, resource_dealloc},
    {Py_tp_traverse, resource_traverse},
    {Py_tp_clear, resource_clear},
    {Py_tp_methods, methods},
    {Py_tp_getset, getset},
    {0, NULL},
};

PyType_Spec hasten_py_resource_spec = {
    .name = "hasten.lazy.resource",
    .basicsize = sizeof(struct hasten_py_resource),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};
