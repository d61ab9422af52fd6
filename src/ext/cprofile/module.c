/* SPDX-License-Identifier: MIT
 *
 * hasten._cprofile: the engine of hasten.cProfile. This file has the module, its
 * state and the types of results. */
#include "ext/cprofile/profiler.h"

#include "ext/common/row.h"
#include "ext/trace/trace.h"

static PyStructSequence_Field entry_fields[] = {
    {"code", "code object or built-in function name"},
    {"callcount", "how many times this was called"},
    {"reccallcount", "how many times called recursively"},
    {"totaltime", "total time in this entry"},
    {"inlinetime", "inline time in this entry (not in subcalls)"},
    {"calls", "details of the calls"},
    {NULL, NULL},
};

static PyStructSequence_Field subentry_fields[] = {
    {"code", "called code object or built-in function name"},
    {"callcount", "how many times this is called"},
    {"reccallcount", "how many times this is called recursively"},
    {"totaltime", "total time spent in this call"},
    {"inlinetime", "inline time (not in further subcalls)"},
    {NULL, NULL},
};

static PyStructSequence_Desc entry_description = {
    .name = "_lsprof.profiler_entry",
    .fields = entry_fields,
    .n_in_sequence = 6,
};

static PyStructSequence_Desc subentry_description = {
    .name = "_lsprof.profiler_subentry",
    .fields = subentry_fields,
    .n_in_sequence = 5,
};

static PyStructSequence_Field durations_fields[] = {
    {"code", "code object or built-in function name"},
    {"count", "calls that ended"},
    {"shortest", "seconds"},
    {"median", "seconds"},
    {"p90", "seconds"},
    {"p99", "seconds"},
    {"longest", "seconds"},
    {NULL, NULL},
};

static PyStructSequence_Desc durations_description = {
    .name = "hasten.cProfile.Durations",
    .fields = durations_fields,
    .n_in_sequence = 7,
};

static struct PyModuleDef module_definition;

struct hasten_cprofile_state *hasten_cprofile_state_of(PyTypeObject *type) {
    PyObject *module = PyType_GetModuleByDef(type, &module_definition);
    return module == NULL ? NULL : PyModule_GetState(module);
}

static int module_exec(PyObject *module) {
    struct hasten_cprofile_state *state = PyModule_GetState(module);
    hasten_ticks_init(&state->ticks, false);
    state->profiler_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &hasten_profiler_spec, NULL);
    if (state->profiler_type == NULL || PyModule_AddType(module, state->profiler_type) < 0 ||
        (state->entry_type = hasten_py_row_type(module, &entry_description)) == NULL ||
        (state->subentry_type = hasten_py_row_type(module, &subentry_description)) == NULL ||
        (state->durations_type = hasten_py_row_type(module, &durations_description)) == NULL ||
        PyModule_AddFunctions(module, hasten_trace_methods) < 0) {
        return -1;
    }
    return hasten_mechanism_add_types(module, state);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    struct hasten_cprofile_state *state = PyModule_GetState(module);
    Py_VISIT(state->profiler_type);
    Py_VISIT(state->tap_type);
    Py_VISIT(state->entry_type);
    Py_VISIT(state->subentry_type);
    Py_VISIT(state->durations_type);
    return 0;
}

static int module_clear(PyObject *module) {
    struct hasten_cprofile_state *state = PyModule_GetState(module);
    Py_CLEAR(state->profiler_type);
    Py_CLEAR(state->tap_type);
    Py_CLEAR(state->entry_type);
    Py_CLEAR(state->subentry_type);
    Py_CLEAR(state->durations_type);
    return 0;
}

static void module_free(void *module) {
    module_clear(module);
}

PyDoc_STRVAR(snapshot_doc, "snapshot($module, entries, /)\n"
                           "--\n"
                           "\n"
                           "What pstats reads, made of what getstats() gives.");

static PyMethodDef module_methods[] = {
    {"snapshot", hasten_snapshot, METH_O, snapshot_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    HASTEN_PY_GUARDED_SLOTS{0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "hasten._cprofile",
    .m_doc = "Counts and times calls.",
    .m_size = sizeof(struct hasten_cprofile_state),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__cprofile(void);

PyMODINIT_FUNC PyInit__cprofile(void) {
    return PyModuleDef_Init(&module_definition);
}
