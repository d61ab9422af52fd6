/* SPDX-License-Identifier: MIT */
#include "ext/functools/mapping.h"

#include <stddef.h>

#include "ext/functools/module.h"

struct mapping {
    PyObject_HEAD struct hasten_py_store store;
    PyObject *weigh;
    PyObject *on_evict;
    PyObject *weakrefs;
};

static struct mapping *mapping_of(PyObject *self) {
    return (struct mapping *)self;
}

static bool take_options(struct mapping *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"maxsize", "maxbytes", "policy",   "ttl", "jitter",
                            "clock",   "weigh",    "on_evict", NULL};
    PyObject *maxsize = Py_None;
    PyObject *maxbytes = Py_None;
    PyObject *weigh = Py_None;
    PyObject *on_evict = Py_None;
    const char *policy = "lru";
    struct hasten_py_times times = {.clock = Py_None};
    const struct hasten_py_functools *state = hasten_py_functools_of(Py_TYPE(self));
    if (state == NULL) {
        return false;
    }
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OOsddOOO:Cache", names, &maxsize, &maxbytes,
                                     &policy, &times.ttl_s, &times.jitter, &times.clock, &weigh,
                                     &on_evict) ||
        !hasten_py_store_init(&self->store, maxsize, 1, maxbytes, policy, false) ||
        !hasten_py_store_set_times(&self->store, &state->ticks, &times)) {
        return false;
    }
    self->weigh = weigh == Py_None ? NULL : Py_NewRef(weigh);
    self->on_evict = on_evict == Py_None ? NULL : Py_NewRef(on_evict);
    return true;
}

static PyObject *mapping_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    struct mapping *self = (struct mapping *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    hasten_py_store_init_empty(&self->store);
    if (!take_options(self, args, kwargs)) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int mapping_traverse(PyObject *object, visitproc visit, void *arg) {
    struct mapping *self = mapping_of(object);
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->weigh);
    Py_VISIT(self->on_evict);
    return hasten_py_store_visit(&self->store, visit, arg);
}

static void forget_all(struct mapping *self) {
    struct hasten_py_garbage garbage = {.count = 0};
    HASTEN_PY_BEGIN_LOCKED((PyObject *)self);
    hasten_py_store_clear(&self->store, &garbage);
    HASTEN_PY_END_LOCKED();
    hasten_py_garbage_drop(&self->store.results, &garbage);
}

/* What is called while a call goes on stays. */
static int mapping_clear(PyObject *object) {
    forget_all(mapping_of(object));
    return 0;
}

static void mapping_dealloc(PyObject *object) {
    struct mapping *self = mapping_of(object);
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    (void)mapping_clear(object);
    hasten_py_store_done(&self->store);
    Py_CLEAR(self->weigh);
    Py_CLEAR(self->on_evict);
    type->tp_free(object);
    Py_DECREF(type);
}

/* The value of a key: 1 with a new reference, 0, or -1 with an exception set. `taken`:
 * it is taken out; `counted`: it was asked for. */
static int find(struct mapping *self, PyObject *key, bool is_taken, bool is_counted,
                PyObject **ret_value) {
    struct hasten_py_call call;
    int64_t now_ns = 0;
    if (!hasten_py_call_any(&call, &key, 1, NULL) || !hasten_py_store_now(&self->store, &now_ns)) {
        return -1;
    }
    struct hasten_py_garbage garbage = {.count = 0};
    struct hasten_py_result *result = NULL;
    enum hasten_py_found found = HASTEN_PY_ABSENT;
    HASTEN_PY_BEGIN_LOCKED((PyObject *)self);
    found = hasten_py_store_find(&self->store, &call, now_ns, &result, &garbage);
    if (found == HASTEN_PY_FRESH) {
        *ret_value = Py_NewRef(result->value);
        if (is_counted) {
            hasten_py_store_hit(&self->store, result);
        }
        if (is_taken) {
            hasten_py_kept_of(result)->is_untold = true;
            hasten_py_store_take_out(&self->store, result, &garbage);
        }
    } else if (found == HASTEN_PY_ABSENT && is_counted) {
        self->store.misses++;
    }
    HASTEN_PY_END_LOCKED();
    if (garbage.chain != NULL && hasten_py_store_tell(&self->store, self->on_evict, &garbage) < 0) {
        if (found == HASTEN_PY_FRESH) {
            Py_CLEAR(*ret_value);
        }
        return -1;
    }
    return (int)found;
}

static PyObject *mapping_subscript(PyObject *object, PyObject *key) {
    PyObject *value = NULL;
    const int found = find(mapping_of(object), key, false, true, &value);
    if (found != 0) {
        return found < 0 ? NULL : value;
    }
    /* As dict does for its subclasses. */
    PyObject *name = PyUnicode_FromString("__missing__");
    if (name == NULL) {
        return NULL;
    }
    const bool has_missing = _PyType_Lookup(Py_TYPE(object), name) != NULL;
    value = has_missing ? PyObject_CallMethodOneArg(object, name, key) : NULL;
    Py_DECREF(name);
    if (!has_missing) {
        PyErr_SetObject(PyExc_KeyError, key);
    }
    return value;
}

static int store_value(struct mapping *self, PyObject *key, PyObject *value) {
    struct hasten_py_call call;
    uint64_t size = 1;
    int64_t now_ns = 0;
    if (!hasten_py_call_any(&call, &key, 1, NULL) || !hasten_py_weigh(self->weigh, value, &size) ||
        !hasten_py_store_now(&self->store, &now_ns)) {
        return -1;
    }
    if (size > self->store.policy.capacity) {
        PyErr_SetString(PyExc_ValueError, "value too large");
        return -1;
    }
    struct hasten_py_garbage garbage = {.count = 0};
    bool is_kept = false;
    HASTEN_PY_BEGIN_LOCKED((PyObject *)self);
    is_kept = hasten_py_store_keep(&self->store, &call, value, size, now_ns, false, &garbage);
    HASTEN_PY_END_LOCKED();
    if (!is_kept) {
        const struct hasten_py_exception exception = hasten_py_exception_take();
        hasten_py_garbage_drop(&self->store.results, &garbage);
        hasten_py_exception_put(exception);
        return -1;
    }
    return hasten_py_store_tell(&self->store, self->on_evict, &garbage);
}

static int mapping_ass_subscript(PyObject *object, PyObject *key, PyObject *value) {
    if (value != NULL) {
        return store_value(mapping_of(object), key, value);
    }
    PyObject *old = NULL;
    const int found = find(mapping_of(object), key, true, false, &old);
    Py_XDECREF(old);
    if (found == 0) {
        PyErr_SetObject(PyExc_KeyError, key);
    }
    return found == 1 ? 0 : -1;
}

static int mapping_contains(PyObject *object, PyObject *key) {
    PyObject *value = NULL;
    const int found = find(mapping_of(object), key, false, false, &value);
    Py_XDECREF(value);
    return found;
}

/* Takes out what has come to its end. */
static bool sweep(struct mapping *self) {
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

static Py_ssize_t mapping_length(PyObject *object) {
    struct mapping *self = mapping_of(object);
    return sweep(self) ? (Py_ssize_t)self->store.results.table.count : -1;
}

/* Keys and values in turns, those that would go first at the front. The list is made
 * before: nothing that the program could notice may happen while queues are walked. */
static PyObject *snapshot(PyObject *object, PyObject *none) {
    (void)none;
    struct mapping *self = mapping_of(object);
    if (!sweep(self)) {
        return NULL;
    }
    const size_t room = self->store.policy.count;
    PyObject *flat = PyList_New((Py_ssize_t)room * 2);
    if (flat == NULL) {
        return NULL;
    }
    Py_ssize_t count = 0;
    HASTEN_PY_BEGIN_LOCKED(object);
    for (size_t i = 0; i < HASTEN_CACHE_QUEUES; i++) {
        struct hasten_cache_turn *root = &self->store.policy.queues[i].root;
        for (struct hasten_cache_turn *turn = root->newer;
             turn != root && count < (Py_ssize_t)room * 2; turn = turn->newer) {
            struct hasten_py_kept *kept = (struct hasten_py_kept *)turn;
            struct hasten_py_result *result = (struct hasten_py_result *)(kept + 1);
            PyList_SET_ITEM(flat, count, Py_NewRef(result->arguments[0]));
            PyList_SET_ITEM(flat, count + 1, Py_NewRef(result->value));
            count += 2;
        }
    }
    HASTEN_PY_END_LOCKED();
    /* Making the list may have run code that took some out. */
    for (Py_ssize_t i = count; i < (Py_ssize_t)room * 2; i++) {
        PyList_SET_ITEM(flat, i, Py_NewRef(Py_None));
    }
    if (count < (Py_ssize_t)room * 2 &&
        PyList_SetSlice(flat, count, (Py_ssize_t)room * 2, NULL) < 0) {
        Py_CLEAR(flat);
    }
    return flat;
}

static PyObject *mapping_iter(PyObject *object) {
    PyObject *flat = snapshot(object, NULL);
    if (flat == NULL) {
        return NULL;
    }
    const Py_ssize_t count = PyList_GET_SIZE(flat) / 2;
    PyObject *keys = PyTuple_New(count);
    for (Py_ssize_t i = 0; i < count && keys != NULL; i++) {
        PyTuple_SET_ITEM(keys, i, Py_NewRef(PyList_GET_ITEM(flat, i * 2)));
    }
    Py_DECREF(flat);
    PyObject *iterator = keys == NULL ? NULL : PyObject_GetIter(keys);
    Py_XDECREF(keys);
    return iterator;
}

PyDoc_STRVAR(pop_doc, "pop($self, key, default=<unrepresentable>, /)\n--\n\n"
                      "Take a key out; its value, or the default where it is not there.");

static PyObject *pop(PyObject *object, PyObject *const *arguments, Py_ssize_t count) {
    if (count < 1 || count > 2) {
        PyErr_Format(PyExc_TypeError, "pop expected 1 or 2 arguments, got %zd", count);
        return NULL;
    }
    PyObject *value = NULL;
    const int found = find(mapping_of(object), arguments[0], true, false, &value);
    if (found == 0 && count == 2) {
        return Py_NewRef(arguments[1]);
    }
    if (found == 0) {
        PyErr_SetObject(PyExc_KeyError, arguments[0]);
    }
    return value;
}

PyDoc_STRVAR(get_doc, "get($self, key, default=None)\n--\n\n"
                      "The value of a key, or the default where it is not there.");

/* Without __missing__, as dict's. */
static PyObject *get(PyObject *object, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"key", "default", NULL};
    PyObject *key = NULL;
    PyObject *otherwise = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:get", names, &key, &otherwise)) {
        return NULL;
    }
    PyObject *value = NULL;
    const int found = find(mapping_of(object), key, false, true, &value);
    return found != 0 ? value : Py_NewRef(otherwise);
}

PyDoc_STRVAR(clear_doc, "clear($self, /)\n--\n\nTake everything out.");

static PyObject *clear_method(PyObject *object, PyObject *none) {
    (void)none;
    forget_all(mapping_of(object));
    Py_RETURN_NONE;
}

PyDoc_STRVAR(popitem_doc, "popitem($self, /)\n--\n\n"
                          "Take out what would go next for lack of room: its key and value.");

static PyObject *popitem(PyObject *object, PyObject *none) {
    (void)none;
    struct mapping *self = mapping_of(object);
    if (!sweep(self)) {
        return NULL;
    }
    struct hasten_py_garbage garbage = {.count = 0};
    PyObject *key = NULL;
    PyObject *value = NULL;
    HASTEN_PY_BEGIN_LOCKED(object);
    struct hasten_py_result *result = hasten_py_store_evict(&self->store, &garbage);
    if (result != NULL) {
        hasten_py_kept_of(result)->is_untold = true;
        key = Py_NewRef(result->arguments[0]);
        value = Py_NewRef(result->value);
    }
    HASTEN_PY_END_LOCKED();
    hasten_py_garbage_drop(&self->store.results, &garbage);
    if (key == NULL) {
        PyErr_SetString(PyExc_KeyError, "the cache is empty");
        return NULL;
    }
    return Py_BuildValue("(NN)", key, value);
}

PyDoc_STRVAR(counts_doc, "_counts($self, /)\n--\n\n"
                         "Hits, misses, evictions, expirations, what all weigh.");

static PyObject *counts_method(PyObject *object, PyObject *none) {
    (void)none;
    struct mapping *self = mapping_of(object);
    if (!sweep(self)) {
        return NULL;
    }
    struct hasten_py_counts counts;
    HASTEN_PY_BEGIN_LOCKED(object);
    counts = hasten_py_store_counts(&self->store);
    HASTEN_PY_END_LOCKED();
    return Py_BuildValue("(KKKKK)", counts.hits, counts.misses, counts.evictions,
                         counts.expirations, counts.size);
}

static PyMethodDef mapping_methods[] = {
    {"clear", clear_method, METH_NOARGS, clear_doc},
    {"popitem", popitem, METH_NOARGS, popitem_doc},
    {"get", (PyCFunction)(void (*)(void))get, METH_VARARGS | METH_KEYWORDS, get_doc},
    {"pop", (PyCFunction)(void (*)(void))pop, METH_FASTCALL, pop_doc},
    {"_snapshot", snapshot, METH_NOARGS, NULL},
    {"_counts", counts_method, METH_NOARGS, counts_doc},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef mapping_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct mapping, weakrefs), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot mapping_slots[] = {
    {Py_tp_new, mapping_new},
    {Py_tp_dealloc, mapping_dealloc},
    {Py_tp_traverse, mapping_traverse},
    {Py_tp_clear, mapping_clear},
    {Py_tp_iter, mapping_iter},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_methods, mapping_methods},
    {Py_tp_members, mapping_members},
    {Py_mp_subscript, mapping_subscript},
    {Py_mp_ass_subscript, mapping_ass_subscript},
    {Py_mp_length, mapping_length},
    {Py_sq_contains, mapping_contains},
    {0, NULL},
};

PyType_Spec hasten_py_mapping_spec = {
    .name = "hasten.functools._Mapping",
    .basicsize = sizeof(struct mapping),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = mapping_slots,
};
