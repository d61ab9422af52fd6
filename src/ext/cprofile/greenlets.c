/* SPDX-License-Identifier: MIT
 *
 * Being told of switches between greenlets, by the greenlet package's own trace
 * function, of the thread that enables. Whoever was told before is told on. */
#include "ext/cprofile/profiler.h"

#include "ext/cprofile/stacks.h"

static PyObject *greenlet_module(void) {
    return PyImport_ImportModule("greenlet");
}

/* Makes the running greenlet's stack the current one. */
static int select_running(struct hasten_profiler *profiler, PyObject *module) {
    PyObject *running = PyObject_CallMethod(module, "getcurrent", NULL);
    if (running == NULL) {
        return -1;
    }
    hasten_stacks_select_greenlet(profiler->stacks, &profiler->calls, running);
    Py_DECREF(running);
    return 0;
}

int hasten_greenlets_start(struct hasten_profiler *profiler) {
    PyObject *module = greenlet_module();
    PyObject *hook = NULL;
    PyObject *before = NULL;
    if (module != NULL && select_running(profiler, module) == 0) {
        hook = PyObject_GetAttrString((PyObject *)profiler, "_greenlet_switched");
    }
    if (hook != NULL) {
        before = PyObject_CallMethod(module, "settrace", "O", hook);
    }
    Py_XDECREF(hook);
    Py_XDECREF(module);
    if (before == NULL) {
        return -1;
    }
    Py_XSETREF(profiler->greenlet_hook, before);
    return 0;
}

int hasten_greenlets_stop(struct hasten_profiler *profiler) {
    PyObject *module = greenlet_module();
    PyObject *before = module == NULL
                           ? NULL
                           : PyObject_CallMethod(module, "settrace", "O", profiler->greenlet_hook);
    Py_XDECREF(module);
    if (before == NULL) {
        return -1;
    }
    Py_DECREF(before);
    Py_CLEAR(profiler->greenlet_hook);
    return 0;
}

/* (event, (origin, target)): the switch has happened. */
PyObject *hasten_profiler_greenlet_switched(PyObject *self, PyObject *args) {
    struct hasten_profiler *profiler = (struct hasten_profiler *)self;
    const char *event;
    PyObject *origin;
    PyObject *target;
    if (!PyArg_ParseTuple(args, "s(OO)", &event, &origin, &target)) {
        return NULL;
    }
    if (profiler->enabled && profiler->stacks != NULL) {
        hasten_stacks_select_greenlet(profiler->stacks, &profiler->calls, target);
    }
    PyObject *before = profiler->greenlet_hook;
    if (before != NULL && before != Py_None) {
        Py_INCREF(before);
        PyObject *answer = PyObject_CallObject(before, args);
        Py_DECREF(before);
        return answer;
    }
    Py_RETURN_NONE;
}
