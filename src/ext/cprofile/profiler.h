/* SPDX-License-Identifier: MIT
 *
 * The profiler object and what its files share. One object owns its calls; the
 * interpreter's lock guards both.
 *
 *   profiler.c    the type: construction, enable, disable, clear
 *   monitoring.c  events from sys.monitoring (3.12 and later)
 *   setprofile.c  events from the profile function (3.11)
 *   events.h      what an event does
 *   timer.c       clocks other than the processor's counter
 *   naming.c      what a function is called in results
 *   stats.c       results */
#ifndef HASTEN_EXT_CPROFILE_PROFILER_H
#define HASTEN_EXT_CPROFILE_PROFILER_H

#include "ext/common/pycompat.h"

#include "core/tracing/calls.h"
#include "core/tracing/ticks.h"

enum hasten_profiler_clock {
    HASTEN_CLOCK_TICKS, /* wall time, by the cheapest clock */
    HASTEN_CLOCK_CPU,   /* of the running thread */
    HASTEN_CLOCK_TIMER, /* the user's function */
};

struct hasten_profiler {
    PyObject_HEAD struct hasten_calls calls;
    struct hasten_ticks ticks;
    enum hasten_profiler_clock clock;
    PyObject *timer;   /* HASTEN_CLOCK_TIMER */
    double timer_unit; /* seconds; 0: the timer answers seconds */
    PyObject *missing; /* sys.monitoring.MISSING, where there is monitoring */
    bool enabled;
    bool builtins; /* C functions are calls of their own */
    bool in_timer; /* the user's timer runs: nothing may be changed under it */
};

struct hasten_cprofile_state {
    PyTypeObject *profiler_type;
    PyTypeObject *tap_type; /* of callbacks; NULL where there is no monitoring */
    PyTypeObject *entry_type;
    PyTypeObject *subentry_type;
    struct hasten_ticks ticks; /* from the module's start */
};

struct hasten_cprofile_state *hasten_cprofile_state_of(PyTypeObject *type);

extern PyType_Spec hasten_profiler_spec;

/* Of the mechanism, monitoring.c or setprofile.c. */
extern PyMethodDef hasten_profiler_methods[];
int hasten_mechanism_add_types(PyObject *module, struct hasten_cprofile_state *state);
/* What the profiler keeps of the interpreter. -1 with an exception. */
int hasten_mechanism_prepare(struct hasten_profiler *profiler);
/* Starts and stops the events. Starting one that is started is an error of the
 * version's own, or none. */
int hasten_mechanism_start(struct hasten_profiler *profiler);
int hasten_mechanism_stop(struct hasten_profiler *profiler);

/* Methods that all versions have. */
PyObject *hasten_profiler_enable(PyObject *self, PyObject *args, PyObject *keywords);
PyObject *hasten_profiler_disable(PyObject *self, PyObject *unused);
PyObject *hasten_profiler_clear(PyObject *self, PyObject *unused);
PyObject *hasten_profiler_getstats(PyObject *self, PyTypeObject *type, PyObject *const *args,
                                   Py_ssize_t count, PyObject *keyword_names);
extern const char hasten_profiler_enable_doc[];
extern const char hasten_profiler_disable_doc[];
extern const char hasten_profiler_clear_doc[];
extern const char hasten_profiler_getstats_doc[];

/* MemoryError where some call could not be counted; 0 otherwise. */
int hasten_profiler_check_memory(struct hasten_profiler *profiler);

/* The clock of a profiler whose clock is not HASTEN_CLOCK_TICKS. What goes wrong
 * in a user's timer is reported as unraisable, and the time is 0. */
int64_t hasten_profiler_read_clock(struct hasten_profiler *profiler);
/* How long a unit of the profiler's clock is, in seconds. */
double hasten_profiler_unit(const struct hasten_profiler *profiler);

/* What results say of a code object (itself) or a callable of C (a string). The
 * callable of a method descriptor is the descriptor; `self_arg` is what it was
 * called on. */
PyObject *hasten_name_of(PyObject *callable, PyObject *self_arg);

#endif
