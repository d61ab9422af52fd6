/* SPDX-License-Identifier: MIT
 *
 * Events from the running thread's profile function, CPython 3.11. */
#include "ext/cprofile/events.h"

static int on_event(PyObject *self, PyFrameObject *frame, int what, PyObject *arg) {
    struct hasten_profiler *profiler = (struct hasten_profiler *)self;
    switch (what) {
    case PyTrace_CALL:
    case PyTrace_RETURN: {
        /* The frame holds its code object. */
        PyCodeObject *code = PyFrame_GetCode(frame);
        Py_DECREF(code);
        if (what == PyTrace_CALL) {
            hasten_events_enter(profiler, code, (PyObject *)code, NULL);
        } else {
            hasten_events_leave(profiler, code);
        }
        break;
    }
    case PyTrace_C_CALL:
        if (profiler->builtins && PyCFunction_Check(arg)) {
            hasten_events_enter(profiler, ((PyCFunctionObject *)arg)->m_ml, arg, NULL);
        }
        break;
    case PyTrace_C_RETURN:
    case PyTrace_C_EXCEPTION:
        if (profiler->builtins && PyCFunction_Check(arg)) {
            hasten_events_leave(profiler, ((PyCFunctionObject *)arg)->m_ml);
        }
        break;
    default:
        break;
    }
    return 0;
}

static int on_event_fully(PyObject *self, PyFrameObject *frame, int what, PyObject *arg) {
    struct hasten_profiler *profiler = (struct hasten_profiler *)self;
    switch (what) {
    case PyTrace_CALL:
    case PyTrace_RETURN: {
        PyCodeObject *code = PyFrame_GetCode(frame);
        if (what == PyTrace_CALL) {
            hasten_events_enter_fully(profiler, code, (PyObject *)code, NULL);
        } else {
            hasten_events_leave_fully(profiler, code);
        }
        Py_DECREF(code);
        break;
    }
    case PyTrace_C_CALL:
        if (profiler->builtins && PyCFunction_Check(arg)) {
            hasten_events_enter_fully(profiler, ((PyCFunctionObject *)arg)->m_ml, arg, NULL);
        }
        break;
    case PyTrace_C_RETURN:
    case PyTrace_C_EXCEPTION:
        if (profiler->builtins && PyCFunction_Check(arg)) {
            hasten_events_leave_fully(profiler, ((PyCFunctionObject *)arg)->m_ml);
        }
        break;
    default:
        break;
    }
    return 0;
}

int hasten_mechanism_add_types(PyObject *Py_UNUSED(module),
                               struct hasten_cprofile_state *Py_UNUSED(state)) {
    return 0;
}

int hasten_mechanism_prepare(struct hasten_profiler *Py_UNUSED(profiler)) {
    return 0;
}

int hasten_mechanism_start(struct hasten_profiler *profiler) {
    bool plain = hasten_events_are_plain(profiler);
    return _PyEval_SetProfile(hasten_py_thread(), plain ? on_event : on_event_fully,
                              (PyObject *)profiler);
}

/* Whoever is set: that is how the standard profiler of this version does it. */
int hasten_mechanism_stop(struct hasten_profiler *Py_UNUSED(profiler)) {
    return _PyEval_SetProfile(hasten_py_thread(), NULL, NULL);
}

#define FASTCALL(function) (PyCFunction)(void (*)(void))(function)

PyMethodDef hasten_profiler_methods[] = {
    {"getstats", FASTCALL(hasten_profiler_getstats), METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     hasten_profiler_getstats_doc},
    {"enable", FASTCALL(hasten_profiler_enable), METH_VARARGS | METH_KEYWORDS,
     hasten_profiler_enable_doc},
    {"disable", hasten_profiler_disable, METH_NOARGS, hasten_profiler_disable_doc},
    {"clear", hasten_profiler_clear, METH_NOARGS, hasten_profiler_clear_doc},
    {NULL, NULL, 0, NULL},
};
