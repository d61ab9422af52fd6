/* SPDX-License-Identifier: MIT
 *
 * hasten._functools: the types behind hasten.functools. */
#include "ext/functools/module.h"

#include "ext/functools/managed.h"
#include "ext/functools/mapping.h"
#include "ext/functools/method.h"
#include "ext/functools/property_timed.h"
#include "ext/functools/shared.h"
#include "ext/functools/shared_key.h"
#include "ext/functools/wrapper.h"

static struct PyModuleDef module_definition;

PyObject *hasten_py_functools_module(PyTypeObject *type) {
    return PyType_GetModuleByDef(type, &module_definition);
}

struct hasten_py_functools *hasten_py_functools_of(PyTypeObject *type) {
    PyObject *module = hasten_py_functools_module(type);
    return module == NULL ? NULL : PyModule_GetState(module);
}

/* A borrowed reference, or NULL with an exception set. */
static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec, PyObject *base) {
    PyObject *type = PyType_FromModuleAndSpec(module, spec, base);
    const bool is_added = type != NULL && PyModule_AddType(module, (PyTypeObject *)type) == 0;
    Py_XDECREF(type);
    return is_added ? (PyTypeObject *)type : NULL;
}

static int module_exec(PyObject *module) {
    struct hasten_py_functools *state = PyModule_GetState(module);
    if (hasten_py_flights_init(&state->flights) < 0) {
        return -1;
    }
    hasten_ticks_init(&state->ticks, false);
    PyTypeObject *property = add_type(module, &hasten_py_property_spec, NULL);
    if (property == NULL) {
        return -1;
    }
    state->timed_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &hasten_py_timed_spec,
                                                                 (PyObject *)property);
    state->until_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &hasten_py_until_spec, NULL);
    state->lease_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &hasten_py_lease_spec, NULL);
    return state->lease_type != NULL && state->timed_type != NULL && state->until_type != NULL &&
                   add_type(module, &hasten_py_wrapper_spec, NULL) != NULL &&
                   add_type(module, &hasten_py_managed_spec, NULL) != NULL &&
                   add_type(module, &hasten_py_method_spec, NULL) != NULL &&
                   add_type(module, &hasten_py_mapping_spec, NULL) != NULL &&
                   add_type(module, &hasten_py_leases_spec, NULL) != NULL &&
                   PyModule_AddFunctions(module, hasten_py_shared_methods) == 0
               ? 0
               : -1;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    const struct hasten_py_functools *state = PyModule_GetState(module);
    Py_VISIT(state->timed_type);
    Py_VISIT(state->until_type);
    Py_VISIT(state->lease_type);
    return 0;
}

static int module_clear(PyObject *module) {
    struct hasten_py_functools *state = PyModule_GetState(module);
    Py_CLEAR(state->timed_type);
    Py_CLEAR(state->until_type);
    Py_CLEAR(state->lease_type);
    return 0;
}

static void module_free(void *module) {
    struct hasten_py_functools *state = PyModule_GetState(module);
    (void)module_clear(module);
    hasten_py_flights_done(&state->flights);
}

/* The interpreter calls it in a child of fork(). */
static PyObject *after_fork(PyObject *module, PyObject *none) {
    (void)none;
    struct hasten_py_functools *state = PyModule_GetState(module);
    hasten_py_flights_forked(&state->flights);
    Py_RETURN_NONE;
}

static PyMethodDef module_methods[] = {
    {"_after_fork", after_fork, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    HASTEN_PY_ISOLATED_SLOTS{0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "hasten._functools",
    .m_doc = "The types behind hasten.functools.",
    .m_size = sizeof(struct hasten_py_functools),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__functools(void);

PyMODINIT_FUNC PyInit__functools(void) {
    return PyModuleDef_Init(&module_definition);
}
