/* SPDX-License-Identifier: MIT
 *
 * hasten._functools: the types behind hasten.functools. */
#include "ext/functools/wrapper.h"

static PyType_Spec *const type_specs[] = {
    &hasten_py_wrapper_spec,
};

static int module_exec(PyObject *module) {
    for (size_t i = 0; i < sizeof(type_specs) / sizeof(type_specs[0]); i++) {
        PyObject *type = PyType_FromModuleAndSpec(module, type_specs[i], NULL);
        if (type == NULL) {
            return -1;
        }
        const int added = PyModule_AddType(module, (PyTypeObject *)type);
        Py_DECREF(type);
        if (added < 0) {
            return -1;
        }
    }
    return 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    HASTEN_PY_ISOLATED_SLOTS{0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "hasten._functools",
    .m_doc = "The types behind hasten.functools.",
    .m_size = 0,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__functools(void);

PyMODINIT_FUNC PyInit__functools(void) {
    return PyModuleDef_Init(&module_definition);
}
