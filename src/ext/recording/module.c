/* SPDX-License-Identifier: MIT
 *
 * hasten._recording: reads recordings. This file has the module itself, its
 * state and its functions; the types are in recording.c, rows.c and samples.c. */
#include "ext/recording/module.h"

#include "ext/common/errors.h"

static struct hasten_py_state *module_state(PyObject *module) {
    return PyModule_GetState(module);
}

static PyObject *module_open(PyObject *module, PyObject *path) {
    return hasten_py_recording_open(module_state(module), path);
}

static int add_type(PyObject *module, PyType_Spec *spec, PyObject **place) {
    *place = PyType_FromModuleAndSpec(module, spec, NULL);
    return *place == NULL ? -1 : PyModule_AddType(module, (PyTypeObject *)*place);
}

static int module_exec(PyObject *module) {
    struct hasten_py_state *state = module_state(module);
    state->recording_error = hasten_py_recording_error_new();
    if (state->recording_error == NULL ||
        PyModule_AddObjectRef(module, "RecordingError", state->recording_error) < 0 ||
        add_type(module, &hasten_py_recording_spec, &state->recording_type) < 0 ||
        add_type(module, &hasten_py_samples_spec, &state->samples_type) < 0 ||
        hasten_py_rows_add_types(module, state) < 0) {
        return -1;
    }
    return PyModule_AddStringConstant(module, "version", HASTEN_VERSION);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    struct hasten_py_state *state = module_state(module);
#define VISIT(field) Py_VISIT(state->field);
    HASTEN_PY_STATE_MAP(VISIT)
#undef VISIT
    return 0;
}

static int module_clear(PyObject *module) {
    struct hasten_py_state *state = module_state(module);
#define CLEAR(field) Py_CLEAR(state->field);
    HASTEN_PY_STATE_MAP(CLEAR)
#undef CLEAR
    return 0;
}

static void module_free(void *module) {
    module_clear(module);
}

PyDoc_STRVAR(open_doc, "open($module, path, /)\n"
                       "--\n"
                       "\n"
                       "Read the recording at path.");

static PyMethodDef module_methods[] = {
    {"open", module_open, METH_O, open_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    HASTEN_PY_ISOLATED_SLOTS{0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "hasten._recording",
    .m_doc = "Reads hasten's recordings.",
    .m_size = sizeof(struct hasten_py_state),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__recording(void);

PyMODINIT_FUNC PyInit__recording(void) {
    return PyModuleDef_Init(&module_definition);
}
