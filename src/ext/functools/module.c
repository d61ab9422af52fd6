/* SPDX-License-Identifier: MIT
 *
 * hasten._functools: the types behind hasten.functools. */
#include "ext/functools/module.h"

#include "ext/functools/managed.h"
#include "ext/functools/mapping.h"
#include "ext/functools/method.h"
#include "ext/functools/property.h"
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

static bool add_type(PyObject *module, PyType_Spec *spec) {
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    const bool is_added = type != NULL && PyModule_AddType(module, (PyTypeObject *)type) == 0;
    Py_XDECREF(type);
    return is_added;
}

static int module_exec(PyObject *module) {
    struct hasten_py_functools *state = PyModule_GetState(module);
    if (hasten_py_flights_init(&state->flights) < 0) {
        return -1;
    }
    state->lease_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &hasten_py_lease_spec, NULL);
    if (state->lease_type == NULL) {
        return -1;
    }
    if (PyModule_AddFunctions(module, hasten_py_shared_methods) < 0) {
        return -1;
    }
    return add_type(module, &hasten_py_wrapper_spec) && add_type(module, &hasten_py_managed_spec) &&
                   add_type(module, &hasten_py_property_spec) &&
                   add_type(module, &hasten_py_method_spec) &&
                   add_type(module, &hasten_py_mapping_spec) &&
                   add_type(module, &hasten_py_leases_spec)
               ? 0
               : -1;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    const struct hasten_py_functools *state = PyModule_GetState(module);
    Py_VISIT(state->lease_type);
    return 0;
}

static int module_clear(PyObject *module) {
    struct hasten_py_functools *state = PyModule_GetState(module);
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
