/* SPDX-License-Identifier: MIT
 *
 * hasten._bytecodes: what sys.monitoring calls for each instruction when `hasten bench`
 * counts bytecodes. It counts, and does nothing else. */
#include "ext/common/pycompat.h"

struct state {
    uint64_t executed;
};

/* Called with the code object and the offset, or whatever else. */
static PyObject *tick(PyObject *module, PyObject *const *Py_UNUSED(arguments),
                      Py_ssize_t Py_UNUSED(count)) {
    struct state *state = PyModule_GetState(module);
    state->executed++;
    Py_RETURN_NONE;
}

static PyObject *executed(PyObject *module, PyObject *Py_UNUSED(none)) {
    const struct state *state = PyModule_GetState(module);
    return PyLong_FromUnsignedLongLong(state->executed);
}

static PyMethodDef methods[] = {
    {"tick", (PyCFunction)(void (*)(void))tick, METH_FASTCALL, "Counts one instruction."},
    {"executed", executed, METH_NOARGS, "How many were counted so far in this interpreter."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {
    HASTEN_PY_GUARDED_SLOTS{0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "hasten._bytecodes",
    .m_doc = "Counts the instructions that sys.monitoring tells of.",
    .m_size = sizeof(struct state),
    .m_methods = methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__bytecodes(void);

PyMODINIT_FUNC PyInit__bytecodes(void) {
    return PyModuleDef_Init(&module_definition);
}
