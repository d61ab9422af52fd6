/* SPDX-License-Identifier: MIT */
#include "ext/functools/managed.h"

#include <stddef.h>

#include "ext/functools/module.h"

static struct hasten_py_managed *managed_of(PyObject *self) {
    return (struct hasten_py_managed *)self;
}

static PyObject *none_as_null(PyObject *object) {
    return object == Py_None ? NULL : Py_NewRef(object);
}

static bool take_options(struct hasten_py_managed *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"user_function", "info_type", "stats_type",    "maxsize", "maxbytes",
                            "typed",         "policy",    "ttl",           "jitter",  "stale",
                            "clock",         "failures",  "failure_ttl",   "key",     "weigh",
                            "copy",          "on_evict",  "single_flight", NULL};
    PyObject *function = NULL;
    PyObject *info_type = NULL;
    PyObject *stats_type = NULL;
    PyObject *maxsize = NULL;
    PyObject *maxbytes = NULL;
    PyObject *clock = NULL;
    PyObject *failures = NULL;
    PyObject *key = NULL;
    PyObject *weigh = NULL;
    PyObject *copy = NULL;
    PyObject *on_evict = NULL;
    const char *policy = NULL;
    int typed = 0;
    int single_flight = 0;
    double ttl_s = 0;
    double jitter = 0;
    double stale_s = 0;
    double failure_ttl_s = 0;
    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, "OOO$OOpsdddOOdOOOOp:lru_cache", names, &function, &info_type,
            &stats_type, &maxsize, &maxbytes, &typed, &policy, &ttl_s, &jitter, &stale_s, &clock,
            &failures, &failure_ttl_s, &key, &weigh, &copy, &on_evict, &single_flight)) {
        return false;
    }
    if (!PyCallable_Check(function)) {
        PyErr_SetString(PyExc_TypeError, "the first argument must be callable");
        return false;
    }
    self->store.has_ends = failures != Py_None;
    if (!hasten_py_store_init(&self->store, maxsize, maxbytes, policy, typed) ||
        !hasten_py_store_set_times(&self->store, ttl_s, jitter, stale_s, clock)) {
        return false;
    }
    self->maxsize = maxsize == Py_None ? -1 : (Py_ssize_t)self->store.maxsize;
    self->failure_ttl_ns = hasten_py_nanoseconds(failure_ttl_s);
    self->is_single_flight = single_flight;
    self->function = Py_NewRef(function);
    self->info_type = Py_NewRef(info_type);
    self->stats_type = Py_NewRef(stats_type);
    self->failures = none_as_null(failures);
    self->key = none_as_null(key);
    self->weigh = none_as_null(weigh);
    self->copy = none_as_null(copy);
    self->on_evict = none_as_null(on_evict);
    return true;
}

static PyObject *managed_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    PyObject *module = hasten_py_functools_module(type);
    if (module == NULL) {
        return NULL;
    }
    struct hasten_py_managed *self = (struct hasten_py_managed *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    /* What deallocation needs, should an argument be wrong. */
    hasten_py_results_init(&self->store.results, sizeof(struct hasten_py_kept), false);
    hasten_cache_policy_init(&self->store.policy, HASTEN_CACHE_LRU, 1, NULL);
    hasten_cache_recency_init(&self->store.ages);
    self->vectorcall = hasten_py_call_managed;
    self->module = Py_NewRef(module);
    self->flights = &((struct hasten_py_functools *)PyModule_GetState(module))->flights;
    if (!take_options(self, args, kwargs)) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int managed_traverse(PyObject *object, visitproc visit, void *arg) {
    struct hasten_py_managed *self = managed_of(object);
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->module);
    Py_VISIT(self->function);
    Py_VISIT(self->info_type);
    Py_VISIT(self->stats_type);
    Py_VISIT(self->key);
    Py_VISIT(self->weigh);
    Py_VISIT(self->copy);
    Py_VISIT(self->on_evict);
    Py_VISIT(self->failures);
    Py_VISIT(self->store.clock);
    Py_VISIT(self->dict);
    Py_VISIT(self->leases);
    Py_VISIT(self->owner.reference);
    return hasten_py_results_visit(&self->store.results, visit, arg);
}

static void forget_results(struct hasten_py_managed *self, bool with_counts) {
    struct hasten_py_garbage garbage = {.count = 0};
    HASTEN_PY_BEGIN_LOCKED((PyObject *)self);
    hasten_py_store_clear(&self->store, &garbage);
    if (with_counts) {
        self->store.hits = self->store.misses = self->store.evictions = 0;
        self->store.expirations = self->store.stale_hits = self->waits = 0;
        self->computed_ns = self->computations = 0;
    }
    HASTEN_PY_END_LOCKED();
    hasten_py_garbage_drop(&self->store.results, &garbage);
}

/* Keeps what a call that is going on looks at: the module. */
static int managed_clear(PyObject *object) {
    struct hasten_py_managed *self = managed_of(object);
    forget_results(self, false);
    Py_CLEAR(self->function);
    Py_CLEAR(self->dict);
    Py_CLEAR(self->owner.reference);
    return 0;
}

static void managed_dealloc(PyObject *object) {
    struct hasten_py_managed *self = managed_of(object);
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    (void)managed_clear(object);
    hasten_py_store_done(&self->store);
    Py_CLEAR(self->info_type);
    Py_CLEAR(self->stats_type);
    Py_CLEAR(self->key);
    Py_CLEAR(self->weigh);
    Py_CLEAR(self->copy);
    Py_CLEAR(self->on_evict);
    Py_CLEAR(self->failures);
    Py_CLEAR(self->store.clock);
    Py_CLEAR(self->leases);
    Py_CLEAR(self->module);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyObject *managed_descr_get(PyObject *self, PyObject *instance, PyObject *owner) {
    (void)owner;
    if (instance == NULL || instance == Py_None) {
        return Py_NewRef(self);
    }
    return PyMethod_New(self, instance);
}

/* Takes out what has come to its end, so that it is not counted. */
static bool sweep(struct hasten_py_managed *self) {
    int64_t now_ns = 0;
    if (!hasten_py_store_now(&self->store, &now_ns)) {
        return false;
    }
    struct hasten_py_garbage garbage = {.count = 0};
    HASTEN_PY_BEGIN_LOCKED((PyObject *)self);
    hasten_py_store_sweep(&self->store, now_ns, 0, &garbage);
    HASTEN_PY_END_LOCKED();
    return hasten_py_store_tell(&self->store, self->on_evict, &garbage) == 0;
}

PyDoc_STRVAR(cache_info_doc, "cache_info($self, /)\n--\n\nReport cache statistics");

static PyObject *cache_info(PyObject *object, PyObject *none) {
    (void)none;
    struct hasten_py_managed *self = managed_of(object);
    if (!sweep(self)) {
        return NULL;
    }
    const Py_ssize_t hits = (Py_ssize_t)(self->store.hits + self->store.stale_hits);
    const Py_ssize_t misses = (Py_ssize_t)self->store.misses;
    const Py_ssize_t size = (Py_ssize_t)self->store.results.table.count;
    if (self->maxsize < 0) {
        return PyObject_CallFunction(self->info_type, "nnOn", hits, misses, Py_None, size);
    }
    return PyObject_CallFunction(self->info_type, "nnnn", hits, misses, self->maxsize, size);
}

PyDoc_STRVAR(cache_stats_doc, "cache_stats($self, /)\n--\n\n"
                              "All that is counted, as a named tuple: hits, misses, evictions, "
                              "expirations,\nstale, waits, size (in bytes where it is limited), "
                              "seconds_saved.");

static PyObject *cache_stats(PyObject *object, PyObject *none) {
    (void)none;
    struct hasten_py_managed *self = managed_of(object);
    if (!sweep(self)) {
        return NULL;
    }
    const struct hasten_py_store *store = &self->store;
    const double mean_s =
        self->computations == 0 ? 0 : (double)self->computed_ns / 1e9 / (double)self->computations;
    return PyObject_CallFunction(self->stats_type, "KKKKKKKd", store->hits, store->misses,
                                 store->evictions, store->expirations, store->stale_hits,
                                 self->waits, store->policy.size,
                                 mean_s * (double)(store->hits + store->stale_hits));
}

PyDoc_STRVAR(cache_clear_doc, "cache_clear($self, /)\n--\n\nClear the cache and cache statistics");

static PyObject *cache_clear(PyObject *object, PyObject *none) {
    (void)none;
    forget_results(managed_of(object), true);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(cache_discard_doc, "cache_discard($self, /, *args, **kwargs)\n--\n\n"
                                "Forget the result of one call; answers whether there was one.");

static PyObject *cache_discard(PyObject *object, PyObject *const *arguments, Py_ssize_t count,
                               PyObject *names) {
    const int found =
        hasten_py_managed_discard(managed_of(object), arguments, (size_t)count, names);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

static PyObject *managed_reduce(PyObject *self, PyObject *none) {
    (void)none;
    if (managed_of(self)->owner.arguments != 0) {
        return hasten_py_owner_reduce();
    }
    return PyObject_GetAttrString(self, "__qualname__");
}

static PyObject *managed_copy(PyObject *self, PyObject *argument) {
    (void)argument;
    return Py_NewRef(self);
}

static PyMethodDef managed_methods[] = {
    {"cache_info", cache_info, METH_NOARGS, cache_info_doc},
    {"cache_stats", cache_stats, METH_NOARGS, cache_stats_doc},
    {"cache_clear", cache_clear, METH_NOARGS, cache_clear_doc},
    {"cache_discard", (PyCFunction)(void (*)(void))cache_discard, METH_FASTCALL | METH_KEYWORDS,
     cache_discard_doc},
    {"__reduce__", managed_reduce, METH_NOARGS, NULL},
    {"__copy__", managed_copy, METH_VARARGS, NULL},
    {"__deepcopy__", managed_copy, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef managed_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef managed_members[] = {
    {"__dictoffset__", Py_T_PYSSIZET, offsetof(struct hasten_py_managed, dict), Py_READONLY, NULL},
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct hasten_py_managed, weakrefs), Py_READONLY,
     NULL},
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(struct hasten_py_managed, vectorcall),
     Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot managed_slots[] = {
    {Py_tp_new, managed_new},           {Py_tp_dealloc, managed_dealloc},
    {Py_tp_traverse, managed_traverse}, {Py_tp_clear, managed_clear},
    {Py_tp_call, PyVectorcall_Call},    {Py_tp_descr_get, managed_descr_get},
    {Py_tp_methods, managed_methods},   {Py_tp_getset, managed_getset},
    {Py_tp_members, managed_members},   {0, NULL},
};

PyType_Spec hasten_py_managed_spec = {
    .name = "hasten.functools._managed_cache_wrapper",
    .basicsize = sizeof(struct hasten_py_managed),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
             Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = managed_slots,
};
