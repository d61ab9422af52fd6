/* SPDX-License-Identifier: MIT
 *
 * Records loads. */
#include "ext/imports/timing.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "ext/common/pycompat_opcodes.h"
#include "ext/imports/graph.h"

/* More modules than a program has. */
#define MOST_LOADS 1000000

/* Bytes of the process that are in memory; 0 where the kernel does not say. */
static int64_t resident(const struct timing *timing) {
    char text[128];
    const ssize_t size = timing->statm < 0 ? -1 : pread(timing->statm, text, sizeof text - 1, 0);
    if (size <= 0) {
        return 0;
    }
    text[size] = '\0';
    char *end = NULL;
    strtoll(text, &end, 10); /* the size of the address space */
    return strtoll(end, NULL, 10) * timing->page_bytes;
}

static int64_t now(const struct timing *timing) {
    return (int64_t)hasten_clock_monotonic_ns() - timing->start_ns - timing->overhead_ns;
}

/* The thread's innermost load that is going on; -1. */
static Py_ssize_t innermost(const struct timing *timing, unsigned long thread) {
    for (Py_ssize_t i = timing->count - 1; i >= 0; i--) {
        const struct load *load = &timing->loads[i];
        if (load->thread == thread) {
            Py_ssize_t at = i;
            while (at >= 0 && timing->loads[at].is_over) {
                at = timing->loads[at].parent;
            }
            return at;
        }
    }
    return -1;
}

/* The body of the program: importlib does not execute it. */
static bool is_main(const PyCodeObject *code, PyObject *name) {
    return (code->co_flags & CO_OPTIMIZED) == 0 &&
           PyUnicode_CompareWithASCIIString(code->co_name, "<module>") == 0 &&
           PyUnicode_CompareWithASCIIString(name, "__main__") == 0;
}

static bool is_importlib(PyObject *name) {
    return name != NULL && PyUnicode_Check(name) &&
           (PyUnicode_CompareWithASCIIString(name, "importlib._bootstrap") == 0 ||
            PyUnicode_CompareWithASCIIString(name, "importlib") == 0);
}

/* The frame that asks, behind those of importlib: a new reference, or NULL. */
static PyFrameObject *find_asker(void) {
    PyFrameObject *frame = (PyFrameObject *)Py_XNewRef((PyObject *)PyEval_GetFrame());
    while (frame != NULL) {
        PyObject *globals = PyFrame_GetGlobals(frame);
        const bool is_other =
            globals == NULL || !is_importlib(PyDict_GetItemString(globals, "__name__"));
        Py_XDECREF(globals);
        if (is_other) {
            break;
        }
        PyFrameObject *back = PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = back;
    }
    return frame;
}

/* Whether the frame executes an import statement of the module whose body is known. */
static bool is_at_statement(const struct timing *timing, PyFrameObject *frame,
                            const PyCodeObject *code, PyObject *name) {
    const PyCodeObject *body = (PyCodeObject *)PyDict_GetItemWithError(timing->codes, name);
    if (body == NULL || PyUnicode_Compare(body->co_filename, code->co_filename) != 0) {
        return false;
    }
    PyObject *bytes = PyCode_GetCode((PyCodeObject *)code);
    const int offset = PyFrame_GetLasti(frame);
    const bool is = bytes != NULL && offset >= 0 && offset < PyBytes_GET_SIZE(bytes) &&
                    (uint8_t)PyBytes_AS_STRING(bytes)[offset] == IMPORT_NAME;
    Py_XDECREF(bytes);
    return is;
}

/* Who asks, and whether by a statement. The code of the program that is run is only seen here. */
static void look_at_importer(struct timing *timing, struct load *load) {
    PyFrameObject *frame = find_asker();
    if (frame == NULL) {
        return;
    }
    PyCodeObject *code = PyFrame_GetCode(frame);
    PyObject *globals = PyFrame_GetGlobals(frame);
    PyObject *name = globals == NULL ? NULL : PyDict_GetItemString(globals, "__name__");
    if (name != NULL && PyUnicode_Check(name)) {
        load->importer = Py_NewRef(name);
        if (is_main(code, name)) {
            (void)PyDict_SetDefault(timing->codes, name, (PyObject *)code);
        }
        load->is_statement = is_at_statement(timing, frame, code, name);
    }
    Py_XDECREF(globals);
    Py_DECREF(code);
    Py_DECREF(frame);
    PyErr_Clear();
}

static bool make_room(struct timing *timing) {
    if (timing->count < timing->capacity) {
        return true;
    }
    const Py_ssize_t capacity = timing->capacity == 0 ? 256 : 2 * timing->capacity;
    struct load *loads = capacity > MOST_LOADS
                             ? NULL
                             : PyMem_Realloc(timing->loads, (size_t)capacity * sizeof *loads);
    if (loads == NULL) {
        return false;
    }
    timing->loads = loads;
    timing->capacity = capacity;
    return true;
}

/* The number of a new load; -1 where there is no room: it is not recorded. */
static Py_ssize_t begin(struct timing *timing, PyObject *name) {
    struct load load = {.name = Py_NewRef(name), .thread = PyThread_get_thread_ident()};
    /* Makes objects, and so may start the collector, whose finalizers may import. */
    look_at_importer(timing, &load);
    if (!make_room(timing)) {
        Py_DECREF(load.name);
        Py_XDECREF(load.importer);
        return -1;
    }
    load.parent = innermost(timing, load.thread);
    load.resident_before = resident(timing);
    load.start_ns = now(timing);
    timing->loads[timing->count] = load;
    return timing->count++;
}

static void end(struct timing *timing, Py_ssize_t number, bool has_failed) {
    struct load *load = &timing->loads[number];
    load->duration_ns = now(timing) - load->start_ns;
    load->resident_after = resident(timing);
    load->has_failed = has_failed;
    load->is_over = true;
    const int64_t before_ns = (int64_t)hasten_clock_monotonic_ns();
    if (!has_failed) {
        graph_loaded(timing, load->name);
    }
    timing->overhead_ns += (int64_t)hasten_clock_monotonic_ns() - before_ns;
}

PyObject *timing_load(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
    struct imports *imports = PyModule_GetState(module);
    struct timing *timing = imports->timing;
    const Py_ssize_t number = count >= 1 && PyUnicode_Check(arguments[0]) && !timing->is_closed
                                  ? begin(timing, arguments[0])
                                  : -1;
    PyObject *result = PyObject_Vectorcall(timing->load_before, arguments, (size_t)count, NULL);
    if (number >= 0) {
        struct hasten_py_exception raised = hasten_py_exception_take();
        end(timing, number, result == NULL);
        hasten_py_exception_put(raised);
    }
    return result;
}

/* importlib executes a module's body by it: (exec, code, dictionary). */
PyObject *timing_call(PyObject *module, PyObject *const *arguments, Py_ssize_t count,
                      PyObject *keywords) {
    struct imports *imports = PyModule_GetState(module);
    struct timing *timing = imports->timing;
    if (count == 3 && keywords == NULL && !timing->is_closed && PyCode_Check(arguments[1]) &&
        PyDict_Check(arguments[2])) {
        PyObject *name = PyDict_GetItemString(arguments[2], "__name__");
        if (name != NULL && PyUnicode_Check(name)) {
            (void)PyDict_SetItem(timing->codes, name, arguments[1]);
        }
        PyErr_Clear();
    }
    return PyObject_Vectorcall(timing->call_before, arguments, (size_t)count, keywords);
}

PyObject *timing_started(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
    struct imports *imports = PyModule_GetState(module);
    struct timing *timing = imports->timing;
    if (timing == NULL || timing->disable == NULL) {
        Py_RETURN_NONE;
    }
    if (count >= 1 && !timing->is_closed && PyCode_Check(arguments[0])) {
        const Py_ssize_t number = innermost(timing, PyThread_get_thread_ident());
        PyObject *key = PyLong_FromVoidPtr(arguments[0]);
        PyObject *place = PyLong_FromSsize_t(number);
        if (key != NULL && place != NULL && PyDict_Contains(timing->ran, key) == 0 &&
            PyList_Append(timing->held, arguments[0]) == 0) {
            (void)PyDict_SetItem(timing->ran, key, place);
        }
        Py_XDECREF(key);
        Py_XDECREF(place);
        PyErr_Clear();
    }
    return Py_NewRef(timing->disable);
}

static bool replace(PyObject *module, const char *ours, PyObject *owner, const char *name,
                    PyObject **ret_before) {
    PyObject *function = PyObject_GetAttrString(module, ours);
    *ret_before = PyObject_GetAttrString(owner, name);
    const bool is_replaced = function != NULL && *ret_before != NULL &&
                             PyObject_SetAttrString(owner, name, function) == 0;
    Py_XDECREF(function);
    return is_replaced;
}

PyObject *timing_start(PyObject *module, PyObject *disable) {
    struct imports *imports = PyModule_GetState(module);
    if (imports->timing != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "imports are recorded already");
        return NULL;
    }
    struct timing *timing = PyMem_Calloc(1, sizeof *timing);
    if (timing == NULL) {
        return PyErr_NoMemory();
    }
    imports->timing = timing;
    timing->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    timing->page_bytes = sysconf(_SC_PAGESIZE);
    timing->codes = PyDict_New();
    timing->ran = PyDict_New();
    timing->runs = PyDict_New();
    timing->held = PyList_New(0);
    timing->disable = disable == Py_None ? NULL : Py_NewRef(disable);
    timing->knows_use = HASTEN_PY_CODE_TELLS_RUNS || timing->disable != NULL;
    PyObject *owner = PyImport_ImportModule("_frozen_importlib");
    const bool is_on =
        owner != NULL && timing->codes != NULL && timing->ran != NULL && timing->runs != NULL &&
        timing->held != NULL &&
        replace(module, "_load", owner, "_find_and_load", &timing->load_before) &&
        replace(module, "_call", owner, "_call_with_frames_removed", &timing->call_before);
    Py_XDECREF(owner);
    timing->start_ns = (int64_t)hasten_clock_monotonic_ns();
    return is_on ? Py_NewRef(Py_None) : NULL;
}

void timing_free(struct imports *imports) {
    struct timing *timing = imports->timing;
    imports->timing = NULL;
    if (timing == NULL) {
        return;
    }
    for (Py_ssize_t i = 0; i < timing->count; i++) {
        Py_DECREF(timing->loads[i].name);
        Py_XDECREF(timing->loads[i].importer);
    }
    PyMem_Free(timing->loads);
    Py_XDECREF(timing->load_before);
    Py_XDECREF(timing->call_before);
    Py_XDECREF(timing->codes);
    Py_XDECREF(timing->ran);
    Py_XDECREF(timing->runs);
    Py_XDECREF(timing->held);
    Py_XDECREF(timing->disable);
    if (timing->statm >= 0) {
        close(timing->statm);
    }
    PyMem_Free(timing);
}
