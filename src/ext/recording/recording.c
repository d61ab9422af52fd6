/* SPDX-License-Identifier: MIT
 *
 * The type hasten.Recording: a loaded profile and the tables made of it. All
 * tables are made by open() and never change, so that no lock is needed. */
#include "ext/recording/module.h"

#include <stddef.h>

#include "ext/common/errors.h"
#include "hasten/recording.h"

struct recording {
    PyObject_HEAD struct hasten_profile *profile;
    PyObject *path; /* bytes, as the file system wants them */
    PyObject *facts;
    PyObject *processes;
    PyObject *threads;
    PyObject *functions;
    PyObject *lines;
};

static struct hasten_py_state *state_of(PyObject *self) {
    return PyType_GetModuleState(Py_TYPE(self));
}

/* The file is read without the GIL: it can be large, and the core needs no
 * Python. Returns NULL with an exception set. */
static struct hasten_profile *load(const struct hasten_py_state *state, PyObject *path) {
    struct hasten_profile *profile = NULL;
    struct hasten_error error = {HASTEN_OK, -1, ""};
    const char *text = PyBytes_AS_STRING(path);
    hasten_status status;
    Py_BEGIN_ALLOW_THREADS status = hasten_recording_load(text, NULL, &profile, &error);
    Py_END_ALLOW_THREADS if (status != HASTEN_OK) {
        PyObject *name = PyUnicode_DecodeFSDefault(text);
        if (name != NULL) {
            hasten_py_raise(state->recording_error, status, &error, name);
            Py_DECREF(name);
        }
        return NULL;
    }
    return profile;
}

/* Returns 0, or -1 with an exception set. */
static int make_tables(struct recording *self, const struct hasten_py_state *state) {
    struct hasten_aggregate *aggregate = NULL;
    struct hasten_error error = {HASTEN_OK, -1, ""};
    hasten_status status;
    Py_BEGIN_ALLOW_THREADS status =
        hasten_aggregate_new(self->profile, NULL, NULL, &aggregate, &error);
    Py_END_ALLOW_THREADS if (status != HASTEN_OK) {
        hasten_py_raise(state->recording_error, status, &error, NULL);
        return -1;
    }
    int result = -1;
    if ((self->facts = hasten_py_facts(self->profile)) != NULL &&
        (self->processes = hasten_py_processes(state, self->profile)) != NULL &&
        (self->threads = hasten_py_threads(state, self->profile)) != NULL &&
        (self->functions = hasten_py_functions(state, aggregate)) != NULL &&
        (self->lines = hasten_py_lines(state, aggregate)) != NULL) {
        result = 0;
    }
    hasten_aggregate_free(aggregate);
    return result;
}

PyObject *hasten_py_recording_open(struct hasten_py_state *state, PyObject *path) {
    PyObject *encoded = NULL;
    if (!PyUnicode_FSConverter(path, &encoded)) {
        return NULL;
    }
    PyTypeObject *type = (PyTypeObject *)state->recording_type;
    struct recording *self = (struct recording *)type->tp_alloc(type, 0);
    if (self == NULL) {
        Py_DECREF(encoded);
        return NULL;
    }
    self->path = encoded;
    self->profile = load(state, encoded);
    if (self->profile == NULL || make_tables(self, state) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyObject *recording_stack(PyObject *self, PyObject *argument) {
    const struct recording *recording = (struct recording *)self;
    unsigned long node = PyLong_AsUnsignedLong(argument);
    if (node == (unsigned long)-1 && PyErr_Occurred()) {
        return NULL;
    }
    if (node >= recording->profile->node_count) {
        PyErr_Format(PyExc_IndexError, "the recording has no stack %lu", node);
        return NULL;
    }
    return hasten_py_stack(state_of(self), recording->profile, (uint32_t)node);
}

static PyObject *recording_samples(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return hasten_py_samples_new(state_of(self), ((struct recording *)self)->path);
}

static PyObject *recording_calls(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    const struct recording *recording = (struct recording *)self;
    return hasten_py_calls(state_of(self), recording->profile, recording->functions);
}

static PyObject *recording_repr(PyObject *self) {
    const struct recording *recording = (struct recording *)self;
    PyObject *path = PyUnicode_DecodeFSDefault(PyBytes_AS_STRING(recording->path));
    if (path == NULL) {
        return NULL;
    }
    PyObject *text = PyUnicode_FromFormat("<hasten.Recording %R>", path);
    Py_DECREF(path);
    return text;
}

static int recording_traverse(PyObject *self, visitproc visit, void *arg) {
    struct recording *recording = (struct recording *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(recording->facts);
    Py_VISIT(recording->processes);
    Py_VISIT(recording->threads);
    Py_VISIT(recording->functions);
    Py_VISIT(recording->lines);
    return 0;
}

static int recording_clear(PyObject *self) {
    struct recording *recording = (struct recording *)self;
    Py_CLEAR(recording->path);
    Py_CLEAR(recording->facts);
    Py_CLEAR(recording->processes);
    Py_CLEAR(recording->threads);
    Py_CLEAR(recording->functions);
    Py_CLEAR(recording->lines);
    return 0;
}

static void recording_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    recording_clear(self);
    hasten_profile_free(((struct recording *)self)->profile);
    type->tp_free(self);
    Py_DECREF(type);
}

#define MEMBER(name, doc) \
    { #name, Py_T_OBJECT_EX, offsetof(struct recording, name), Py_READONLY, doc }

static PyMemberDef recording_members[] = {
    MEMBER(facts, "What is known of the run, as text by name."),
    MEMBER(processes, "The processes that were sampled."),
    MEMBER(threads, "The threads that were sampled."),
    MEMBER(functions, "The functions seen, by self time."),
    MEMBER(lines, "The lines seen, by self time."),
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(stack_doc, "stack($self, stack, /)\n"
                        "--\n"
                        "\n"
                        "The frames of a sample's stack, outermost first.");
PyDoc_STRVAR(samples_doc, "samples($self, /)\n"
                          "--\n"
                          "\n"
                          "Iterate over the samples in the order they were taken.");

PyDoc_STRVAR(calls_doc,
             "calls($self, /)\n"
             "--\n"
             "\n"
             "Who called whom: a row for each pair of functions, by total time. Made when\n"
             "asked for.");

static PyMethodDef recording_methods[] = {
    {"calls", recording_calls, METH_NOARGS, calls_doc},
    {"stack", recording_stack, METH_O, stack_doc},
    {"samples", recording_samples, METH_NOARGS, samples_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot recording_slots[] = {
    {Py_tp_doc, "A recording that was read; made by hasten.open()."},
    {Py_tp_repr, recording_repr},
    {Py_tp_members, recording_members},
    {Py_tp_methods, recording_methods},
    {Py_tp_traverse, recording_traverse},
    {Py_tp_clear, recording_clear},
    {Py_tp_dealloc, recording_dealloc},
    {0, NULL},
};

PyType_Spec hasten_py_recording_spec = {
    .name = "hasten.Recording",
    .basicsize = sizeof(struct recording),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = recording_slots,
};
