/* SPDX-License-Identifier: MIT
 *
 * hasten._slots: what hasten.slots needs of the interpreter. */
#include "ext/slots/slots.h"

static int module_exec(PyObject *module) {
    struct hasten_slots_state *state = hasten_slots_state_of(module);
    PyObject *hook = PyCFunction_New(&hasten_slots_quiet_method, NULL);
    state->quiet = hook == NULL ? NULL : PyClassMethod_New(hook);
    Py_XDECREF(hook);
    state->type_new = PyObject_GetAttrString((PyObject *)&PyType_Type, "__new__");
    state->creation_type = PyType_FromModuleAndSpec(module, &hasten_slots_creation_spec, NULL);
    state->gc = PyImport_ImportModule("gc");
    if (state->quiet == NULL || state->type_new == NULL || state->creation_type == NULL ||
        state->gc == NULL) {
        return -1;
    }
    return hasten_slots_learn(state);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    struct hasten_slots_state *state = hasten_slots_state_of(module);
    Py_VISIT(state->quiet);
    Py_VISIT(state->type_new);
    Py_VISIT(state->creation_type);
    Py_VISIT(state->gc);
    return 0;
}

static int module_clear(PyObject *module) {
    struct hasten_slots_state *state = hasten_slots_state_of(module);
    Py_CLEAR(state->quiet);
    Py_CLEAR(state->type_new);
    Py_CLEAR(state->creation_type);
    Py_CLEAR(state->gc);
    return 0;
}

static void module_free(void *module) {
    (void)module_clear(module);
}

static PyMethodDef module_methods[] = {
    {"add_state", hasten_slots_add_state, METH_VARARGS, hasten_slots_add_state_doc},
    {"assigned", hasten_slots_assigned, METH_VARARGS, hasten_slots_assigned_doc},
    {"inherit", hasten_slots_inherit, METH_O, hasten_slots_inherit_doc},
    {"mend", hasten_slots_mend, METH_VARARGS, hasten_slots_mend_doc},
    {"remake", hasten_slots_remake, METH_VARARGS, hasten_slots_remake_doc},
    {"retire", hasten_slots_retire, METH_O, hasten_slots_retire_doc},
    {"set_creation", hasten_slots_set_creation, METH_VARARGS, hasten_slots_set_creation_doc},
    {"survey", hasten_slots_survey, METH_NOARGS, hasten_slots_survey_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    HASTEN_PY_GUARDED_SLOTS{0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "hasten._slots",
    .m_doc = "What hasten.slots needs of the interpreter.",
    .m_size = sizeof(struct hasten_slots_state),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__slots(void);

PyMODINIT_FUNC PyInit__slots(void) {
    return PyModuleDef_Init(&module_definition);
}
