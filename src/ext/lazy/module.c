/* SPDX-License-Identifier: MIT
 *
 * hasten._lazy: the types behind hasten.lazy. */
#include "ext/lazy/module.h"

#include "ext/lazy/attribute.h"
#include "ext/lazy/places.h"
#include "ext/lazy/proxy.h"
#include "ext/lazy/resource.h"

static struct PyModuleDef module_definition;

struct hasten_py_lazy *hasten_py_lazy_of(PyTypeObject *type) {
    PyObject *module = PyType_GetModuleByDef(type, &module_definition);
    return module == NULL ? NULL : PyModule_GetState(module);
}

static PyObject *is_resolved(PyObject *module, PyObject *object) {
    (void)module;
    if (!hasten_py_is_proxy(object)) {
        Py_RETURN_TRUE;
    }
    PyObject *wrapped = hasten_py_proxy_peek(object);
    const bool is_there = wrapped != NULL;
    Py_XDECREF(wrapped);
    return PyBool_FromLong(is_there);
}

static PyObject *resolve(PyObject *module, PyObject *object) {
    (void)module;
    return hasten_py_proxy_last(object);
}

static PyObject *attribute_type(PyObject *module, PyObject *cached_property) {
    return hasten_py_attribute_type_new(module, cached_property);
}

static int module_exec(PyObject *module) {
    struct hasten_py_lazy *state = PyModule_GetState(module);
    if (hasten_py_flights_init(&state->flights) < 0) {
        return -1;
    }
    state->resources = hasten_py_resources_new();
    state->getattr = PyUnicode_InternFromString("__getattr__");
    state->getattribute = PyUnicode_InternFromString("__getattribute__");
    if (state->resources == NULL || state->getattr == NULL || state->getattribute == NULL) {
        return -1;
    }
    state->proxy_type = (PyTypeObject *)hasten_py_proxy_type_new(module);
    if (state->proxy_type == NULL || PyModule_AddType(module, state->proxy_type) < 0) {
        return -1;
    }
    hasten_py_places_open(state->proxy_type);
    PyObject *bases = PyTuple_Pack(1, state->proxy_type);
    state->resource_type =
        bases == NULL
            ? NULL
            : (PyTypeObject *)PyType_FromModuleAndSpec(module, &hasten_py_resource_spec, bases);
    Py_XDECREF(bases);
    return state->resource_type == NULL ? -1 : PyModule_AddType(module, state->resource_type);
}

/* No clearing: whoever has a type of ours expects it to find the others. What the types
 * know of the module goes with them. */
static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    struct hasten_py_lazy *state = PyModule_GetState(module);
    if (state != NULL) {
        Py_VISIT(state->proxy_type);
        Py_VISIT(state->resource_type);
    }
    return 0;
}

static void module_free(void *module) {
    struct hasten_py_lazy *state = PyModule_GetState(module);
    if (state != NULL) {
        hasten_py_flights_done(&state->flights);
        hasten_py_resources_drop(state->resources);
        hasten_py_places_close(state->proxy_type);
        Py_CLEAR(state->proxy_type);
        Py_CLEAR(state->resource_type);
        Py_CLEAR(state->getattr);
        Py_CLEAR(state->getattribute);
    }
}

/* The interpreter calls it in a child of fork(). */
static PyObject *after_fork(PyObject *module, PyObject *none) {
    (void)none;
    struct hasten_py_lazy *state = PyModule_GetState(module);
    hasten_py_flights_forked(&state->flights);
    hasten_py_resources_forked(state->resources);
    Py_RETURN_NONE;
}

static PyMethodDef module_methods[] = {
    {"is_resolved", is_resolved, METH_O,
     "is_resolved(object, /)\n--\n\n"
     "Whether the object is there, without making it. What is not lazy is there."},
    {"resolve", resolve, METH_O,
     "resolve(object, /)\n--\n\nThe object that a lazy one stands for; any other is itself."},
    {"_attribute_type", attribute_type, METH_O, NULL},
    {"_after_fork", after_fork, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    HASTEN_PY_ISOLATED_SLOTS{0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "hasten._lazy",
    .m_doc = "The types behind hasten.lazy.",
    .m_size = sizeof(struct hasten_py_lazy),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__lazy(void);

PyMODINIT_FUNC PyInit__lazy(void) {
    return PyModuleDef_Init(&module_definition);
}
