/* SPDX-License-Identifier: MIT
 *
 * hasten.lazy.attribute: a cached_property that computes once where threads ask at once.
 * A type of C of its own, for the interpreter looks past a descriptor to the instance's own
 * value fastest where the descriptor's type cannot be changed. */
#include "ext/lazy/attribute.h"

static int attribute_init(PyObject *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"func", NULL};
    PyObject *function = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:attribute", names, &function)) {
        return -1;
    }
    /* The nearest type that is not one of ours or a subclass: cached_property. */
    const PyTypeObject *type = Py_TYPE(self);
    while (type->tp_init != attribute_init) {
        type = type->tp_base;
    }
    while (type->tp_init == attribute_init) {
        type = type->tp_base;
    }
    int answer = -1;
    PyObject *positional = PyTuple_Pack(1, function);
    PyObject *once = Py_BuildValue("{sO}", "once", Py_True);
    if (positional != NULL && once != NULL) {
        answer = type->tp_init(self, positional, once);
    }
    Py_XDECREF(positional);
    Py_XDECREF(once);
    return answer;
}

static const char doc[] = "attribute(func)\n--\n\n"
                          "An attribute that func(instance) computes when it is first read.";

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)doc},
    {Py_tp_init, attribute_init},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "hasten.lazy.attribute",
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

PyObject *hasten_py_attribute_type_new(PyObject *module, PyObject *cached_property) {
    PyObject *bases = PyTuple_Pack(1, cached_property);
    PyObject *type = bases == NULL ? NULL : PyType_FromModuleAndSpec(module, &spec, bases);
    Py_XDECREF(bases);
    return type;
}
