/* SPDX-License-Identifier: MIT
 *
 * What the interpreter asks of an object by its type, besides numbers: comparison, text,
 * calls, items, iteration, buffers, await. */
#include "ext/common/pycompat_types.h"
#include "ext/lazy/proxy.h"

static Py_hash_t slot_hash(PyObject *self) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return -1;
    }
    const Py_hash_t answer = PyObject_Hash(held.object);
    hasten_py_release(held);
    return answer;
}

static PyObject *slot_richcompare(PyObject *self, PyObject *other, int operation) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return NULL;
    }
    const struct hasten_py_held operand = hasten_py_operand_hold(other);
    PyObject *answer = operand.object == NULL
                           ? NULL
                           : PyObject_RichCompare(held.object, operand.object, operation);
    hasten_py_release(operand);
    hasten_py_release(held);
    return answer;
}

static PyObject *slot_str(PyObject *self) {
    return hasten_py_proxy_pass(self, PyObject_Str);
}

/* Does not make the object: who debugs a program wants to look without changing it. */
static PyObject *slot_repr(PyObject *self) {
    const char *dot = strrchr(Py_TYPE(self)->tp_name, '.');
    const char *name = dot == NULL ? Py_TYPE(self)->tp_name : dot + 1;
    const int is_within = Py_ReprEnter(self);
    if (is_within != 0) {
        return is_within < 0 ? NULL : PyUnicode_FromFormat("<%s at %p ...>", name, (void *)self);
    }
    PyObject *factory = NULL;
    HASTEN_PY_BEGIN_LOCKED(self)
    factory = Py_XNewRef(((struct hasten_py_proxy *)self)->factory);
    HASTEN_PY_END_LOCKED()
    PyObject *wrapped = hasten_py_proxy_peek(self);
    PyObject *text = NULL;
    if (wrapped != NULL) {
        text =
            PyUnicode_FromFormat("<%s at %p wrapping %R at %p with factory %R>", name, (void *)self,
                                 wrapped, (void *)wrapped, factory == NULL ? Py_None : factory);
    } else {
        text = PyUnicode_FromFormat("<%s at %p with factory %R>", name, (void *)self,
                                    factory == NULL ? Py_None : factory);
    }
    Py_XDECREF(wrapped);
    Py_XDECREF(factory);
    Py_ReprLeave(self);
    return text;
}

/* Items. */

/* As the interpreter's own functions, without the way through them. */

static inline Py_ssize_t length(PyObject *object) {
    const PySequenceMethods *sequence = Py_TYPE(object)->tp_as_sequence;
    return sequence != NULL && sequence->sq_length != NULL ? sequence->sq_length(object)
                                                           : PyObject_Size(object);
}

static inline PyObject *item(PyObject *object, PyObject *key) {
    const PyMappingMethods *mapping = Py_TYPE(object)->tp_as_mapping;
    return mapping != NULL && mapping->mp_subscript != NULL ? mapping->mp_subscript(object, key)
                                                            : PyObject_GetItem(object, key);
}

/* Whether it is a list or the like of the interpreter's own, which tells its length and its
 * items by number without running anything of the program. */
static inline bool is_simple(PyObject *object, unsigned long kinds) {
    const unsigned long flags = Py_TYPE(object)->tp_flags;
    return (flags & kinds) != 0 && (flags & Py_TPFLAGS_HEAPTYPE) == 0;
}

/* Apart, so that the short way has no registers to save. */
static HASTEN_PY_APART Py_ssize_t ask_length(PyObject *self) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return -1;
    }
    const Py_ssize_t answer = length(held.object);
    hasten_py_release(held);
    return answer;
}

static Py_ssize_t slot_length(PyObject *self) {
    if (hasten_py_proxy_is_ready(self)) {
        PyObject *object = hasten_py_proxy_glance(self);
        if (PyList_CheckExact(object) || PyTuple_CheckExact(object)) {
            return Py_SIZE(object);
        }
        if (is_simple(object, Py_TPFLAGS_DICT_SUBCLASS | Py_TPFLAGS_UNICODE_SUBCLASS |
                                  Py_TPFLAGS_BYTES_SUBCLASS)) {
            return length(object);
        }
    }
    return ask_length(self);
}

static HASTEN_PY_APART PyObject *ask_item(PyObject *self, PyObject *key) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return NULL;
    }
    PyObject *answer = item(held.object, key);
    hasten_py_release(held);
    return answer;
}

static PyObject *slot_subscript(PyObject *self, PyObject *key) {
    if (hasten_py_proxy_is_ready(self) && PyLong_CheckExact(key)) {
        PyObject *object = hasten_py_proxy_glance(self);
        if (is_simple(object, Py_TPFLAGS_LIST_SUBCLASS | Py_TPFLAGS_TUPLE_SUBCLASS)) {
            return item(object, key);
        }
    }
    return ask_item(self, key);
}

static int slot_ass_subscript(PyObject *self, PyObject *key, PyObject *value) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return -1;
    }
    const int answer = value == NULL ? PyObject_DelItem(held.object, key)
                                     : PyObject_SetItem(held.object, key, value);
    hasten_py_release(held);
    return answer;
}

static int slot_contains(PyObject *self, PyObject *value) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        return -1;
    }
    const int answer = PySequence_Contains(held.object, value);
    hasten_py_release(held);
    return answer;
}

/* Iteration. */

static inline PyObject *iterator_of(PyObject *object) {
    const getiterfunc get = Py_TYPE(object)->tp_iter;
    if (get == NULL) {
        return PyObject_GetIter(object);
    }
    PyObject *iterator = get(object);
    if (iterator != NULL && !PyIter_Check(iterator)) {
        PyErr_Format(PyExc_TypeError, "iter() returned non-iterator of type '%.100s'",
                     Py_TYPE(iterator)->tp_name);
        Py_CLEAR(iterator);
    }
    return iterator;
}

static HASTEN_PY_APART PyObject *ask_iterator(PyObject *self) {
    return hasten_py_proxy_pass(self, iterator_of);
}

static PyObject *slot_iter(PyObject *self) {
    if (!hasten_py_proxy_is_ready(self)) {
        return ask_iterator(self);
    }
    PyObject *object = hasten_py_proxy_glance(self);
    if (hasten_py_makes_quietly() && (PyList_CheckExact(object) || PyTuple_CheckExact(object))) {
        return Py_TYPE(object)->tp_iter(object);
    }
    Py_INCREF(object);
    PyObject *iterator = iterator_of(object);
    Py_DECREF(object);
    return iterator;
}

static PyObject *next(PyObject *iterator) {
    if (!PyIter_Check(iterator)) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not an iterator",
                     Py_TYPE(iterator)->tp_name);
        return NULL;
    }
    return Py_TYPE(iterator)->tp_iternext(iterator);
}

static PyObject *slot_iternext(PyObject *self) {
    return hasten_py_proxy_pass(self, next);
}

/* Asynchronous forms. */

/* What a coroutine is awaited by is the interpreter's own affair, which would not be asked
 * whether somebody awaits it already: so a coroutine of ours awaits it. */
static PyObject *await_coroutine(PyObject *coroutine) {
    PyObject *module = PyImport_ImportModule("hasten.lazy._awaiting");
    PyObject *outer =
        module == NULL ? NULL : PyObject_CallMethod(module, "wait_for", "O", coroutine);
    PyObject *iterator = outer == NULL ? NULL : PyObject_CallMethod(outer, "__await__", NULL);
    Py_XDECREF(outer);
    Py_XDECREF(module);
    return iterator;
}

static bool is_coroutine(PyObject *object) {
    bool is_one = PyCoro_CheckExact(object);
    if (PyGen_CheckExact(object)) {
        PyCodeObject *code = hasten_py_generator_code(object);
        is_one = (code->co_flags & CO_ITERABLE_COROUTINE) != 0;
        Py_DECREF(code);
    }
    return is_one;
}

static PyObject *await(PyObject *object) {
    if (is_coroutine(object)) {
        return await_coroutine(object);
    }
    const PyAsyncMethods *methods = Py_TYPE(object)->tp_as_async;
    if (methods == NULL || methods->am_await == NULL) {
        PyErr_Format(PyExc_TypeError, "object %.100s can't be used in 'await' expression",
                     Py_TYPE(object)->tp_name);
        return NULL;
    }
    return methods->am_await(object);
}

static PyObject *slot_await(PyObject *self) {
    return hasten_py_proxy_pass(self, await);
}

static PyObject *async_iterator_of(PyObject *object) {
    const PyAsyncMethods *methods = Py_TYPE(object)->tp_as_async;
    if (methods == NULL || methods->am_aiter == NULL) {
        PyErr_Format(PyExc_TypeError,
                     "'async for' requires an object with __aiter__ method, got %.100s",
                     Py_TYPE(object)->tp_name);
        return NULL;
    }
    return methods->am_aiter(object);
}

static PyObject *slot_aiter(PyObject *self) {
    return hasten_py_proxy_pass(self, async_iterator_of);
}

static PyObject *async_next(PyObject *iterator) {
    const PyAsyncMethods *methods = Py_TYPE(iterator)->tp_as_async;
    if (methods == NULL || methods->am_anext == NULL) {
        PyErr_Format(PyExc_TypeError,
                     "'async for' requires an iterator with __anext__ method, got %.100s",
                     Py_TYPE(iterator)->tp_name);
        return NULL;
    }
    return methods->am_anext(iterator);
}

static PyObject *slot_anext(PyObject *self) {
    return hasten_py_proxy_pass(self, async_next);
}

/* Buffers: the view is of the other object, which is told when it is released. */
static int slot_getbuffer(PyObject *self, Py_buffer *view, int flags) {
    const struct hasten_py_held held = hasten_py_proxy_hold(self);
    if (held.object == NULL) {
        view->obj = NULL;
        return -1;
    }
    const int answer = PyObject_GetBuffer(held.object, view, flags);
    hasten_py_release(held);
    return answer;
}

const PyType_Slot hasten_py_protocol_slots[] = {
    {Py_tp_hash, slot_hash},
    {Py_tp_richcompare, slot_richcompare},
    {Py_tp_str, slot_str},
    {Py_tp_repr, slot_repr},
    {Py_mp_length, slot_length},
    {Py_mp_subscript, slot_subscript},
    {Py_mp_ass_subscript, slot_ass_subscript},
    {Py_sq_length, slot_length},
    {Py_sq_contains, slot_contains},
    {Py_tp_iter, slot_iter},
    {Py_tp_iternext, slot_iternext},
    {Py_am_await, slot_await},
    {Py_am_aiter, slot_aiter},
    {Py_am_anext, slot_anext},
    {Py_bf_getbuffer, slot_getbuffer},
    {0, NULL},
};
