/* SPDX-License-Identifier: MIT
 *
 * Events from sys.monitoring, 3.12 and later: registers callbacks (taps.h) and arms
 * the events that are wanted, no others. */
#include "ext/cprofile/sites.h"
#include "ext/cprofile/taps.h"

#define TOOL_NAME "cProfile"
#define TRACE_NAME "hasten"

int hasten_mechanism_add_types(PyObject *module, struct hasten_cprofile_state *state) {
    state->tap_type = hasten_tap_type(module);
    return state->tap_type == NULL ? -1 : 0;
}

void hasten_mechanism_drop_functions(struct hasten_profiler *profiler) {
    hasten_sites_stop(profiler);
}

void hasten_mechanism_be_full(struct hasten_profiler *profiler) {
    hasten_sites_stop(profiler);
    hasten_taps_be_full(profiler->taps);
}

static PyObject *monitoring_module(void) {
    PyObject *monitoring = PySys_GetObject("monitoring");
    if (monitoring == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "lost sys.monitoring");
    }
    return Py_XNewRef(monitoring);
}

int hasten_mechanism_prepare(struct hasten_profiler *profiler) {
    PyObject *monitoring = monitoring_module();
    PyObject *missing = NULL;
    PyObject *disable = NULL;
    if (monitoring != NULL) {
        missing = PyObject_GetAttrString(monitoring, "MISSING");
        disable = missing == NULL ? NULL : PyObject_GetAttrString(monitoring, "DISABLE");
        Py_DECREF(monitoring);
    }
    Py_XSETREF(profiler->missing, missing);
    Py_XSETREF(profiler->disable, disable);
    return disable == NULL ? -1 : 0;
}

/* Calls a function of sys.monitoring that answers nothing we want. */
static int ask(PyObject *answer) {
    Py_XDECREF(answer);
    return answer == NULL ? -1 : 0;
}

/* Places that were disabled are armed again. */
static int restart(PyObject *monitoring) {
    return ask(PyObject_CallMethod(monitoring, "restart_events", NULL));
}

static int set_events(PyObject *monitoring, int tool, int set) {
    return ask(PyObject_CallMethod(monitoring, "set_events", "ii", tool, set));
}

/* The event's bit; -1 with an exception. */
static int event_bit(PyObject *monitoring, const struct hasten_tap_event *event) {
    PyObject *all = PyObject_GetAttrString(monitoring, "events");
    PyObject *number = all == NULL ? NULL : PyObject_GetAttrString(all, event->name);
    long bit = number == NULL ? -1 : PyLong_AsLong(number);
    Py_XDECREF(number);
    Py_XDECREF(all);
    return (int)bit;
}

/* Registers a callback, or None. Answers the event's bit, or -1. */
static int set_callback(PyObject *monitoring, int tool, const struct hasten_tap_event *event,
                        PyObject *callback) {
    int bit = event_bit(monitoring, event);
    if (bit < 0 || ask(PyObject_CallMethod(monitoring, "register_callback", "iiO", tool, bit,
                                           callback)) != 0) {
        return -1;
    }
    return bit;
}

/* Registers callbacks for what is wanted now, and arms it. */
static int arm(struct hasten_profiler *profiler, PyObject *monitoring) {
    struct hasten_cprofile_state *state = hasten_cprofile_state_of(Py_TYPE(profiler));
    int set = 0;
    if (state == NULL) {
        return -1;
    }
    Py_XSETREF(profiler->taps, PyList_New(0));
    if (profiler->taps == NULL) {
        return -1;
    }
    if (profiler->filter != NULL && restart(monitoring) < 0) {
        return -1;
    }
    for (size_t i = 0; i < HASTEN_TAP_EVENTS; i++) {
        if (hasten_tap_events[i].builtin && !profiler->builtins) {
            continue;
        }
        PyObject *tap = hasten_tap_new(profiler, state->tap_type, &hasten_tap_events[i]);
        int bit = tap == NULL || PyList_Append(profiler->taps, tap) < 0
                      ? -1
                      : set_callback(monitoring, profiler->tool, &hasten_tap_events[i], tap);
        Py_XDECREF(tap);
        if (bit < 0) {
            return -1;
        }
        set |= bit;
    }
    hasten_sites_stop(profiler);
    if (profiler->builtins && hasten_events_are_plain(profiler)) {
        hasten_sites_start(profiler);
    }
    return set_events(monitoring, profiler->tool, set);
}

/* Does all of it, whatever fails on the way. */
static int disarm(struct hasten_profiler *profiler, PyObject *monitoring) {
    int failed = 0;
    Py_CLEAR(profiler->taps);
    hasten_sites_stop(profiler);
    for (size_t i = 0; i < HASTEN_TAP_EVENTS; i++) {
        failed |=
            set_callback(monitoring, profiler->tool, &hasten_tap_events[i], Py_None) < 0 ? -1 : 0;
    }
    failed |= set_events(monitoring, profiler->tool, 0);
    /* Places that were disabled would stay so for the next tool. */
    failed |= profiler->filter != NULL ? restart(monitoring) : 0;
    failed |= ask(PyObject_CallMethod(monitoring, "free_tool_id", "i", profiler->tool));
    return failed;
}

int hasten_mechanism_start(struct hasten_profiler *profiler) {
    PyObject *monitoring = monitoring_module();
    if (monitoring == NULL) {
        return -1;
    }
    int failed = ask(PyObject_CallMethod(monitoring, "use_tool_id", "is", profiler->tool,
                                         profiler->trace == NULL ? TOOL_NAME : TRACE_NAME));
    if (failed != 0) {
        if (HASTEN_PY_TOOL_BUSY != NULL) {
            PyErr_SetString(PyExc_ValueError, HASTEN_PY_TOOL_BUSY);
        }
        /* A profiler that is active itself has got its switches set all the same. */
        if (profiler->enabled) {
            struct hasten_py_exception exception = hasten_py_exception_take();
            if (arm(profiler, monitoring) < 0) {
                PyErr_Clear();
            }
            hasten_py_exception_put(exception);
        }
    } else {
        failed = arm(profiler, monitoring);
        if (failed != 0) {
            struct hasten_py_exception exception = hasten_py_exception_take();
            if (disarm(profiler, monitoring) < 0) {
                PyErr_Clear();
            }
            hasten_py_exception_put(exception);
        }
    }
    Py_DECREF(monitoring);
    return failed;
}

int hasten_mechanism_stop(struct hasten_profiler *profiler) {
    if (!profiler->enabled) {
        return 0;
    }
    PyObject *monitoring = monitoring_module();
    if (monitoring == NULL) {
        return -1;
    }
    int failed = disarm(profiler, monitoring);
    Py_DECREF(monitoring);
    return failed;
}

bool hasten_mechanism_is_displaced(const struct hasten_profiler *Py_UNUSED(profiler)) {
    return false; /* tools have numbers of their own */
}

/* As long as callbacks are registered, they keep it. */
void hasten_mechanism_forget(struct hasten_profiler *Py_UNUSED(profiler)) {
}

PyMethodDef hasten_profiler_methods[] = {
    HASTEN_PROFILER_METHODS{"_pystart_callback", HASTEN_PY_METHOD(hasten_tap_call_start),
                            METH_FASTCALL, NULL},
    {"_pythrow_callback", HASTEN_PY_METHOD(hasten_tap_call_throw), METH_FASTCALL, NULL},
    {"_pyreturn_callback", HASTEN_PY_METHOD(hasten_tap_call_return), METH_FASTCALL, NULL},
    {"_ccall_callback", HASTEN_PY_METHOD(hasten_tap_call_c_enter), METH_FASTCALL, NULL},
    {"_creturn_callback", HASTEN_PY_METHOD(hasten_tap_call_c_leave), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
