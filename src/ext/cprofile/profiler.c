/* SPDX-License-Identifier: MIT
 *
 * The profiler object: construction, enable, disable, clear. */
#include "ext/cprofile/profiler.h"

#include "ext/cprofile/events.h"
#include "ext/cprofile/stacks.h"
#include "ext/cprofile/tasks.h"

const char hasten_profiler_enable_doc[] =
    "enable(subcalls=True, builtins=True)\n"
    "\n"
    "Start collecting profiling information.\n"
    "With subcalls, statistics of each function are also kept for each of its callers.\n"
    "With builtins, functions of C are counted on their own, not as part of their caller.";
const char hasten_profiler_disable_doc[] = "disable()\n"
                                           "\n"
                                           "Stop collecting profiling information.";
const char hasten_profiler_clear_doc[] = "clear()\n"
                                         "\n"
                                         "Forget all that was collected.";

static struct hasten_profiler *as_profiler(PyObject *self) {
    return (struct hasten_profiler *)self;
}

int hasten_profiler_check_memory(struct hasten_profiler *profiler) {
    if (!profiler->calls.ran_out) {
        return 0;
    }
    profiler->calls.ran_out = false;
    PyErr_SetString(PyExc_MemoryError, "memory was exhausted while profiling");
    return -1;
}

/* Nothing may be taken away from under the user's timer. */
static bool may_change(const struct hasten_profiler *profiler, const char *what) {
    if (profiler->in_timer) {
        PyErr_Format(PyExc_RuntimeError, "cannot %s profiler in external timer", what);
    }
    return !profiler->in_timer;
}

static void set_switches(struct hasten_profiler *profiler, int subcalls, int builtins) {
    if (subcalls >= 0) {
        hasten_calls_set_callers(&profiler->calls, subcalls != 0);
    }
    if (builtins >= 0) {
        profiler->builtins = builtins != 0;
    }
}

PyObject *hasten_profiler_enable(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"subcalls", "builtins", NULL};
    struct hasten_profiler *profiler = as_profiler(self);
    int subcalls = HASTEN_PY_ENABLE_DEFAULT;
    int builtins = HASTEN_PY_ENABLE_DEFAULT;
    if (!PyArg_ParseTupleAndKeywords(args, keywords,
                                     "|" HASTEN_PY_FLAG_FORMAT HASTEN_PY_FLAG_FORMAT ":enable",
                                     names, &subcalls, &builtins)) {
        return NULL;
    }
    set_switches(profiler, subcalls, builtins);
    if (hasten_mechanism_start(profiler) < 0) {
        return NULL;
    }
    profiler->enabled = true;
    if (profiler->greenlets && hasten_greenlets_start(profiler) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyObject *hasten_profiler_disable(PyObject *self, PyObject *Py_UNUSED(unused)) {
    struct hasten_profiler *profiler = as_profiler(self);
    if (!may_change(profiler, "disable") || hasten_mechanism_stop(profiler) < 0) {
        return NULL;
    }
    profiler->enabled = false;
    if (profiler->greenlet_hook != NULL && hasten_greenlets_stop(profiler) < 0) {
        return NULL;
    }
    hasten_events_flush(profiler);
    if (hasten_profiler_check_memory(profiler) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* Forgets all. Releasing a name may run code, so that comes last. */
static void forget(struct hasten_profiler *profiler) {
    struct hasten_calls *calls = &profiler->calls;
    hasten_mechanism_drop_functions(profiler);
    uint32_t count = calls->functions.count;
    PyObject *names = PyList_New(0);
    for (uint32_t i = 0; i < count; i++) {
        struct hasten_callable *callable = hasten_calls_function_at(calls, i)->object;
        /* Where there is no memory for the list, it is released now. */
        if (names == NULL || PyList_Append(names, callable->name) < 0) {
            PyErr_Clear();
        }
        Py_DECREF(callable->name);
        hasten_callable_free(callable);
    }
    hasten_calls_clear(calls);
    if (profiler->stacks != NULL) {
        hasten_stacks_clear(profiler->stacks);
    }
    if (profiler->tasks != NULL) {
        hasten_tasks_clear(profiler->tasks);
    }
    Py_XDECREF(names);
}

PyObject *hasten_profiler_clear(PyObject *self, PyObject *Py_UNUSED(unused)) {
    if (!may_change(as_profiler(self), "clear")) {
        return NULL;
    }
    forget(as_profiler(self));
    Py_RETURN_NONE;
}

static PyObject *profiler_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                              PyObject *Py_UNUSED(keywords)) {
    struct hasten_cprofile_state *state = hasten_cprofile_state_of(type);
    if (state == NULL) {
        return NULL;
    }
    struct hasten_profiler *profiler = (struct hasten_profiler *)type->tp_alloc(type, 0);
    if (profiler == NULL) {
        return NULL;
    }
    hasten_calls_init(&profiler->calls, false, NULL);
    profiler->calls.no_function.settled = 1; /* its calls are not looked at (sites.h) */
    profiler->ticks = state->ticks;
    profiler->builtins = true;
    profiler->tool = HASTEN_TOOL_PROFILER;
    if (!hasten_calls_grow(&profiler->calls)) {
        Py_DECREF(profiler);
        return PyErr_NoMemory();
    }
    return (PyObject *)profiler;
}

static int init_standard_part(struct hasten_profiler *profiler, PyObject *args,
                              PyObject *keywords) {
    static char *names[] = {"timer", "timeunit", "subcalls", "builtins", NULL};
    PyObject *timer = NULL;
    double unit = 0.0;
    int subcalls = 1;
    int builtins = 1;
    if (!PyArg_ParseTupleAndKeywords(args, keywords,
                                     "|Od" HASTEN_PY_FLAG_FORMAT HASTEN_PY_FLAG_FORMAT ":Profiler",
                                     names, &timer, &unit, &subcalls, &builtins)) {
        return -1;
    }
    set_switches(profiler, subcalls, builtins);
    if (timer != NULL) {
        profiler->clock = HASTEN_CLOCK_TIMER;
    } else if (profiler->clock == HASTEN_CLOCK_TIMER) {
        profiler->clock = HASTEN_CLOCK_TICKS;
    }
    profiler->timer_unit = unit;
    Py_XSETREF(profiler->timer, Py_XNewRef(timer));
    return 0;
}

static int profiler_init(PyObject *self, PyObject *args, PyObject *keywords) {
    struct hasten_profiler *profiler = as_profiler(self);
    if (!may_change(profiler, "initialize") || hasten_options_apply(profiler, &keywords) < 0) {
        return -1;
    }
    int failed = init_standard_part(profiler, args, keywords);
    Py_XDECREF(keywords);
    if (failed == 0 && profiler->subtract) {
        failed = hasten_overhead_measure(profiler);
    }
    if (failed == 0 && profiler->enabled && !hasten_events_are_plain(profiler)) {
        hasten_mechanism_be_full(profiler);
    }
    return failed != 0 ? -1 : hasten_mechanism_prepare(profiler);
}

static int profiler_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(as_profiler(self)->timer);
    Py_VISIT(as_profiler(self)->thread_hook);
    Py_VISIT(as_profiler(self)->greenlet_hook);
    return 0;
}

static int profiler_gc_clear(PyObject *self) {
    struct hasten_profiler *profiler = as_profiler(self);
    /* Without its timer it keeps the time by the clock. */
    if (!profiler->in_timer && profiler->timer != NULL) {
        profiler->clock = HASTEN_CLOCK_TICKS;
        Py_CLEAR(profiler->timer);
    }
    return 0;
}

static void profiler_dealloc(PyObject *self) {
    struct hasten_profiler *profiler = as_profiler(self);
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    hasten_mechanism_forget(profiler);
    if (profiler->calls.stack.frames != NULL) {
        hasten_events_flush(profiler);
    }
    forget(profiler);
    hasten_options_done(profiler);
    hasten_calls_done(&profiler->calls);
    Py_XDECREF(profiler->timer);
    Py_XDECREF(profiler->missing);
    Py_XDECREF(profiler->disable);
    Py_XDECREF(profiler->taps);
    Py_XDECREF(profiler->thread_hook);
    Py_XDECREF(profiler->greenlet_hook);
    type->tp_free(self);
    Py_DECREF(type);
}

PyDoc_STRVAR(profiler_doc,
             "Profiler(timer=None, timeunit=None, subcalls=True, builtins=True)\n"
             "\n"
             "Counts and times calls. The default timer is a fast built-in one of real time;\n"
             "timer is a function that answers seconds, or integers that timeunit, a float,\n"
             "says the length of in seconds.");

static PyType_Slot profiler_slots[] = {
    {Py_tp_doc, (void *)profiler_doc},   {Py_tp_methods, hasten_profiler_methods},
    {Py_tp_new, profiler_new},           {Py_tp_init, profiler_init},
    {Py_tp_traverse, profiler_traverse}, {Py_tp_clear, profiler_gc_clear},
    {Py_tp_dealloc, profiler_dealloc},   {0, NULL},
};

/* Named as the standard one: results show the name, "method 'disable' of ...". */
PyType_Spec hasten_profiler_spec = {
    .name = "_lsprof.Profiler",
    .basicsize = sizeof(struct hasten_profiler),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = profiler_slots,
};
