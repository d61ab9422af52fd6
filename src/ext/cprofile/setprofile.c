/* SPDX-License-Identifier: MIT
 *
 * Events from the running thread's profile function, CPython 3.11; without
 * functions of C, from the frame evaluation hook. */
#include "core/pyabi/tables.h"
#include "ext/cprofile/evaluation.h"
#include "ext/cprofile/events.h"
#include "ext/cprofile/filter.h"

/* What of a frame object must be known to find its code object without asking the
 * interpreter to, which takes a reference. Checked before it is used. */
struct frame_object {
    PyObject base;
    PyFrameObject *back;
    const char *frame; /* struct _PyInterpreterFrame */
};

static inline PyObject *look_up_code(const PyFrameObject *frame) {
    const struct frame_object *object = (const void *)frame;
    return *(PyObject *const *)(const void *)(object->frame + hasten_layout_311.frame_code);
}

/* The code object of a frame, which keeps it. */
static inline PyObject *code_of(const struct hasten_profiler *profiler, PyFrameObject *frame) {
    if (__builtin_expect(profiler->knows_frames, 1)) {
        return look_up_code(frame);
    }
    PyObject *code = (PyObject *)PyFrame_GetCode(frame);
    Py_DECREF(code);
    return code;
}

/* Looks at the frame of whoever makes the profiler. */
static bool frames_are_as_expected(void) {
    PyFrameObject *frame = PyEval_GetFrame();
    if (frame == NULL) {
        return false;
    }
    PyCodeObject *code = PyFrame_GetCode(frame);
    bool same = look_up_code(frame) == (PyObject *)code;
    Py_DECREF(code);
    return same;
}

static int on_event_fully(PyObject *self, PyFrameObject *frame, int what, PyObject *arg) {
    struct hasten_profiler *profiler = (struct hasten_profiler *)self;
    PyObject *code = code_of(profiler, frame);
    if (profiler->filter != NULL && !hasten_filter_wants(profiler->filter, code)) {
        return 0;
    }
    if (what == PyTrace_CALL) {
        /* Beginning or being resumed: who needs to know finds out. */
        hasten_events_step(profiler, code, HASTEN_STEP_BEGIN, frame);
    } else if (what == PyTrace_RETURN) {
        bool suspends = profiler->tasks != NULL && arg != NULL && hasten_py_is_suspended(frame);
        hasten_events_step(profiler, code, suspends ? HASTEN_STEP_SUSPEND : HASTEN_STEP_END, frame);
    } else if (profiler->builtins && PyCFunction_Check(arg)) {
        PyMethodDef *function = ((PyCFunctionObject *)arg)->m_ml;
        if (what == PyTrace_C_CALL) {
            hasten_events_enter_c(profiler, function, arg, NULL);
        } else {
            hasten_events_leave_c(profiler, function);
        }
    }
    return 0;
}

static int on_event(PyObject *self, PyFrameObject *frame, int what, PyObject *arg) {
    struct hasten_profiler *profiler = (struct hasten_profiler *)self;
    const void *key;
    if (what == PyTrace_CALL || what == PyTrace_RETURN) {
        key = code_of(profiler, frame);
    } else if (profiler->builtins && PyCFunction_Check(arg)) {
        key = ((PyCFunctionObject *)arg)->m_ml;
    } else {
        return 0;
    }
    bool done;
    if (what == PyTrace_CALL || what == PyTrace_C_CALL) {
        int64_t now = hasten_ticks_counter();
        done = hasten_events_enter(profiler, key, now) ||
               hasten_events_enter_other(profiler, key, now);
    } else {
        done = hasten_events_leave(profiler, key);
    }
    return done ? 0 : on_event_fully(self, frame, what, arg);
}

int hasten_mechanism_add_types(PyObject *Py_UNUSED(module),
                               struct hasten_cprofile_state *Py_UNUSED(state)) {
    return 0;
}

int hasten_mechanism_prepare(struct hasten_profiler *profiler) {
    profiler->knows_frames = frames_are_as_expected();
    return 0;
}

static Py_tracefunc function_for(const struct hasten_profiler *profiler) {
    return hasten_events_are_plain(profiler) ? on_event : on_event_fully;
}

/* Sets a thread's function in the midst of an event. */
static void set_function(PyThreadState *thread, Py_tracefunc function,
                         struct hasten_profiler *profiler) {
    struct hasten_py_exception exception = hasten_py_exception_take();
    if (_PyEval_SetProfile(thread, function, (PyObject *)profiler) < 0) {
        PyErr_WriteUnraisable((PyObject *)profiler);
    }
    hasten_py_exception_put(exception);
}

void hasten_mechanism_be_full(struct hasten_profiler *profiler) {
    PyThreadState *thread = hasten_py_thread();
    if (thread->c_profileobj == (PyObject *)profiler) {
        set_function(thread, on_event_fully, profiler);
    }
}

void hasten_mechanism_take_over(PyThreadState *thread) {
    PyObject *object = thread->c_profileobj;
    if (object == NULL || thread->c_profilefunc != NULL) {
        return;
    }
    if (hasten_cprofile_state_of(Py_TYPE(object)) == NULL) {
        PyErr_Clear(); /* somebody else's */
    } else {
        struct hasten_profiler *profiler = (struct hasten_profiler *)object;
        set_function(thread, function_for(profiler), profiler);
    }
}

/* Functions of C are told of by the profile function only, and the other
 * configurations are not worth a second mechanism. */
static int start_here(struct hasten_profiler *profiler) {
    Py_tracefunc function = function_for(profiler);
    bool hook = function == on_event && !profiler->builtins && hasten_evaluation_start(profiler);
    int failed =
        _PyEval_SetProfile(hasten_py_thread(), hook ? NULL : function, (PyObject *)profiler);
    if (failed != 0 || !hook) {
        hasten_evaluation_stop(profiler);
    }
    return failed;
}

/* Sets the function of every thread; with `only`, of those that have this profiler. */
static int set_everywhere(Py_tracefunc function, PyObject *profiler, const PyObject *only) {
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    while (thread != NULL) {
        if ((only == NULL || thread->c_profileobj == only) &&
            _PyEval_SetProfile(thread, function, profiler) < 0) {
            return -1;
        }
        thread = PyThreadState_Next(thread);
    }
    return 0;
}

/* threading calls this in each new thread, as a profile function of Python's. */
static PyObject *thread_started(PyObject *self, PyObject *args) {
    struct hasten_profiler *profiler = (struct hasten_profiler *)self;
    PyObject *frame;
    const char *event;
    PyObject *arg;
    if (!PyArg_ParseTuple(args, "O!sO", &PyFrame_Type, &frame, &event, &arg)) {
        return NULL;
    }
    Py_tracefunc function = profiler->enabled ? function_for(profiler) : NULL;
    if (_PyEval_SetProfile(hasten_py_thread(), function, function == NULL ? NULL : self) < 0) {
        return NULL;
    }
    if (function != NULL && strcmp(event, "call") == 0) {
        function(self, (PyFrameObject *)frame, PyTrace_CALL, NULL);
    }
    Py_RETURN_NONE;
}

/* Has threading tell of new threads, or tell whom it told before. */
static int hook_threading(struct hasten_profiler *profiler, bool start) {
    PyObject *threading = PyImport_ImportModule("threading");
    PyObject *hook = NULL;
    PyObject *before = NULL;
    PyObject *answer = NULL;
    if (threading != NULL && start) {
        before = PyObject_CallMethod(threading, "getprofile", NULL);
        hook =
            before == NULL ? NULL : PyObject_GetAttrString((PyObject *)profiler, "_thread_started");
    } else if (threading != NULL) {
        hook = Py_XNewRef(profiler->thread_hook);
    }
    if (hook != NULL) {
        answer = PyObject_CallMethod(threading, "setprofile", "O", hook);
    }
    if (answer != NULL) {
        Py_XSETREF(profiler->thread_hook, Py_XNewRef(before));
    }
    Py_XDECREF(threading);
    Py_XDECREF(hook);
    Py_XDECREF(before);
    Py_XDECREF(answer);
    return answer == NULL ? -1 : 0;
}

int hasten_mechanism_start(struct hasten_profiler *profiler) {
    if (!profiler->all_threads) {
        return start_here(profiler);
    }
    if (profiler->thread_hook == NULL && hook_threading(profiler, true) < 0) {
        return -1;
    }
    return set_everywhere(function_for(profiler), (PyObject *)profiler, NULL);
}

/* Whoever is set: that is how the standard profiler of this version does it. */
int hasten_mechanism_stop(struct hasten_profiler *profiler) {
    if (profiler->all_threads && set_everywhere(NULL, NULL, (PyObject *)profiler) < 0) {
        return -1;
    }
    if (_PyEval_SetProfile(hasten_py_thread(), NULL, NULL) < 0) {
        return -1;
    }
    hasten_evaluation_stop(profiler);
    return profiler->thread_hook == NULL ? 0 : hook_threading(profiler, false);
}

bool hasten_mechanism_is_displaced(const struct hasten_profiler *profiler) {
    return hasten_py_thread()->c_profileobj != (const PyObject *)profiler;
}

void hasten_mechanism_drop_functions(struct hasten_profiler *Py_UNUSED(profiler)) {
}

void hasten_mechanism_forget(struct hasten_profiler *profiler) {
    if (profiler->enabled) {
        hasten_evaluation_stop(profiler);
    }
}

PyMethodDef hasten_profiler_methods[] = {
    HASTEN_PROFILER_METHODS{"_thread_started", thread_started, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
