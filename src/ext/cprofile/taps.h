/* SPDX-License-Identifier: MIT
 *
 * Callbacks of sys.monitoring, 3.12 and later: objects of our own that are called
 * through their vectorcall slot. No arguments are parsed, nothing is bound. */
#ifndef HASTEN_EXT_CPROFILE_TAPS_H
#define HASTEN_EXT_CPROFILE_TAPS_H

#include "ext/cprofile/events.h"

/* What there is a callback for. */
struct hasten_tap_event {
    const char *name; /* in sys.monitoring.events */
    bool builtin;     /* armed for C functions only */
    bool local;       /* can be disabled at the place where it happened */
    enum hasten_step step;
    vectorcallfunc plain, full;
};

#define HASTEN_TAP_EVENTS 9
extern const struct hasten_tap_event hasten_tap_events[HASTEN_TAP_EVENTS];

PyTypeObject *hasten_tap_type(PyObject *module);
PyObject *hasten_tap_new(struct hasten_profiler *profiler, PyTypeObject *type,
                         const struct hasten_tap_event *event);
/* The list's taps no longer rely on events being plain (events.h). */
void hasten_taps_be_full(PyObject *taps);

/* The callbacks as methods, which the standard profiler has too. */
PyObject *hasten_tap_call_start(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *hasten_tap_call_throw(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *hasten_tap_call_return(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *hasten_tap_call_c_enter(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *hasten_tap_call_c_leave(PyObject *self, PyObject *const *args, Py_ssize_t count);

#endif
