/* SPDX-License-Identifier: MIT */
#include "ext/functools/managed.h"

#include <stddef.h>

#include "ext/functools/managed_awaited.h"
#include "ext/functools/module.h"

static struct hasten_py_managed *managed_of(PyObject *self) {
    return (struct hasten_py_managed *)self;
}

static PyObject *none_as_null(PyObject *object) {
    return object == Py_None ? NULL : Py_NewRef(object);
}

static bool take_options(struct hasten_py_managed *self, const struct hasten_ticks *ticks,
                         PyObject *args, PyObject *kwargs) {
    static char *names[] = {"user_function", "info_type", "stats_type",    "maxsize", "maxbytes",
                            "typed",         "policy",    "ttl",           "jitter",  "stale",
                            "clock",         "failures",  "failure_ttl",   "key",     "weigh",
                            "copy",          "on_evict",  "single_flight", "shared",  "front",
                            "flying",        NULL};
    PyObject *function = NULL;
    PyObject *info_type = NULL;
    PyObject *stats_type = NULL;
    PyObject *maxsize = NULL;
    PyObject *maxbytes = NULL;
    PyObject *failures = NULL;
    PyObject *key = NULL;
    PyObject *weigh = NULL;
    PyObject *copy = NULL;
    PyObject *on_evict = NULL;
    PyObject *front = NULL;
    PyObject *flying = NULL;
    const char *policy = NULL;
    int typed = 0;
    int single_flight = 0;
    int shared = 0;
    struct hasten_py_times times = {.clock = NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOO$OOpsdddOOdOOOOppOO:lru_cache", names,
                                     &function, &info_type, &stats_type, &maxsize, &maxbytes,
                                     &typed, &policy, &times.ttl_s, &times.jitter, &times.stale_s,
                                     &times.clock, &failures, &times.failure_s, &key, &weigh, &copy,
                                     &on_evict, &single_flight, &shared, &front, &flying)) {
        return false;
    }
    if (!PyCallable_Check(function)) {
        PyErr_SetString(PyExc_TypeError, "the first argument must be callable");
        return false;
    }
    if (flying != Py_None && !Py_IS_TYPE(flying, Py_TYPE(self))) {
        PyErr_SetString(PyExc_TypeError, "flying must be a cached function");
        return false;
    }
    if (failures == Py_None) {
        times.failure_s = 0;
    }
    if (!hasten_py_store_init(&self->store, maxsize, 0, maxbytes, policy, typed) ||
        !hasten_py_store_set_times(&self->store, ticks, &times)) {
        return false;
    }
    self->maxsize = maxsize == Py_None ? -1 : (Py_ssize_t)self->store.maxsize;
    self->is_single_flight = single_flight;
    self->shares_failures = shared;
    self->front = none_as_null(front);
    self->flying = none_as_null(flying);
    self->vectorcall = self->front == NULL ? hasten_py_call_managed : hasten_py_call_awaited;
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
    hasten_py_store_init_empty(&self->store);
    struct hasten_py_functools *state = PyModule_GetState(module);
    self->module = Py_NewRef(module);
    self->flights = &state->flights;
    if (!take_options(self, &state->ticks, args, kwargs)) {
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
    Py_VISIT(self->front);
    Py_VISIT(self->flying);
    Py_VISIT(self->dict);
    Py_VISIT(self->leases);
    const int answer = hasten_py_owner_visit(&self->owner, visit, arg);
    return answer != 0 ? answer : hasten_py_store_visit(&self->store, visit, arg);
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
    hasten_py_owner_clear(&self->owner);
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
    Py_CLEAR(self->front);
    Py_CLEAR(self->flying);
    Py_CLEAR(self->leases);
    Py_CLEAR(self->module);
    type->tp_free(object);
    Py_DECREF(type);
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
    Py_ssize_t hits = 0;
    Py_ssize_t misses = 0;
    Py_ssize_t size = 0;
    HASTEN_PY_BEGIN_LOCKED(object);
    hits = (Py_ssize_t)(self->store.hits + self->store.stale_hits);
    misses = (Py_ssize_t)self->store.misses;
    size = (Py_ssize_t)self->store.results.table.count;
    HASTEN_PY_END_LOCKED();
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
    struct hasten_py_counts counts;
    uint64_t waits = 0;
    double mean_s = 0;
    HASTEN_PY_BEGIN_LOCKED(object);
    counts = hasten_py_store_counts(&self->store);
    waits = self->waits;
    if (self->computations != 0) {
        mean_s = (double)self->computed_ns / 1e9 / (double)self->computations;
    }
    HASTEN_PY_END_LOCKED();
    return PyObject_CallFunction(self->stats_type, "KKKKKKKd", counts.hits, counts.misses,
                                 counts.evictions, counts.expirations, counts.stale_hits, waits,
                                 counts.size, mean_s * (double)(counts.hits + counts.stale_hits));
}

PyDoc_STRVAR(cache_clear_doc, "cache_clear($self, /)\n--\n\nClear the cache and cache statistics");

static PyObject *cache_clear(PyObject *object, PyObject *none) {
    (void)none;
    struct hasten_py_managed *self = managed_of(object);
    /* What goes on is for those who wait for it, and not to be kept. */
    if (self->flying != NULL) {
        forget_results(managed_of(self->flying), false);
    }
    forget_results(self, true);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(cache_discard_doc, "cache_discard($self, /, *args, **kwargs)\n--\n\n"
                                "Forget the result of one call; answers whether there was one.");

static PyObject *cache_discard(PyObject *object, PyObject *const *arguments, Py_ssize_t count,
                               PyObject *names) {
    struct hasten_py_managed *self = managed_of(object);
    struct hasten_py_keyed keyed;
    /* The instance is not among the arguments. */
    const Py_ssize_t owners = self->owner.arguments;
    if (!hasten_py_managed_describe(self, &keyed, arguments - owners, (size_t)(count + owners),
                                    names)) {
        return NULL;
    }
    int found = hasten_py_managed_forget(self, &keyed.call, NULL);
    if (found >= 0 && self->flying != NULL) {
        const int flew = hasten_py_managed_forget(managed_of(self->flying), &keyed.call, NULL);
        found = flew < 0 ? -1 : found | flew;
    }
    Py_XDECREF(keyed.key);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

static PyObject *managed_reduce(PyObject *self, PyObject *none) {
    (void)none;
    return hasten_py_owner_reduce(&managed_of(self)->owner, self);
}

static PyMethodDef managed_methods[] = {
    {"cache_info", cache_info, METH_NOARGS, cache_info_doc},
    {"cache_stats", cache_stats, METH_NOARGS, cache_stats_doc},
    {"cache_clear", cache_clear, METH_NOARGS, cache_clear_doc},
    {"cache_discard", (PyCFunction)(void (*)(void))cache_discard, METH_FASTCALL | METH_KEYWORDS,
     cache_discard_doc},
    HASTEN_PY_AWAITED_METHODS,
    {"__reduce__", managed_reduce, METH_NOARGS, NULL},
    HASTEN_PY_FUNCTION_COPIES,
    {NULL, NULL, 0, NULL},
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
    {Py_tp_call, PyVectorcall_Call},    {Py_tp_descr_get, hasten_py_function_get},
    {Py_tp_methods, managed_methods},   {Py_tp_getset, hasten_py_function_getset},
    {Py_tp_members, managed_members},   {0, NULL},
};

PyType_Spec hasten_py_managed_spec = {
    .name = "hasten.functools._managed_cache_wrapper",
    .basicsize = sizeof(struct hasten_py_managed),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
             Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = managed_slots,
};
