/* SPDX-License-Identifier: MIT
 *
 * What IMPORT_NAME leaves on the stack for IMPORT_FROM, when what it takes waits. It lives as
 * long as one import statement takes. */
#include "ext/imports/source.h"

struct source {
    PyObject_HEAD PyObject *values; /* name -> what is taken */
};

static int source_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((struct source *)self)->values);
    return 0;
}

static void source_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(((struct source *)self)->values);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *source_getattro(PyObject *self, PyObject *name) {
    PyObject *value = PyDict_GetItemWithError(((struct source *)self)->values, name);
    if (value == NULL && !PyErr_Occurred()) {
        PyErr_SetObject(PyExc_AttributeError, name);
    }
    return Py_XNewRef(value);
}

static PyType_Slot source_slots[] = {
    {Py_tp_traverse, source_traverse},
    {Py_tp_dealloc, source_dealloc},
    {Py_tp_getattro, source_getattro},
    {0, NULL},
};

PyType_Spec source_spec = {
    .name = "hasten._imports.Source",
    .basicsize = sizeof(struct source),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = source_slots,
};

PyObject *source_new(const struct imports *imports, PyObject *values) {
    PyTypeObject *type = imports->source_type;
    struct source *source = (struct source *)type->tp_alloc(type, 0);
    if (source != NULL) {
        source->values = Py_NewRef(values);
    }
    return (PyObject *)source;
}
