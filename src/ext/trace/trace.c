/* SPDX-License-Identifier: MIT
 *
 * Starts tracing a program, and gives each stack a root. */
#include "ext/trace/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ext/common/pycompat_profiler.h"
#include "ext/cprofile/stacks.h"

bool hasten_trace_reserve(struct hasten_trace *trace) {
    struct hasten_calls *calls = &trace->profiler->calls;
    void *nodes = trace->nodes;
    void *codes = trace->codes;
    if (hasten_grow(NULL, &nodes, &trace->node_capacity, calls->nodes.count, sizeof *trace->nodes) <
        0) {
        return false;
    }
    trace->nodes = nodes;
    if (hasten_grow(NULL, &codes, &trace->code_capacity, calls->functions.count,
                    sizeof *trace->codes) < 0) {
        return false;
    }
    trace->codes = codes;
    for (; trace->node_count < calls->nodes.count; trace->node_count++) {
        const struct hasten_call_node *node =
            hasten_calls_node_at(calls, (uint32_t)trace->node_count);
        const struct hasten_call_node *parent = hasten_calls_parent(calls, node);
        trace->nodes[trace->node_count] = (struct hasten_trace_node){
            .recorded = HASTEN_NONE,
            .stack = parent == NULL ? calls->stack.id : trace->nodes[parent->index].stack,
        };
    }
    while (trace->code_count < calls->functions.count) {
        trace->codes[trace->code_count++] = HASTEN_NONE;
    }
    return true;
}

bool hasten_trace_begin_stack(struct hasten_profiler *profiler) {
    struct hasten_trace *trace = profiler->trace;
    uint32_t id = profiler->calls.stack.id;
    void *array = trace->threads;
    if (hasten_grow(NULL, &array, &trace->thread_capacity, id + 1u, sizeof *trace->threads) < 0) {
        return false;
    }
    trace->threads = array;
    while (trace->thread_count <= id) {
        trace->threads[trace->thread_count++] =
            (struct hasten_trace_thread){.recorded = HASTEN_NONE};
    }
    struct hasten_call_node *root = hasten_calls_add_root(&profiler->calls);
    if (root == NULL) {
        return false;
    }
    profiler->calls.stack.frames->node = root;
    if (!hasten_trace_reserve(trace)) {
        return false;
    }
    struct hasten_trace_thread thread = {
        .recorded = HASTEN_NONE,
        .tid = (uint32_t)syscall(SYS_gettid),
        .ident = PyThread_get_thread_ident(),
    };
    thread.is_main = thread.tid == (uint32_t)getpid();
    trace->naming++;
    hasten_trace_name_thread(&thread);
    trace->naming--;
    trace->threads[id] = thread;
    /* Naming may have let another thread run. */
    return hasten_stacks_select(profiler->stacks, &profiler->calls);
}

struct hasten_call_scope *hasten_trace_fold(struct hasten_profiler *profiler) {
    profiler->trace->folded = true;
    return profiler->calls.stack.frames->node->callees;
}

static PyObject *make_profiler(PyObject *module, bool builtins) {
    const struct hasten_cprofile_state *state = PyModule_GetState(module);
    PyObject *keywords =
        Py_BuildValue("{s:s,s:O}", "threads", "all", "builtins", builtins ? Py_True : Py_False);
    PyObject *none = PyTuple_New(0);
    PyObject *made = keywords == NULL || none == NULL
                         ? NULL
                         : PyObject_Call((PyObject *)state->profiler_type, none, keywords);
    Py_XDECREF(keywords);
    Py_XDECREF(none);
    if (made == NULL) {
        return NULL;
    }
    struct hasten_profiler *profiler = (struct hasten_profiler *)made;
    hasten_calls_done(&profiler->calls);
    hasten_calls_init(&profiler->calls, true, NULL);
    if (!hasten_calls_grow(&profiler->calls)) {
        Py_DECREF(made);
        return PyErr_NoMemory();
    }
    return made;
}

/* Another tool may have the one number, hardly both. */
static int enable(struct hasten_profiler *profiler) {
    static const int tools[] = {HASTEN_TOOL_TRACE, HASTEN_TOOL_SPARE};
    PyObject *answer = NULL;
    for (size_t i = 0; answer == NULL && i < sizeof tools / sizeof *tools; i++) {
        PyErr_Clear();
        profiler->tool = tools[i];
        answer = PyObject_CallMethod((PyObject *)profiler, "enable", "ii", 1,
                                     (int)profiler->trace->builtins);
    }
    Py_XDECREF(answer);
    return answer == NULL ? -1 : 0;
}

static int start(struct hasten_trace *trace, PyObject *module, const char *folder) {
    trace->target.folder = strdup(folder);
    if (trace->target.folder == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    trace->target.pid = (uint32_t)getpid();
    PyObject *made = make_profiler(module, trace->builtins);
    if (made == NULL) {
        return -1;
    }
    trace->profiler = (struct hasten_profiler *)made;
    trace->profiler->trace = trace;
    return hasten_trace_watch_endings(trace, module);
}

/* Another interpreter than the program's main one: it has parts, threads and an end of
 * its own, and counts from here on. NULL: it is not traced, or with an exception. */
static struct hasten_trace *new_for_subinterpreter(void) {
    if (!HASTEN_PY_SUBINTERPRETERS_TRACED) {
        return NULL;
    }
    struct hasten_trace *trace = PyMem_RawCalloc(1, sizeof *trace);
    if (trace == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    snprintf(trace->target.interpreter, sizeof trace->target.interpreter, ".%lld",
             (long long)PyInterpreterState_GetID(PyInterpreterState_Get()));
    trace->target.label = "subinterpreter";
    return trace;
}

void hasten_trace_free(struct hasten_trace *trace) {
    struct hasten_profiler *profiler = trace->profiler;
    if (profiler != NULL) {
        profiler->trace = NULL;
        Py_DECREF(profiler);
    }
    hasten_recorder_free(trace->recorder);
    hasten_release(NULL, trace->nodes, trace->node_capacity * sizeof *trace->nodes);
    hasten_release(NULL, trace->codes, trace->code_capacity * sizeof *trace->codes);
    hasten_release(NULL, trace->threads, trace->thread_capacity * sizeof *trace->threads);
    free(trace->target.folder);
    PyMem_RawFree(trace);
}

static PyObject *trace_program(PyObject *module, PyObject *args) {
    static struct hasten_trace program; /* what ends the process asks for it */
    struct hasten_cprofile_state *state = PyModule_GetState(module);
    struct hasten_trace *trace = &program;
    const char *folder = NULL;
    unsigned long long start_ns = 0;
    int builtins = 1;
    if (!PyArg_ParseTuple(args, "sKp:trace", &folder, &start_ns, &builtins)) {
        return NULL;
    }
    if (state->asked_to_trace) {
        Py_RETURN_NONE;
    }
    state->asked_to_trace = true;
    bool is_main = PyInterpreterState_Get() == PyInterpreterState_Main();
    if (!is_main) {
        trace = new_for_subinterpreter();
    }
    if (trace == NULL && PyErr_Occurred()) {
        return NULL;
    }
    if (trace == NULL) {
        /* It may have a GIL of its own. */
        __atomic_fetch_add(&program.subinterpreters, 1, __ATOMIC_RELAXED);
        Py_RETURN_NONE;
    }
    trace->target.start_ns = start_ns;
    trace->builtins = builtins != 0;
    if (start(trace, module, folder) < 0 || (!is_main && enable(trace->profiler) < 0)) {
        if (!is_main) {
            hasten_trace_free(trace);
        }
        return NULL;
    }
    state->trace = trace;
    Py_RETURN_NONE;
}

static PyObject *trace_begin(PyObject *Py_UNUSED(module), PyObject *profiler) {
    if (enable((struct hasten_profiler *)profiler) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyMethodDef hasten_trace_methods[] = {
    {"trace", trace_program, METH_VARARGS, NULL},
    {"_trace_begin", trace_begin, METH_O, NULL},
    {"_trace_forked", hasten_trace_forked_method, METH_NOARGS, NULL},
    {"_trace_finish", hasten_trace_finish_method, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
