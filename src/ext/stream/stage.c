/* SPDX-License-Identifier: MIT */
#include "ext/stream/stage.h"

static struct hasten_py_stage *stage_of(PyObject *self) {
    return (struct hasten_py_stage *)self;
}

int hasten_py_stage_traverse(PyObject *object, visitproc visit, void *arg) {
    struct hasten_py_stage *self = stage_of(object);
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->source);
    Py_VISIT(self->function);
    return 0;
}

int hasten_py_stage_clear(PyObject *object) {
    struct hasten_py_stage *self = stage_of(object);
    Py_CLEAR(self->source);
    Py_CLEAR(self->function);
    return 0;
}

static void stage_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    /* One may stand on another a hundred thousand times. */
    Py_TRASHCAN_BEGIN(object, stage_dealloc);
    (void)hasten_py_stage_clear(object);
    type->tp_free(object);
    Py_DECREF(type);
    Py_TRASHCAN_END;
}

/* `source` is an iterator, `function` may be NULL. */
static PyObject *make(PyTypeObject *type, PyObject *source, enum hasten_py_stage_kind kind,
                      PyObject *function, Py_ssize_t count) {
    struct hasten_py_stage *self = (struct hasten_py_stage *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->source = Py_NewRef(source);
        self->function = Py_XNewRef(function);
        self->kind = kind;
        self->count = count;
    }
    return (PyObject *)self;
}

static PyObject *stage_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"", NULL};
    PyObject *iterable = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:Stream", names, &iterable)) {
        return NULL;
    }
    PyObject *iterator = PyObject_GetIter(iterable);
    if (iterator == NULL) {
        return NULL;
    }
    PyObject *self = make(type, iterator, HASTEN_PY_STAGE_PLAIN, NULL, 0);
    Py_DECREF(iterator);
    return self;
}

static PyObject *next_mapped(PyObject *source, PyObject *function) {
    PyObject *item = PyIter_Next(source);
    if (item == NULL) {
        return NULL;
    }
    PyObject *made = PyObject_CallOneArg(function, item);
    Py_DECREF(item);
    return made;
}

static PyObject *next_filtered(PyObject *source, PyObject *function) {
    for (;;) {
        PyObject *item = PyIter_Next(source);
        if (item == NULL) {
            return NULL;
        }
        int is_wanted = -1;
        if (function == Py_None) {
            is_wanted = PyObject_IsTrue(item);
        } else {
            PyObject *answer = PyObject_CallOneArg(function, item);
            is_wanted = answer == NULL ? -1 : PyObject_IsTrue(answer);
            Py_XDECREF(answer);
        }
        if (is_wanted > 0) {
            return item;
        }
        Py_DECREF(item);
        if (is_wanted < 0) {
            return NULL;
        }
    }
}

static PyObject *next_batch(PyObject *source, Py_ssize_t count) {
    PyObject *batch = PyList_New(0);
    while (batch != NULL && PyList_GET_SIZE(batch) < count) {
        PyObject *item = PyIter_Next(source);
        if (item == NULL) {
            if (PyErr_Occurred() || PyList_GET_SIZE(batch) == 0) {
                Py_CLEAR(batch);
            }
            break;
        }
        if (PyList_Append(batch, item) < 0) {
            Py_CLEAR(batch);
        }
        Py_DECREF(item);
    }
    return batch;
}

/* Closes what has a method for that, as generators and streams do. */
static int close_source(PyObject *source) {
    PyObject *method = NULL;
    method = PyObject_GetAttrString(source, "close");
    if (method == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return -1;
        }
        PyErr_Clear();
        return 0;
    }
    PyObject *answer = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    Py_XDECREF(answer);
    return answer == NULL ? -1 : 0;
}

static PyObject *take_source(struct hasten_py_stage *self) {
    PyObject *source = NULL;
    HASTEN_PY_BEGIN_LOCKED((PyObject *)self);
    source = self->source;
    self->source = NULL;
    HASTEN_PY_END_LOCKED();
    return source;
}

static PyObject *stage_close(PyObject *object, PyObject *none) {
    (void)none;
    if (Py_EnterRecursiveCall(" while a stream is closed")) {
        return NULL;
    }
    PyObject *source = take_source(stage_of(object));
    const int answer = source == NULL ? 0 : close_source(source);
    Py_XDECREF(source);
    Py_LeaveRecursiveCall();
    if (answer < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *next_taken(struct hasten_py_stage *self, PyObject *source) {
    Py_ssize_t left = 0;
    HASTEN_PY_BEGIN_LOCKED((PyObject *)self);
    left = self->count > 0 ? self->count-- : 0;
    HASTEN_PY_END_LOCKED();
    PyObject *item = left == 0 ? NULL : PyIter_Next(source);
    /* What it stands on is not read beyond the last: it may be closed at once. */
    if (left == 1 && item != NULL) {
        PyObject *closed = stage_close((PyObject *)self, NULL);
        if (closed == NULL) {
            Py_CLEAR(item);
        }
        Py_XDECREF(closed);
    }
    return item;
}

static PyObject *stage_next(PyObject *object) {
    struct hasten_py_stage *self = stage_of(object);
    PyObject *source = NULL;
    HASTEN_PY_BEGIN_LOCKED(object);
    source = Py_XNewRef(self->source);
    HASTEN_PY_END_LOCKED();
    if (source == NULL || Py_EnterRecursiveCall(" in a stream")) {
        Py_XDECREF(source);
        return NULL;
    }
    PyObject *item = NULL;
    switch (self->kind) {
    case HASTEN_PY_STAGE_MAP:
        item = next_mapped(source, self->function);
        break;
    case HASTEN_PY_STAGE_FILTER:
        item = next_filtered(source, self->function);
        break;
    case HASTEN_PY_STAGE_BATCH:
        item = next_batch(source, self->count);
        break;
    case HASTEN_PY_STAGE_TAKE:
        item = next_taken(self, source);
        break;
    case HASTEN_PY_STAGE_PLAIN:
    default:
        item = PyIter_Next(source);
        break;
    }
    Py_LeaveRecursiveCall();
    Py_DECREF(source);
    return item;
}

static PyObject *stage_upon(PyObject *source, enum hasten_py_stage_kind kind, PyObject *function,
                            Py_ssize_t count) {
    const struct hasten_py_stream_state *state = hasten_py_stream_of(Py_TYPE(source));
    return state == NULL ? NULL : make(state->stage, source, kind, function, count);
}

PyDoc_STRVAR(map_doc, "map($self, function, /)\n--\n\n"
                      "A stream of what the function makes of each item.");

static PyObject *stage_map(PyObject *self, PyObject *function) {
    return stage_upon(self, HASTEN_PY_STAGE_MAP, function, 0);
}

PyDoc_STRVAR(filter_doc, "filter($self, function, /)\n--\n\n"
                         "A stream of the items that the function is true for; None: true items.");

static PyObject *stage_filter(PyObject *self, PyObject *function) {
    return stage_upon(self, HASTEN_PY_STAGE_FILTER, function, 0);
}

PyDoc_STRVAR(batch_doc, "batch($self, size, /)\n--\n\n"
                        "A stream of lists of so many items; the last may have fewer.");

static PyObject *stage_batch(PyObject *self, PyObject *size) {
    const Py_ssize_t count = PyNumber_AsSsize_t(size, PyExc_OverflowError);
    if (count == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (count < 1) {
        PyErr_SetString(PyExc_ValueError, "a batch has at least one item");
        return NULL;
    }
    return stage_upon(self, HASTEN_PY_STAGE_BATCH, NULL, count);
}

PyDoc_STRVAR(take_doc, "take($self, count, /)\n--\n\n"
                       "A stream of the first items, at most so many.\n\n"
                       "What it stands on is closed behind the last of them.");

static PyObject *stage_take(PyObject *self, PyObject *number) {
    const Py_ssize_t count = PyNumber_AsSsize_t(number, PyExc_OverflowError);
    if (count == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (count < 0) {
        PyErr_SetString(PyExc_ValueError, "a number of items cannot be negative");
        return NULL;
    }
    return stage_upon(self, HASTEN_PY_STAGE_TAKE, NULL, count);
}

PyDoc_STRVAR(close_doc, "close($self, /)\n--\n\n"
                        "End the stream and what it stands on. Nothing is left open.");

static PyObject *stage_enter(PyObject *self, PyObject *none) {
    (void)none;
    return Py_NewRef(self);
}

/* Through the attribute: a subtype has its own. */
static PyObject *stage_exit(PyObject *self, PyObject *args) {
    (void)args;
    return PyObject_CallMethod(self, "close", NULL);
}

static PyMethodDef stage_methods[] = {
    {"map", stage_map, METH_O, map_doc},
    {"filter", stage_filter, METH_O, filter_doc},
    {"batch", stage_batch, METH_O, batch_doc},
    {"take", stage_take, METH_O, take_doc},
    {"close", stage_close, METH_NOARGS, close_doc},
    {"__enter__", stage_enter, METH_NOARGS, NULL},
    {"__exit__", stage_exit, METH_VARARGS, NULL},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, NULL},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(stage_doc, "Stream(iterable, /)\n--\n\n"
                        "An iterator that others are made of.\n\n"
                        "It ends once; with `with` or `close()`, so does what it stands on.");

static PyType_Slot stage_slots[] = {
    {Py_tp_doc, (void *)stage_doc},
    {Py_tp_new, stage_new},
    {Py_tp_dealloc, stage_dealloc},
    {Py_tp_traverse, hasten_py_stage_traverse},
    {Py_tp_clear, hasten_py_stage_clear},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, stage_next},
    {Py_tp_methods, stage_methods},
    {0, NULL},
};

PyType_Spec hasten_py_stage_spec = {
    .name = "hasten.stream.Stream",
    .basicsize = sizeof(struct hasten_py_stage),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = stage_slots,
};
