/* SPDX-License-Identifier: MIT
 *
 * hasten._pstats: the table behind hasten.pstats.Stats. */
#include "ext/pstats/module.h"

static int module_exec(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &hasten_py_stats_table_spec, NULL);
    if (type == NULL) {
        return -1;
    }
    const int added = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return added;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    HASTEN_PY_ISOLATED_SLOTS{0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "hasten._pstats",
    .m_doc = "The table behind hasten.pstats.Stats.",
    .m_size = 0,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__pstats(void);

PyMODINIT_FUNC PyInit__pstats(void) {
    return PyModuleDef_Init(&module_definition);
}
