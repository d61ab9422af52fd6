/* SPDX-License-Identifier: MIT */
#include "ext/functools/wrapper.h"

#include <stddef.h>

static struct hasten_py_wrapper *wrapper_of(PyObject *self) {
    return (struct hasten_py_wrapper *)self;
}

/* -1 where there is none; false with an exception set. */
static bool read_maxsize(PyObject *maxsize, Py_ssize_t *ret_maxsize) {
    if (maxsize == Py_None) {
        *ret_maxsize = -1;
        return true;
    }
    if (!PyIndex_Check(maxsize)) {
        PyErr_SetString(PyExc_TypeError, "maxsize should be integer or None");
        return false;
    }
    const Py_ssize_t size = PyNumber_AsSsize_t(maxsize, PyExc_OverflowError);
    if (size == -1 && PyErr_Occurred()) {
        return false;
    }
    *ret_maxsize = size < 0 ? 0 : size;
    return true;
}

static PyObject *wrapper_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"user_function", "maxsize", "typed", "cache_info_type", NULL};
    PyObject *function = NULL;
    PyObject *maxsize_object = NULL;
    PyObject *info_type = NULL;
    int typed = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOpO:lru_cache", names, &function,
                                     &maxsize_object, &typed, &info_type)) {
        return NULL;
    }
    if (!PyCallable_Check(function)) {
        PyErr_SetString(PyExc_TypeError, "the first argument must be callable");
        return NULL;
    }
    Py_ssize_t maxsize = 0;
    if (!read_maxsize(maxsize_object, &maxsize)) {
        return NULL;
    }
    struct hasten_py_wrapper *self = (struct hasten_py_wrapper *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    const bool is_limited = maxsize > 0;
    hasten_py_results_init(&self->results, is_limited ? sizeof(struct hasten_cache_turn) : 0,
                           typed);
    hasten_cache_recency_init(&self->root);
    self->maxsize = maxsize;
    self->vectorcall = is_limited     ? hasten_py_call_limited
                       : maxsize == 0 ? hasten_py_call_uncached
                                      : hasten_py_call_unlimited;
    self->function = Py_NewRef(function);
    self->info_type = Py_NewRef(info_type);
    return (PyObject *)self;
}

static int wrapper_traverse(PyObject *object, visitproc visit, void *arg) {
    struct hasten_py_wrapper *self = wrapper_of(object);
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->function);
    Py_VISIT(self->info_type);
    Py_VISIT(self->dict);
    const int answer = hasten_py_owner_visit(&self->owner, visit, arg);
    return answer != 0 ? answer : hasten_py_results_visit(&self->results, visit, arg);
}

static void forget_results(struct hasten_py_wrapper *self, bool with_counts) {
    struct hasten_py_garbage garbage = {.count = 0};
    HASTEN_PY_BEGIN_LOCKED((PyObject *)self);
    hasten_py_results_clear(&self->results, &garbage);
    hasten_cache_recency_init(&self->root);
    if (with_counts) {
        self->hits = 0;
        self->misses = 0;
    }
    HASTEN_PY_END_LOCKED();
    hasten_py_garbage_drop(&self->results, &garbage);
}

static int wrapper_clear(PyObject *object) {
    struct hasten_py_wrapper *self = wrapper_of(object);
    forget_results(self, false);
    Py_CLEAR(self->function);
    Py_CLEAR(self->info_type);
    Py_CLEAR(self->dict);
    hasten_py_owner_clear(&self->owner);
    return 0;
}

static void wrapper_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (wrapper_of(object)->weakrefs != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    (void)wrapper_clear(object);
    type->tp_free(object);
    Py_DECREF(type);
}

PyDoc_STRVAR(cache_info_doc, "cache_info($self, /)\n--\n\nReport cache statistics");

static PyObject *cache_info(PyObject *object, PyObject *none) {
    (void)none;
    struct hasten_py_wrapper *self = wrapper_of(object);
    Py_ssize_t hits = 0;
    Py_ssize_t misses = 0;
    Py_ssize_t size = 0;
    HASTEN_PY_BEGIN_LOCKED(object);
    hits = self->hits;
    misses = self->misses;
    size = (Py_ssize_t)self->results.table.count;
    HASTEN_PY_END_LOCKED();
    if (self->maxsize < 0) {
        return PyObject_CallFunction(self->info_type, "nnOn", hits, misses, Py_None, size);
    }
    return PyObject_CallFunction(self->info_type, "nnnn", hits, misses, self->maxsize, size);
}

PyDoc_STRVAR(cache_clear_doc, "cache_clear($self, /)\n--\n\nClear the cache and cache statistics");

static PyObject *cache_clear(PyObject *object, PyObject *none) {
    (void)none;
    forget_results(wrapper_of(object), true);
    Py_RETURN_NONE;
}

static PyObject *wrapper_reduce(PyObject *self, PyObject *none) {
    (void)none;
    return hasten_py_owner_reduce(&wrapper_of(self)->owner, self);
}

static PyMethodDef wrapper_methods[] = {
    {"cache_info", cache_info, METH_NOARGS, cache_info_doc},
    {"cache_clear", cache_clear, METH_NOARGS, cache_clear_doc},
    {"__reduce__", wrapper_reduce, METH_NOARGS, NULL},
    HASTEN_PY_FUNCTION_COPIES,
    {NULL, NULL, 0, NULL},
};

static PyMemberDef wrapper_members[] = {
    {"__dictoffset__", Py_T_PYSSIZET, offsetof(struct hasten_py_wrapper, dict), Py_READONLY, NULL},
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct hasten_py_wrapper, weakrefs), Py_READONLY,
     NULL},
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(struct hasten_py_wrapper, vectorcall),
     Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(wrapper_doc, "Create a cached callable that wraps another function.\n"
                          "\n"
                          "user_function:      the function being cached\n"
                          "\n"
                          "maxsize:  0         for no caching\n"
                          "          None      for unlimited cache size\n"
                          "          n         for a bounded cache\n"
                          "\n"
                          "typed:    False     cache f(3) and f(3.0) as identical calls\n"
                          "          True      cache f(3) and f(3.0) as distinct calls\n"
                          "\n"
                          "cache_info_type:    namedtuple class with the fields:\n"
                          "                        hits misses currsize maxsize\n");

static PyType_Slot wrapper_slots[] = {
    {Py_tp_doc, (void *)wrapper_doc},
    {Py_tp_new, wrapper_new},
    {Py_tp_dealloc, wrapper_dealloc},
    {Py_tp_traverse, wrapper_traverse},
    {Py_tp_clear, wrapper_clear},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_descr_get, hasten_py_function_get},
    {Py_tp_methods, wrapper_methods},
    {Py_tp_getset, hasten_py_function_getset},
    {Py_tp_members, wrapper_members},
    {0, NULL},
};

PyType_Spec hasten_py_wrapper_spec = {
    .name = "hasten.functools._lru_cache_wrapper",
    .basicsize = sizeof(struct hasten_py_wrapper),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = wrapper_slots,
};
