/* SPDX-License-Identifier: MIT
 *
 * The iterator that Recording.samples() returns. The core hands samples to a
 * visitor, Python wants them one by one: they are gathered first, in the core's
 * own form (32 bytes each), and become objects when asked for. */
#include "ext/recording/module.h"

#include "core/base/allocator.h"
#include "ext/common/errors.h"
#include "hasten/recording.h"

struct gathered {
    struct hasten_sample *items;
    size_t count;
    size_t capacity;
    bool out_of_memory;
};

struct samples {
    PyObject_HEAD struct gathered gathered;
    size_t next;
};

static int gather(void *context, const struct hasten_sample *sample) {
    struct gathered *gathered = context;
    void *items = gathered->items;
    if (hasten_grow(NULL, &items, &gathered->capacity, gathered->count + 1, sizeof *sample) < 0) {
        gathered->out_of_memory = true;
        return 1;
    }
    gathered->items = items;
    gathered->items[gathered->count++] = *sample;
    return 0;
}

PyObject *hasten_py_samples_new(struct hasten_py_state *state, PyObject *path) {
    PyTypeObject *type = (PyTypeObject *)state->samples_type;
    struct samples *self = (struct samples *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    struct hasten_error error = {HASTEN_OK, -1, ""};
    const char *text = PyBytes_AS_STRING(path);
    hasten_status status;
    Py_BEGIN_ALLOW_THREADS status =
        hasten_recording_samples(text, NULL, gather, &self->gathered, &error);
    Py_END_ALLOW_THREADS if (self->gathered.out_of_memory) {
        status = HASTEN_NO_MEMORY;
    }
    if (status != HASTEN_OK) {
        Py_DECREF(self);
        PyObject *name = PyUnicode_DecodeFSDefault(text);
        if (name != NULL) {
            hasten_py_raise(state->recording_error, status, &error, name);
            Py_DECREF(name);
        }
        return NULL;
    }
    return (PyObject *)self;
}

static PyObject *sample_row(const struct hasten_py_state *state,
                            const struct hasten_sample *sample) {
    static const char *const names[] = {
#define NAME(name, metric, sentence) metric,
        HASTEN_STATE_MAP(NAME)
#undef NAME
    };
    PyObject *row = PyStructSequence_New((PyTypeObject *)state->sample_row);
    if (row == NULL) {
        return NULL;
    }
    uint32_t number = sample->state & HASTEN_STATE_MASK;
    if (number >= HASTEN_STATE_COUNT) {
        number = HASTEN_STATE_UNKNOWN;
    }
    /* Names are metrics, "time.running": the part after the point says it. */
    PyObject *values[] = {
        PyLong_FromUnsignedLongLong(sample->slot),
        PyLong_FromUnsignedLong(sample->weight),
        PyLong_FromUnsignedLong(sample->thread),
        PyLong_FromUnsignedLong(sample->node),
        PyUnicode_InternFromString(strchr(names[number], '.') + 1),
        PyBool_FromLong((sample->state & HASTEN_FLAG_GC) != 0),
        PyBool_FromLong((sample->state & HASTEN_FLAG_NATIVE) != 0),
    };
    bool complete = true;
    for (Py_ssize_t i = 0; i < (Py_ssize_t)Py_ARRAY_LENGTH(values); i++) {
        complete = complete && values[i] != NULL;
        PyStructSequence_SetItem(row, i, values[i]);
    }
    if (!complete) {
        Py_CLEAR(row);
    }
    return row;
}

static PyObject *samples_next(PyObject *self) {
    struct samples *samples = (struct samples *)self;
    size_t index = 0;
    HASTEN_PY_BEGIN_LOCKED(self);
    index = samples->next;
    if (index < samples->gathered.count) {
        samples->next++;
    }
    HASTEN_PY_END_LOCKED();
    if (index >= samples->gathered.count) {
        return NULL;
    }
    return sample_row(PyType_GetModuleState(Py_TYPE(self)), &samples->gathered.items[index]);
}

static PyObject *samples_length_hint(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    const struct samples *samples = (struct samples *)self;
    size_t next = 0;
    HASTEN_PY_BEGIN_LOCKED(self);
    next = samples->next;
    HASTEN_PY_END_LOCKED();
    return PyLong_FromSize_t(samples->gathered.count - next);
}

static void samples_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    struct gathered *gathered = &((struct samples *)self)->gathered;
    hasten_release(NULL, gathered->items, gathered->capacity * sizeof *gathered->items);
    type->tp_free(self);
    Py_DECREF(type);
}

PyDoc_STRVAR(length_hint_doc, "__length_hint__($self, /)\n"
                              "--\n"
                              "\n"
                              "How many samples are left.");

static PyMethodDef samples_methods[] = {
    {"__length_hint__", samples_length_hint, METH_NOARGS, length_hint_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot samples_slots[] = {
    {Py_tp_doc, "The samples of a recording, in the order they were taken."},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, samples_next},
    {Py_tp_methods, samples_methods},
    {Py_tp_dealloc, samples_dealloc},
    {0, NULL},
};

PyType_Spec hasten_py_samples_spec = {
    .name = "hasten.Samples",
    .basicsize = sizeof(struct samples),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = samples_slots,
};
