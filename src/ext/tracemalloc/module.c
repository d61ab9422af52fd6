/* SPDX-License-Identifier: MIT
 *
 * hasten._tracemalloc: what the standard module's _tracemalloc has, and snapshots. */
#include "ext/tracemalloc/codes.h"
#include "ext/tracemalloc/imports.h"
#include "ext/tracemalloc/table.h"
#include "ext/tracemalloc/tracer.h"

#include "ext/common/errors.h"
#include "ext/common/pycompat_values.h"

struct module_state {
    PyTypeObject *table_type;
};

/* Allocations are traced for the process; only the interpreter that was there first,
 * whose GIL guards what is known of them, may say so. */
static int check_interpreter(void) {
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_RuntimeError,
                        "memory allocations can only be traced from the main interpreter");
        return -1;
    }
    return 0;
}

PyDoc_STRVAR(start_doc, "start($module, nframe=1, /)\n--\n\n"
                        "Start tracing Python memory allocations.\n\n"
                        "Also set the maximum number of frames stored in the traceback of a trace\n"
                        "to nframe.");

static PyObject *tracemalloc_start(PyObject *Py_UNUSED(module), PyObject *arguments) {
    int limit = 1;
    if (!PyArg_ParseTuple(arguments, "|i:start", &limit)) {
        return NULL;
    }
    if (limit < 1 || limit > HASTEN_TRACER_MOST_FRAMES) {
        return PyErr_Format(PyExc_ValueError, "the number of frames must be in range [1; %d]",
                            HASTEN_TRACER_MOST_FRAMES);
    }
    if (check_interpreter() < 0 || hasten_tracer_start((uint32_t)limit) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(stop_doc, "stop($module, /)\n--\n\n"
                       "Stop tracing Python memory allocations.\n\n"
                       "Also clear traces of memory blocks allocated by Python.");

static PyObject *tracemalloc_stop(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    if (check_interpreter() < 0) {
        return NULL;
    }
    hasten_tracer_stop();
    Py_RETURN_NONE;
}

PyDoc_STRVAR(is_tracing_doc,
             "is_tracing($module, /)\n--\n\n"
             "Return True if the tracemalloc module is tracing Python memory allocations.");

static PyObject *tracemalloc_is_tracing(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    return PyBool_FromLong(hasten_tracer.is_armed);
}

PyDoc_STRVAR(clear_traces_doc, "clear_traces($module, /)\n--\n\n"
                               "Clear traces of memory blocks allocated by Python.");

static PyObject *tracemalloc_clear_traces(PyObject *Py_UNUSED(module),
                                          PyObject *Py_UNUSED(unused)) {
    if (check_interpreter() < 0) {
        return NULL;
    }
    hasten_tracer_clear();
    Py_RETURN_NONE;
}

PyDoc_STRVAR(limit_doc, "get_traceback_limit($module, /)\n--\n\n"
                        "Get the maximum number of frames stored in the traceback of a trace.\n\n"
                        "By default, a trace of an allocated memory block only stores\n"
                        "the most recent frame: the limit is 1.");

static PyObject *tracemalloc_limit(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    return PyLong_FromLong(hasten_tracer.limit == 0 ? 1 : (long)hasten_tracer.limit);
}

PyDoc_STRVAR(memory_doc, "get_tracemalloc_memory($module, /)\n--\n\n"
                         "Get the memory usage in bytes of the tracemalloc module.\n\n"
                         "This memory is used internally to trace memory allocations.");

static PyObject *tracemalloc_memory(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    if (check_interpreter() < 0) {
        return NULL;
    }
    return PyLong_FromSize_t(hasten_tracer_bytes());
}

PyDoc_STRVAR(traced_doc, "get_traced_memory($module, /)\n--\n\n"
                         "Get the current size and peak size of memory blocks traced by\n"
                         "tracemalloc.\n\n"
                         "Returns a tuple: (current: int, peak: int).");

static PyObject *tracemalloc_traced(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    struct hasten_tracer *tracer = &hasten_tracer;
    size_t size = 0;
    size_t peak = 0;
    if (check_interpreter() < 0) {
        return NULL;
    }
    if (tracer->is_armed) {
        size = hasten_ledger_all_bytes(&tracer->own);
        const size_t shared_peak = hasten_stripes_peak(&tracer->shared);
        peak = tracer->own.peak_bytes > shared_peak ? tracer->own.peak_bytes : shared_peak;
    }
    return Py_BuildValue("nn", (Py_ssize_t)size, (Py_ssize_t)(peak > size ? peak : size));
}

PyDoc_STRVAR(reset_peak_doc, "reset_peak($module, /)\n--\n\n"
                             "Set the peak size of memory blocks traced by tracemalloc to the\n"
                             "current size.\n\n"
                             "Do nothing if the tracemalloc module is not tracing memory\n"
                             "allocations.");

static PyObject *tracemalloc_reset_peak(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    struct hasten_tracer *tracer = &hasten_tracer;
    if (check_interpreter() < 0) {
        return NULL;
    }
    if (tracer->is_armed) {
        tracer->own.peak_bytes = hasten_ledger_all_bytes(&tracer->own);
        hasten_stripes_reset_peak(&tracer->shared);
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(object_traceback_doc,
             "_get_object_traceback($module, obj, /)\n--\n\n"
             "Get the traceback where the Python object obj was allocated.\n\n"
             "Return a tuple of (filename: str, lineno: int) tuples.\n"
             "Return None if the tracemalloc module is disabled or did not\n"
             "trace the allocation of the object.");

static PyObject *tracemalloc_object_traceback(PyObject *Py_UNUSED(module), PyObject *object) {
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        Py_RETURN_NONE;
    }
    return hasten_py_block_traceback(0, (uintptr_t)object - hasten_py_bytes_before(object));
}

static PyObject *take(PyTypeObject *type) {
    PyObject *table = hasten_py_table_new(type);
    if (table != NULL) {
        hasten_status status = hasten_table_take(&((struct hasten_table *)table)->traces);
        if (status != HASTEN_OK) {
            Py_CLEAR(table);
            hasten_py_raise(NULL, status, NULL, NULL);
        }
    }
    return table;
}

PyDoc_STRVAR(snapshot_doc, "_snapshot($module, /)\n--\n\nA table of what is alive now.");

static PyObject *tracemalloc_snapshot(PyObject *module, PyObject *Py_UNUSED(unused)) {
    if (check_interpreter() < 0) {
        return NULL;
    }
    if (hasten_tracer.is_armed) {
        hasten_codes_review();
    }
    return take(((struct module_state *)PyModule_GetState(module))->table_type);
}

PyDoc_STRVAR(traces_doc, "_get_traces($module, /)\n--\n\n"
                         "Get traces of all memory blocks allocated by Python.\n\n"
                         "Return a list of (size: int, traceback: tuple) tuples.\n"
                         "traceback is a tuple of (filename: str, lineno: int) tuples.\n\n"
                         "Return an empty list if the tracemalloc module is disabled.");

static PyObject *tracemalloc_traces(PyObject *module, PyObject *Py_UNUSED(unused)) {
    PyObject *table = tracemalloc_snapshot(module, NULL);
    if (table == NULL) {
        return NULL;
    }
    const struct hasten_traces *traces = &((struct hasten_table *)table)->traces;
    const uint64_t count = hasten_traces_count(traces);
    PyObject *list = count == 0 ? PyList_New(0) : hasten_py_table_traces(traces, 0, count);
    Py_DECREF(table);
    return list;
}

PyDoc_STRVAR(wrap_doc, "_wrap_create_dynamic($module, original, /)\n--\n\n"
                       "The same function, which also tells of libraries that it loads.");

static PyMethodDef module_methods[] = {
    {"start", tracemalloc_start, METH_VARARGS, start_doc},
    {"stop", tracemalloc_stop, METH_NOARGS, stop_doc},
    {"is_tracing", tracemalloc_is_tracing, METH_NOARGS, is_tracing_doc},
    {"clear_traces", tracemalloc_clear_traces, METH_NOARGS, clear_traces_doc},
    {"get_traceback_limit", tracemalloc_limit, METH_NOARGS, limit_doc},
    {"get_tracemalloc_memory", tracemalloc_memory, METH_NOARGS, memory_doc},
    {"get_traced_memory", tracemalloc_traced, METH_NOARGS, traced_doc},
    {"reset_peak", tracemalloc_reset_peak, METH_NOARGS, reset_peak_doc},
    {"_get_object_traceback", tracemalloc_object_traceback, METH_O, object_traceback_doc},
    {"_get_traces", tracemalloc_traces, METH_NOARGS, traces_doc},
    {"_snapshot", tracemalloc_snapshot, METH_NOARGS, snapshot_doc},
    {"_wrap_create_dynamic", hasten_imports_wrap, METH_O, wrap_doc},
    {NULL, NULL, 0, NULL},
};

static int module_exec(PyObject *module) {
    struct module_state *state = PyModule_GetState(module);
    state->table_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &hasten_table_spec, NULL);
    return state->table_type == NULL ? -1 : PyModule_AddType(module, state->table_type);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    struct module_state *state = PyModule_GetState(module);
    Py_VISIT(state->table_type);
    return 0;
}

static int module_clear(PyObject *module) {
    struct module_state *state = PyModule_GetState(module);
    Py_CLEAR(state->table_type);
    return 0;
}

static void module_free(void *module) {
    module_clear(module);
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    HASTEN_PY_GUARDED_SLOTS{0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "hasten._tracemalloc",
    .m_doc = "Traces memory allocations.",
    .m_size = sizeof(struct module_state),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__tracemalloc(void);

PyMODINIT_FUNC PyInit__tracemalloc(void) {
    return PyModuleDef_Init(&module_definition);
}
