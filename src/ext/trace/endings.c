/* SPDX-License-Identifier: MIT
 *
 * What must be written before a process goes away, and when its program begins.
 *
 * The interpreter tells its audit hooks what it is about to run (after it has
 * started itself: that is where tracing begins), and of exec and kill. At exit it
 * calls us last of all. os._exit tells nobody: its C function is replaced, in the
 * table that the function object points to, so that whoever took it before has
 * ours too and nobody can tell them apart. */
#include "ext/trace/trace.h"

#include <string.h>
#include <unistd.h>

#include "ext/cprofile/events.h"

/* A C function that is replaced has no argument to find these by; set once, before
 * the program runs. */
static struct hasten_trace *traced;
static PyCFunction exit_now;

static bool is_ours(void) {
    return PyInterpreterState_Get() == PyInterpreterState_Main();
}

static PyObject *write_and_exit(PyObject *module, PyObject *const *args, Py_ssize_t count,
                                PyObject *names) {
    /* Only the main interpreter's lock guards what is written. */
    if (is_ours()) {
        hasten_trace_write(traced, HASTEN_TRACE_MAY_END);
    }
    return ((PyObject * (*)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *))(
        void (*)(void))exit_now)(module, args, count, names);
}

/* The program begins: from here on, calls are counted. */
static int begin(struct hasten_trace *trace) {
    if (trace->profiler->enabled) {
        return 0;
    }
    PyObject *module = PyImport_ImportModule("hasten._cprofile");
    PyObject *answer =
        module == NULL ? NULL : PyObject_CallMethod(module, "_trace_begin", "O", trace->profiler);
    if (answer == NULL) {
        PyErr_WriteUnraisable((PyObject *)trace->profiler);
    }
    Py_XDECREF(module);
    Py_XDECREF(answer);
    return 0;
}

static bool kills_itself(PyObject *args) {
    if (!PyTuple_Check(args) || PyTuple_GET_SIZE(args) < 1 ||
        !PyLong_Check(PyTuple_GET_ITEM(args, 0))) {
        return false;
    }
    long pid = PyLong_AsLong(PyTuple_GET_ITEM(args, 0));
    PyErr_Clear();
    return pid <= 0 || pid == (long)getpid();
}

static int on_audit(const char *event, PyObject *args, void *data) {
    struct hasten_trace *trace = data;
    if (event[0] != 'c' && event[0] != 'o') {
        return 0;
    }
    if (strncmp(event, "cpython.run_", strlen("cpython.run_")) == 0) {
        return is_ours() ? begin(trace) : 0;
    }
    bool ends =
        strcmp(event, "os.exec") == 0 ||
        ((strcmp(event, "os.kill") == 0 || strcmp(event, "os.killpg") == 0) && kills_itself(args));
    if (ends && trace->profiler->enabled && is_ours()) {
        hasten_trace_write(trace, HASTEN_TRACE_MAY_END);
    }
    return 0;
}

/* Only what is as expected is replaced. */
static void watch_exit(void) {
    PyObject *posix = PyImport_ImportModule("posix");
    PyObject *function = posix == NULL ? NULL : PyObject_GetAttrString(posix, "_exit");
    if (function != NULL && PyCFunction_CheckExact(function)) {
        PyMethodDef *definition = ((PyCFunctionObject *)function)->m_ml;
        if (definition->ml_flags == (METH_FASTCALL | METH_KEYWORDS)) {
            exit_now = definition->ml_meth;
            definition->ml_meth = HASTEN_PY_METHOD(write_and_exit);
        }
    }
    PyErr_Clear();
    Py_XDECREF(function);
    Py_XDECREF(posix);
}

/* Has the function `name` of a module call one of ours. */
static int register_method(PyObject *module, const char *from, const char *name,
                           const char *keyword, const char *method) {
    PyObject *other = PyImport_ImportModule(from);
    PyObject *hook = other == NULL ? NULL : PyObject_GetAttrString(other, name);
    PyObject *function = hook == NULL ? NULL : PyObject_GetAttrString(module, method);
    PyObject *args = NULL;
    PyObject *keywords = NULL;
    PyObject *answer = NULL;
    if (function != NULL) {
        args = keyword == NULL ? PyTuple_Pack(1, function) : PyTuple_New(0);
        keywords = keyword == NULL ? PyDict_New() : Py_BuildValue("{s:O}", keyword, function);
    }
    if (args != NULL && keywords != NULL) {
        answer = PyObject_Call(hook, args, keywords);
    }
    Py_XDECREF(other);
    Py_XDECREF(hook);
    Py_XDECREF(function);
    Py_XDECREF(args);
    Py_XDECREF(keywords);
    Py_XDECREF(answer);
    return answer == NULL ? -1 : 0;
}

int hasten_trace_watch_endings(struct hasten_trace *trace, PyObject *module) {
    if (register_method(module, "atexit", "register", NULL, "_trace_finish") < 0) {
        return -1;
    }
    if (!is_ours()) {
        return 0; /* what ends the process is the main interpreter's */
    }
    traced = trace;
    if (register_method(module, "os", "register_at_fork", "after_in_child", "_trace_forked") < 0 ||
        PySys_AddAuditHook(on_audit, trace) < 0) {
        return -1;
    }
    watch_exit();
    return 0;
}

PyObject *hasten_trace_forked_method(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    if (traced != NULL && traced->profiler->enabled) {
        hasten_trace_forked(traced);
    }
    Py_RETURN_NONE;
}

/* The last thing at an interpreter's exit. Calls stop being counted; other threads may
 * go on. */
PyObject *hasten_trace_finish_method(PyObject *module, PyObject *Py_UNUSED(unused)) {
    struct hasten_cprofile_state *state = PyModule_GetState(module);
    struct hasten_trace *trace = state->trace;
    if (trace == NULL || !trace->profiler->enabled) {
        Py_RETURN_NONE;
    }
    hasten_trace_write(trace, HASTEN_TRACE_ENDS);
    if (hasten_mechanism_stop(trace->profiler) < 0) {
        return NULL;
    }
    trace->profiler->enabled = false;
    /* What another thread is in the middle of stays. */
    if (trace != traced && !trace->writing && trace->naming == 0) {
        state->trace = NULL;
        hasten_trace_free(trace);
    }
    Py_RETURN_NONE;
}
