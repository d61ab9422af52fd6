/* SPDX-License-Identifier: MIT
 *
 * hasten._leaks: the watcher behind hasten.leaks. */
#include "ext/leaks/watcher.h"

static int module_exec(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &hasten_leaks_watcher_spec, NULL);
    if (type == NULL) {
        return -1;
    }
    const int added = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return added;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    HASTEN_PY_GUARDED_SLOTS{0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT, .m_name = "hasten._leaks", .m_doc = "The watcher behind hasten.leaks.",
    .m_size = 0,           .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__leaks(void);

PyMODINIT_FUNC PyInit__leaks(void) {
    return PyModuleDef_Init(&module_definition);
}
