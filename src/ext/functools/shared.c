/* SPDX-License-Identifier: MIT */
#include "ext/functools/shared.h"

#include <stddef.h>

#include "ext/functools/managed.h"
#include "ext/functools/module.h"

static struct hasten_py_leases *leases_of(PyObject *self) {
    return (struct hasten_py_leases *)self;
}

static struct hasten_py_lease *lease_of(PyObject *self) {
    return (struct hasten_py_lease *)self;
}

static struct hasten_py_lease *lease_of_entry(struct hasten_cache_entry *entry) {
    return (struct hasten_py_lease *)((char *)entry - offsetof(struct hasten_py_lease, entry));
}

static uint32_t tag_of(PyObject *key) {
    /* Of bytes: neither fails nor runs code of the program. */
    return hasten_cache_tag((uint64_t)PyObject_Hash(key));
}

static bool same_key(PyObject *key, PyObject *other) {
    const Py_ssize_t size = PyBytes_GET_SIZE(key);
    return key == other ||
           (size == PyBytes_GET_SIZE(other) &&
            memcmp(PyBytes_AS_STRING(key), PyBytes_AS_STRING(other), (size_t)size) == 0);
}

/* A lease. */

bool hasten_py_lease_keep(struct hasten_py_leases *leases, PyObject *value, uint32_t tag) {
    struct hasten_py_lease *lease = lease_of(value);
    const struct hasten_py_functools *state = hasten_py_functools_of(Py_TYPE(leases));
    if (state == NULL) {
        return false;
    }
    if (Py_TYPE(value) != state->lease_type || lease->leases != leases || lease->value == NULL) {
        PyErr_SetString(PyExc_TypeError, "what computes shared results must answer a lease of one");
        return false;
    }
    lease->tag = tag;
    lease->is_kept = true;
    return hasten_py_lease_is_alive(lease);
}

PyObject *hasten_py_lease_open(PyObject *lease) {
    PyObject *value = Py_NewRef(lease_of(lease)->value);
    Py_DECREF(lease);
    return value;
}

static int lease_traverse(PyObject *object, visitproc visit, void *arg) {
    const struct hasten_py_lease *lease = lease_of(object);
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(lease->leases);
    Py_VISIT(lease->value);
    return 0;
}

/* Its table stays, for it must be taken out of that. It is over first: a call that is
 * made while references are cleared must not find it without a value. */
static int lease_clear(PyObject *object) {
    atomic_store_explicit(&lease_of(object)->epoch, 0, memory_order_relaxed);
    Py_CLEAR(lease_of(object)->value);
    return 0;
}

static void lease_dealloc(PyObject *object) {
    struct hasten_py_lease *lease = lease_of(object);
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    HASTEN_PY_BEGIN_LOCKED((PyObject *)lease->leases);
    hasten_cache_table_remove(&lease->leases->table, &lease->entry);
    HASTEN_PY_END_LOCKED();
    (void)lease_clear(object);
    Py_CLEAR(lease->key);
    Py_CLEAR(lease->leases);
    type->tp_free(object);
    Py_DECREF(type);
}

PyDoc_STRVAR(hold_doc, "hold($self, value, /)\n--\n\nWhat it is of; once.");

static PyObject *hold(PyObject *object, PyObject *value) {
    struct hasten_py_lease *lease = lease_of(object);
    if (lease->value != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the lease holds something already");
        return NULL;
    }
    lease->value = Py_NewRef(value);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(limit_doc, "limit($self, seconds, stale, /)\n--\n\n"
                        "For how long from now it is fresh at most, and for how long after "
                        "that stale.");

static PyObject *limit(PyObject *object, PyObject *const *arguments, Py_ssize_t count) {
    struct hasten_py_lease *lease = lease_of(object);
    if (count != 2) {
        PyErr_Format(PyExc_TypeError, "limit expected 2 arguments, got %zd", count);
        return NULL;
    }
    const double seconds = PyFloat_AsDouble(arguments[0]);
    const double stale_s = PyFloat_AsDouble(arguments[1]);
    if (PyErr_Occurred()) {
        return NULL;
    }
    lease->stale_ns = stale_s > 0 ? hasten_py_nanoseconds(stale_s) : 0;
    lease->end_ns = hasten_py_lease_now() + (seconds > 0 ? hasten_py_nanoseconds(seconds) : 0);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(lease_revoke_doc, "revoke($self, /)\n--\n\nWhat it holds may not be kept.");

static PyObject *lease_revoke(PyObject *object, PyObject *none) {
    (void)none;
    atomic_store_explicit(&lease_of(object)->epoch, 0, memory_order_relaxed);
    Py_RETURN_NONE;
}

static PyObject *lease_value(PyObject *object, void *closure) {
    (void)closure;
    const struct hasten_py_lease *lease = lease_of(object);
    return Py_NewRef(lease->value == NULL ? Py_None : lease->value);
}

static PyObject *lease_is_alive(PyObject *object, void *closure) {
    (void)closure;
    return PyBool_FromLong(hasten_py_lease_is_alive(lease_of(object)));
}

static PyMethodDef lease_methods[] = {
    {"hold", hold, METH_O, hold_doc},
    {"limit", (PyCFunction)(void (*)(void))limit, METH_FASTCALL, limit_doc},
    {"revoke", lease_revoke, METH_NOARGS, lease_revoke_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef lease_getset[] = {
    {"value", lease_value, NULL, "what it is of; None until that is known", NULL},
    {"is_alive", lease_is_alive, NULL, "whether what it holds may be believed", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot lease_slots[] = {
    {Py_tp_dealloc, lease_dealloc}, {Py_tp_traverse, lease_traverse}, {Py_tp_clear, lease_clear},
    {Py_tp_methods, lease_methods}, {Py_tp_getset, lease_getset},     {0, NULL},
};

PyType_Spec hasten_py_lease_spec = {
    .name = "hasten._functools._Lease",
    .basicsize = sizeof(struct hasten_py_lease),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = lease_slots,
};

/* The leases of a function. */

static PyObject *leases_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, ":_Leases", names)) {
        return NULL;
    }
    struct hasten_py_leases *self = (struct hasten_py_leases *)type->tp_alloc(type, 0);
    if (self != NULL) {
        hasten_cache_table_init(&self->table, NULL);
        atomic_init(&self->epoch, 1);
    }
    return (PyObject *)self;
}

static int leases_traverse(PyObject *object, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(leases_of(object)->keeper);
    return 0;
}

static int leases_clear(PyObject *object) {
    Py_CLEAR(leases_of(object)->keeper);
    return 0;
}

static void leases_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    (void)leases_clear(object);
    /* Each lease holds its table: there is none. */
    hasten_cache_table_done(&leases_of(object)->table);
    type->tp_free(object);
    Py_DECREF(type);
}

PyDoc_STRVAR(announce_doc, "announce($self, key, /)\n--\n\n"
                           "A lease for what the server will be asked for.");

static PyObject *announce(PyObject *object, PyObject *key) {
    struct hasten_py_leases *self = leases_of(object);
    const struct hasten_py_functools *state = hasten_py_functools_of(Py_TYPE(object));
    if (!PyBytes_CheckExact(key)) {
        PyErr_SetString(PyExc_TypeError, "a key is of bytes");
        return NULL;
    }
    if (state == NULL) {
        return NULL;
    }
    struct hasten_py_lease *lease =
        (struct hasten_py_lease *)state->lease_type->tp_alloc(state->lease_type, 0);
    if (lease == NULL) {
        return NULL;
    }
    lease->leases = (struct hasten_py_leases *)Py_NewRef(object);
    lease->key = Py_NewRef(key);
    lease->end_ns = INT64_MAX;
    lease->entry.tag = tag_of(key);
    HASTEN_PY_BEGIN_LOCKED(object);
    atomic_init(&lease->epoch, atomic_load_explicit(&self->epoch, memory_order_relaxed));
    (void)hasten_cache_table_insert(&self->table, &lease->entry);
    HASTEN_PY_END_LOCKED();
    return (PyObject *)lease;
}

/* Ends one lease of the key that is not over; its address and tag, to be compared only. */
static const void *end_one(struct hasten_py_leases *self, PyObject *key, uint32_t *ret_tag,
                           bool *ret_is_kept) {
    const uint32_t tag = tag_of(key);
    struct hasten_cache_entry *entry = hasten_cache_table_first(&self->table, tag);
    for (; entry != NULL; entry = entry->chain) {
        struct hasten_py_lease *lease = lease_of_entry(entry);
        if (entry->tag == tag && same_key(lease->key, key) && hasten_py_lease_is_alive(lease)) {
            atomic_store_explicit(&lease->epoch, 0, memory_order_relaxed);
            *ret_tag = lease->tag;
            *ret_is_kept = lease->is_kept;
            return lease;
        }
    }
    return NULL;
}

/* What has the tag and this very value, which is compared by its address only. */
static void take_out(struct hasten_py_managed *keeper, uint32_t tag, const void *value) {
    struct hasten_py_garbage garbage = {.count = 0};
    HASTEN_PY_BEGIN_LOCKED((PyObject *)keeper);
    struct hasten_cache_entry *entry = hasten_cache_table_first(&keeper->store.results.table, tag);
    while (entry != NULL && ((struct hasten_py_result *)entry)->value != value) {
        entry = entry->chain;
    }
    if (entry != NULL) {
        struct hasten_py_result *result = (struct hasten_py_result *)entry;
        hasten_py_kept_of(result)->is_untold = true;
        hasten_py_store_take_out(&keeper->store, result, &garbage);
    }
    HASTEN_PY_END_LOCKED();
    hasten_py_garbage_drop(&keeper->store.results, &garbage);
}

PyDoc_STRVAR(revoke_doc, "revoke($self, key, /)\n--\n\n"
                         "End the leases of a key; answers how many there were.");

static PyObject *revoke_key(PyObject *object, PyObject *key) {
    struct hasten_py_leases *self = leases_of(object);
    if (!PyBytes_CheckExact(key)) {
        PyErr_SetString(PyExc_TypeError, "a key is of bytes");
        return NULL;
    }
    long count = 0;
    for (;; count++) {
        const void *lease = NULL;
        uint32_t tag = 0;
        bool is_kept = false;
        HASTEN_PY_BEGIN_LOCKED(object);
        lease = end_one(self, key, &tag, &is_kept);
        HASTEN_PY_END_LOCKED();
        if (lease == NULL) {
            return PyLong_FromLong(count);
        }
        if (is_kept && self->keeper != NULL) {
            take_out(self->keeper, tag, lease);
        }
    }
}

PyDoc_STRVAR(revoke_all_doc, "revoke_all($self, /)\n--\n\n"
                             "End all leases, those of calls that are going on too.");

static PyObject *revoke_all(PyObject *object, PyObject *none) {
    (void)none;
    struct hasten_py_leases *self = leases_of(object);
    atomic_fetch_add_explicit(&self->epoch, 1, memory_order_relaxed);
    struct hasten_py_managed *keeper = self->keeper;
    if (keeper != NULL) {
        struct hasten_py_garbage garbage = {.count = 0};
        HASTEN_PY_BEGIN_LOCKED((PyObject *)keeper);
        hasten_py_store_clear(&keeper->store, &garbage);
        HASTEN_PY_END_LOCKED();
        hasten_py_garbage_drop(&keeper->store.results, &garbage);
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(serve_doc, "serve($self, cached, /)\n--\n\n"
                        "Be the leases of a cached function that was never called.");

static PyObject *serve(PyObject *object, PyObject *cached) {
    struct hasten_py_leases *self = leases_of(object);
    PyObject *module = hasten_py_functools_module(Py_TYPE(object));
    PyObject *type =
        module == NULL ? NULL : PyObject_GetAttrString(module, "_managed_cache_wrapper");
    if (type == NULL) {
        return NULL;
    }
    const bool fits = (PyObject *)Py_TYPE(cached) == type && self->keeper == NULL;
    Py_DECREF(type);
    if (!fits) {
        PyErr_SetString(PyExc_TypeError, "leases are of one cached function");
        return NULL;
    }
    struct hasten_py_managed *keeper = (struct hasten_py_managed *)cached;
    Py_INCREF(object);
    Py_XSETREF(keeper->leases, self);
    self->keeper = (struct hasten_py_managed *)Py_NewRef(cached);
    Py_RETURN_NONE;
}

static PyMethodDef leases_methods[] = {
    {"announce", announce, METH_O, announce_doc},
    {"revoke", revoke_key, METH_O, revoke_doc},
    {"revoke_all", revoke_all, METH_NOARGS, revoke_all_doc},
    {"serve", serve, METH_O, serve_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot leases_slots[] = {
    {Py_tp_new, leases_new},     {Py_tp_dealloc, leases_dealloc}, {Py_tp_traverse, leases_traverse},
    {Py_tp_clear, leases_clear}, {Py_tp_methods, leases_methods}, {0, NULL},
};

PyType_Spec hasten_py_leases_spec = {
    .name = "hasten._functools._Leases",
    .basicsize = sizeof(struct hasten_py_leases),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = leases_slots,
};
